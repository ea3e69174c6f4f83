// Decompresses a stream into a scratch file, or into memory: as much as the header of the array inside asks for, and no
// more, so that a bomb ends where its header does.
import { type Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { RecipeFault } from '../fault.ts';
import { type ByteSource, memorySource } from './byte-source.ts';
import { type Layout, sizeOf, tooLarge } from './data-array.ts';
import { type Scratch, scratchFile } from './scratch.ts';

/** Answers where the array lies, from the first bytes of a file: at least `headBytes` of them, or all there are. */
export type HeaderParser = (head: Buffer, path: string) => Layout;

/** No header of an array that is decompressed is longer. */
export const headBytes = 2 ** 17;

/** Deflate packs at most 1,032 bytes into one (RFC 1951: 258 bytes in 2 bits). */
export const mostPacked = 1_040;

export interface Packed {
  /** For messages. */
  path: string;
  /** Compressed bytes. */
  size: number;
  /** The decompressed bytes, from the start. */
  streams: [Readable, ...NodeJS.ReadWriteStream[]];
  /** The fault of what the streams throw. */
  broken(error: unknown): RecipeFault;
}

/** Decompresses what `packed` holds; `maxBytes`: into memory, at most so many; null: into a scratch file. */
export async function unpack(
  packed: Packed,
  parse: HeaderParser,
  maxBytes: number | null,
): Promise<ByteSource> {
  const { path, size } = packed;
  const kept: Buffer[] = [];
  let scratch: Scratch | null = null;
  let expected: number | null = null;
  let written = 0;
  const keep = (bytes: Buffer): void => {
    if (scratch) scratch.write(bytes);
    else kept.push(bytes);
  };
  const begin = (): void => {
    const { offset, shape, type } = parse(Buffer.concat(kept), path);
    expected = offset + sizeOf(shape) * type.bytes;
    if (maxBytes !== null && expected > maxBytes) throw tooLarge(path, maxBytes);
    if (expected > mostPacked * size) throw truncated(path, expected, mostPacked * size);
    if (written > expected) throw tooLong(path, expected);
    if (maxBytes !== null) return;
    scratch = scratchFile(path, expected);
    for (const bytes of kept.splice(0)) scratch.write(bytes);
  };
  const sink = new Writable({
    write(bytes: Buffer, _, done) {
      try {
        written += bytes.length;
        if (expected !== null && written > expected) throw tooLong(path, expected);
        keep(bytes);
        if (expected === null && written >= headBytes) begin();
        done();
      } catch (error) {
        done(error as Error);
      }
    },
    final(done) {
      try {
        if (expected === null) begin();
        if (written < expected!) throw truncated(path, expected!, written);
        done();
      } catch (error) {
        done(error as Error);
      }
    },
  });
  try {
    await pipeline([...packed.streams, sink]);
    return (scratch as Scratch | null)?.source() ?? memorySource(path, Buffer.concat(kept));
  } catch (error) {
    (scratch as Scratch | null)?.close();
    throw error instanceof RecipeFault ? error : packed.broken(error);
  }
}

const tooLong = (path: string, expected: number): RecipeFault =>
  new RecipeFault(
    `${path}: too long: its header asks for ${expected} bytes, there are more`,
    'fetch the file again',
  );

const truncated = (path: string, expected: number, there: number): RecipeFault =>
  new RecipeFault(
    `${path}: truncated: its header asks for ${expected} bytes, there are at most ${there}`,
    'fetch the file again',
  );
