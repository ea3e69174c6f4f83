// The values of one tensor where they lie: ranges of files, bytes in memory, runs of varints, one after the other.
import { elementsOf } from './dtype.ts';
import type { FileBytes } from './file-bytes.ts';
import { ModelFault } from './model-fault.ts';

/** Something that gives bytes by position. */
export interface Piece {
  bytes: number;
  read(position: number, into: Uint8Array): void;
}

export const filePiece = (file: FileBytes, begin: number, end: number): Piece => ({
  bytes: end - begin,
  read: (position, into) => file.fill(into, begin + position),
});

export const memoryPiece = (held: Uint8Array): Piece => ({
  bytes: held.length,
  read: (position, into) => into.set(held.subarray(position, position + into.length)),
});

/** Reads across pieces. `starts`: where each begins. */
export const joinPieces = (pieces: readonly Piece[]): Piece => {
  if (pieces.length === 1) return pieces[0]!;
  const starts: number[] = [];
  let total = 0;
  for (const { bytes } of pieces) {
    starts.push(total);
    total += bytes;
  }
  return {
    bytes: total,
    read(position, into) {
      let low = 0;
      for (let high = starts.length; high - low > 1; ) {
        const middle = (low + high) >> 1;
        if (starts[middle]! <= position) low = middle;
        else high = middle;
      }
      for (let done = 0; done < into.length; low++) {
        const piece = pieces[low]!;
        const from = position + done - starts[low]!;
        const count = Math.min(into.length - done, piece.bytes - from);
        if (count > 0) piece.read(from, into.subarray(done, done + count));
        done += Math.max(0, count);
      }
    },
  };
};

/** A varint and where the next begins. Throws ModelFault past `end` or beyond 64 bits. */
export const readVarint = (file: FileBytes, start: number, end: number): { value: bigint; next: number } => {
  // Most are small: numbers as long as they hold them, bigints beyond.
  let value = 0;
  for (let i = 0; i < 10; i++) {
    const byte = start + i < end ? file.byte(start + i) : undefined;
    if (byte === undefined) throw new ModelFault('it ends in the middle of a number: the file is truncated');
    if (i < 7) value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80 && i < 7) return { value: BigInt(value), next: start + i + 1 };
    if (byte < 0x80) return { value: longVarint(file, start, i + 1), next: start + i + 1 };
  }
  throw new ModelFault('it holds a number longer than 64 bits: it is no protocol buffer');
};

const longVarint = (file: FileBytes, start: number, length: number): bigint => {
  let value = 0n;
  for (let i = 0; i < length; i++) value |= BigInt(file.byte(start + i)! & 0x7f) << BigInt(7 * i);
  return BigInt.asUintN(64, value);
};

/** Varints between these positions, each an element of `width` bytes. Read forwards: going back begins anew. */
export const varintPiece = (
  file: FileBytes,
  runs: readonly { begin: number; end: number }[],
  width: number,
): Piece => {
  let elements = 0;
  for (const { begin, end } of runs) {
    for (let at = begin; at < end; at = readVarint(file, at, end).next) elements++;
  }
  let run = 0;
  let at = runs[0]?.begin ?? 0;
  let element = 0;
  const next = (): bigint => {
    while (at >= runs[run]!.end) at = runs[++run]!.begin;
    const read = readVarint(file, at, runs[run]!.end);
    at = read.next;
    element++;
    return read.value;
  };
  const one = Buffer.alloc(8);
  return {
    bytes: elements * width,
    read(position, into) {
      const first = Math.floor(position / width);
      if (first < element) {
        run = 0;
        at = runs[0]!.begin;
        element = 0;
      }
      while (element < first) next();
      for (let done = 0, skip = position % width; done < into.length; skip = 0) {
        one.writeBigUInt64LE(next());
        const part = one.subarray(skip, Math.min(width, skip + into.length - done));
        into.set(part, done);
        done += part.length;
      }
      // The last element may have been cut: whoever asks for its rest begins anew.
      if ((position + into.length) % width !== 0) element = Number.MAX_SAFE_INTEGER;
    },
  };
};

/** Whether `length` bytes are what a shape needs, told in words. */
export const shapeText = (shape: readonly (number | bigint)[]): string =>
  `${shape.join('x') || 'scalar'} (${elementsOf(shape)} elements)`;
