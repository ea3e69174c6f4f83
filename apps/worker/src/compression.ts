// Compressed streams by their first bytes, not by their names: gzip in this process, xz, bzip2 and zstd by Debian's tools.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { PassThrough, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { Problem } from '@retraind/shared/wire/problems';

export const compressions = ['gzip', 'xz', 'bzip2', 'zstd'] as const;
export type Compression = (typeof compressions)[number];

const magics: readonly [Compression, readonly number[]][] = [
  ['gzip', [0x1f, 0x8b]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
];

const programs: Record<Exclude<Compression, 'gzip'>, string> = { xz: 'xz', bzip2: 'bzip2', zstd: 'zstd' };
const packages: Record<keyof typeof programs, string> = { xz: 'xz-utils', bzip2: 'bzip2', zstd: 'zstd' };

/** How the file is compressed; null where it is not. */
export const compressionOf = async (path: string): Promise<Compression | null> => {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(6), 0, 6, 0);
    const head = buffer.subarray(0, bytesRead);
    return magics.find(([, magic]) => magic.every((byte, i) => head[i] === byte))?.[0] ?? null;
  } finally {
    await file.close();
  }
};

/** The decompressed bytes as a stream. Broken input ends it with an error. `close` ends a helper process early. */
export const decompressed = async (path: string): Promise<{ stream: Readable; close: () => void }> => {
  const compression = await compressionOf(path);
  const file = createReadStream(path);
  if (compression === null) return { stream: file, close: () => file.destroy() };
  if (compression === 'gzip') {
    const gunzip = createGunzip();
    file.on('error', (error) => gunzip.destroy(error));
    return {
      stream: file.pipe(gunzip),
      close: () => {
        file.destroy();
        gunzip.destroy();
      },
    };
  }
  file.destroy();
  const program = programs[compression];
  const child = spawn(program, ['-dc', '--', path], { stdio: ['ignore', 'pipe', 'ignore'] });
  const stream = new PassThrough();
  child.stdout.pipe(stream, { end: false });
  child.on('error', (cause) => {
    const hint = `Install it: apt-get install ${packages[compression]}`;
    stream.destroy(new Problem('tool-missing', `${program} is needed to read ${path}.`, hint, { cause }));
  });
  // The stream ends when the program does: a non-zero status must not look like the end of the data.
  child.on('close', (code) => {
    if (code === 0) stream.end();
    else stream.destroy(new Problem('invalid-data', `${path}: broken ${compression} data.`));
  });
  return {
    stream,
    close: () => {
      child.kill('SIGKILL');
      stream.destroy();
    },
  };
};

export interface Digest {
  sha256: string;
  bytes: number;
}

/** Digest and size of a file, as it is or decompressed. Stops with Problem `too-large` beyond `limitBytes`. */
export const digestOf = async (
  path: string,
  form: 'plain' | 'decompressed',
  limitBytes = Number.POSITIVE_INFINITY,
): Promise<Digest> => {
  const source =
    form === 'plain'
      ? { stream: createReadStream(path) as Readable, close: () => {} }
      : await decompressed(path);
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    for await (const chunk of source.stream) {
      hash.update(chunk as Buffer);
      bytes += (chunk as Buffer).length;
      if (bytes > limitBytes) throw new Problem('too-large', `${path} holds more than ${limitBytes} bytes.`);
    }
  } finally {
    source.close();
  }
  return { sha256: hash.digest('hex'), bytes };
};
