// Data files that may be gzipped, told by their bytes and not by their names.
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGunzip, gunzipSync } from 'node:zlib';
import { RecipeFault } from '../fault.ts';
import { type ByteSource, cannotRead, fileSource, memorySource } from './byte-source.ts';
import { type Layout, sizeOf, tooLarge } from './data-array.ts';
import { type Scratch, scratchFile } from './scratch.ts';

/** Answers where the array lies, from the first bytes of a file (at least `headBytes`, or all there are). */
export type HeaderParser = (head: Buffer, path: string) => Layout;

/** No header that is read out of a gzip stream is longer. */
export const headBytes = 2 ** 17;

const isGzip = (source: ByteSource): boolean =>
  source.size >= 2 && source.read(0, 2).equals(Buffer.of(0x1f, 0x8b));

const brokenGzip = (path: string, error: unknown): RecipeFault =>
  new RecipeFault(`${path}: broken gzip (${(error as Error).message})`, 'fetch the file again', {
    cause: error,
  });

/** The file's bytes, decompressed in memory where it is gzip: at most `maxBytes` then. */
export async function openInMemory(path: string, maxBytes: number): Promise<ByteSource> {
  const file = fileSource(path);
  if (!isGzip(file)) return file;
  file.close();
  if (file.size > maxBytes) throw tooLarge(path, maxBytes);
  const packed = await readFile(path).catch((error) => {
    throw cannotRead(path, error);
  });
  try {
    return memorySource(path, gunzipSync(packed, { maxOutputLength: Math.min(maxBytes, 2 ** 31 - 1) }));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(path, maxBytes);
    throw brokenGzip(path, error);
  }
}

/** The file's bytes at positions; a gzip file is decompressed into a scratch file first, as long as its header says. */
export async function openStreaming(path: string, parse: HeaderParser): Promise<ByteSource> {
  const file = fileSource(path);
  if (!isGzip(file)) return file;
  file.close();
  let scratch: Scratch | null = null;
  let head = Buffer.alloc(0);
  let expected = 0;
  let written = 0;
  const begin = (): void => {
    const { offset, shape, type } = parse(head, path);
    expected = offset + sizeOf(shape) * type.bytes;
    // Deflate packs at most 1,032 bytes into one (RFC 1951: 258 bytes by 2 bits).
    if (expected > 1_040 * file.size) throw truncated(path, expected, 1_040 * file.size);
    scratch = scratchFile(path, expected);
    put(head);
  };
  const put = (bytes: Buffer): void => {
    written += bytes.length;
    if (written > expected) {
      throw new RecipeFault(
        `${path}: too long: its header asks for ${expected} bytes, there are more`,
        'fetch the file again',
      );
    }
    scratch!.write(bytes);
  };
  try {
    await pipeline(createReadStream(path), createGunzip({ chunkSize: 2 ** 18 }), async (chunks) => {
      for await (const chunk of chunks as AsyncIterable<Buffer>) {
        if (scratch) {
          put(chunk);
        } else {
          head = Buffer.concat([head, chunk]);
          if (head.length >= headBytes) begin();
        }
      }
    });
    if (!scratch) begin();
    if (written < expected) throw truncated(path, expected, written);
    return scratch!.source();
  } catch (error) {
    (scratch as Scratch | null)?.close();
    if (error instanceof RecipeFault) throw error;
    if ((error as NodeJS.ErrnoException).syscall) throw cannotRead(path, error);
    throw brokenGzip(path, error);
  }
}

const truncated = (path: string, expected: number, there: number): RecipeFault =>
  new RecipeFault(
    `${path}: truncated: its header asks for ${expected} bytes, there are at most ${there}`,
    'fetch the file again',
  );
