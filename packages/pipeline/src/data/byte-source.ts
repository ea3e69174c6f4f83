// A data file as bytes at positions: an open file, or bytes in memory. Reads are synchronous: one that the kernel has cached
// costs 1-2 µs so, and 20-40 µs by way of Node's thread pool.
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { RecipeFault } from '../fault.ts';
import { below, run } from '../run.ts';

export interface ByteSource {
  /** For messages. */
  readonly path: string;
  readonly size: number;
  /** Bytes [at, at + length), to be left as they are. The range lies within the size. */
  read(at: number, length: number): Buffer;
  /** Fills `into` with the bytes from `at` on. */
  fill(into: Uint8Array, at: number): void;
  /** Gives the file back; what was read from it stays. */
  close(): void;
}

/** Linux reads at most 2^31 - 4096 bytes at once. */
const maxRead = 2 ** 30;

/** The path of a data file: below $RETRAIN_DATA, or absolute. */
export const dataPath = (name: string): string => (isAbsolute(name) ? name : below(run.data, name));

export const cannotRead = (path: string, error: unknown): RecipeFault => {
  const reason = (error as NodeJS.ErrnoException).code ?? String(error);
  return new RecipeFault(`${path}: cannot be read (${reason})`, 'declare the file under its Dataset', {
    cause: error,
  });
};

/** Bytes that lie in memory already. */
export function memorySource(path: string, bytes: Uint8Array): ByteSource {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    path,
    size: buffer.length,
    read: (at, length) => buffer.subarray(at, at + length),
    fill: (into, at) => into.set(buffer.subarray(at, at + into.length)),
    close() {},
  };
}

/** An open file; `fd` becomes the source's own. `path` is for messages. */
export function descriptorSource(path: string, fd: number): ByteSource {
  const { size } = fstatSync(fd);
  let open = true;
  const fill = (into: Uint8Array, at: number): void => {
    // The number may be another file's by now.
    if (!open) throw new Error(`${path} is read after it was closed`);
    for (let done = 0; done < into.length; ) {
      let count: number;
      try {
        count = readSync(fd, into, done, Math.min(into.length - done, maxRead), at + done);
      } catch (error) {
        throw cannotRead(path, error);
      }
      if (count === 0) {
        throw new RecipeFault(
          `${path}: ends before byte ${at + done + 1}, it had ${size} bytes when it was opened`,
          'leave data alone while it is read',
        );
      }
      done += count;
    }
  };
  return {
    path,
    size,
    fill,
    read(at, length) {
      // Not allocUnsafe: its small buffers share a pool, at odd offsets.
      const bytes = Buffer.from(new ArrayBuffer(length));
      fill(bytes, at);
      return bytes;
    },
    close() {
      if (open) closeSync(fd);
      open = false;
    },
  };
}

/** A part of `source`, which it owns; its position 0 is `start`. Throws a RecipeFault where it is not all there. */
export function windowOf(source: ByteSource, path: string, start: number, size: number): ByteSource {
  if (start + size > source.size) {
    source.close();
    throw new RecipeFault(
      `${path}: truncated: it ends at byte ${start + size}, the file at ${source.size}`,
      'fetch the file again',
    );
  }
  return {
    path,
    size,
    read: (at, length) => source.read(start + at, length),
    fill: (into, at) => source.fill(into, start + at),
    close: () => source.close(),
  };
}

/** Opens a file of data. Throws a RecipeFault where it is missing or no regular file. */
export function fileSource(path: string): ByteSource {
  let fd: number;
  try {
    // Before it is opened: to open a pipe would wait for its writer.
    if (!statSync(path).isFile()) throw Object.assign(new Error(), { code: 'no regular file' });
    fd = openSync(path, 'r');
  } catch (error) {
    throw cannotRead(path, error);
  }
  return descriptorSource(path, fd);
}
