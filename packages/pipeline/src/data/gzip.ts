// Data files that may be gzipped, told by their bytes and not by their names.
import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { RecipeFault } from '../fault.ts';
import { type ByteSource, cannotRead, fileSource } from './byte-source.ts';
import { type HeaderParser, unpack } from './unpack.ts';

/** Whether the bytes are gzip's. */
export const isGzip = (source: ByteSource): boolean =>
  source.size >= 2 && source.read(0, 2).equals(Buffer.of(0x1f, 0x8b));

/**
 * The bytes of the file at positions. A gzip file is decompressed first, as long as its header says: into memory, at most
 * `maxBytes`, or (null) into a scratch file.
 */
export async function openPlainOrGzip(
  path: string,
  parse: HeaderParser,
  maxBytes: number | null,
): Promise<ByteSource> {
  const file = fileSource(path);
  if (!isGzip(file)) return file;
  file.close();
  const broken = (error: unknown): RecipeFault =>
    (error as NodeJS.ErrnoException).syscall
      ? cannotRead(path, error)
      : new RecipeFault(`${path}: broken gzip (${(error as Error).message})`, 'fetch the file again', {
          cause: error,
        });
  const streams: [ReturnType<typeof createReadStream>, ReturnType<typeof createGunzip>] = [
    createReadStream(path),
    createGunzip({ chunkSize: 2 ** 18 }),
  ];
  return await unpack({ path, size: file.size, streams, broken }, parse, maxBytes);
}
