// The artifact store: files by the sha256 of their bytes, in a folder. A file is there whole or not at all: written beside
// its place, synced, renamed, the folder synced. Safe between processes: two writers of the same bytes write the same file.
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Problem } from '@retraind/shared/wire/problems';

export interface ArtifactRef {
  sha256: string;
  bytes: number;
}

export interface PutOptions {
  /** The digest that the bytes must have; anything else is refused and nothing is kept. */
  expectedSha256?: string;
  maxBytes?: number;
}

const digestPattern = /^[0-9a-f]{64}$/;

/** A write that was cut off leaves its temporary file; one older than this belongs to nobody. */
const orphanMilliseconds = 24 * 3_600_000;

export class ArtifactStore {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Where the bytes of a digest lie, whether they are there or not. Problem `invalid-request` for what is no digest. */
  pathOf(sha256: string): string {
    if (!digestPattern.test(sha256))
      throw new Problem('invalid-request', `“${sha256.slice(0, 80)}” is no sha256 digest`);
    return join(this.folder, 'sha256', sha256.slice(0, 2), sha256);
  }

  /** Size in bytes, or null where the store does not have it. */
  async sizeOf(sha256: string): Promise<number | null> {
    try {
      return (await stat(this.pathOf(sha256))).size;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
  }

  async has(sha256: string): Promise<boolean> {
    return (await this.sizeOf(sha256)) !== null;
  }

  /** A stream of the bytes, or of a part of them (`end` included). Problem `not-found` where the store does not have it. */
  async read(sha256: string, range: { start?: number; end?: number } = {}): Promise<Readable> {
    const path = this.pathOf(sha256);
    if (!(await this.has(sha256))) throw new Problem('not-found', `the store has no artifact ${sha256}`);
    return createReadStream(path, range);
  }

  /** The bytes whole, for small documents. Problem `too-large` beyond `maxBytes`. */
  async readWhole(sha256: string, maxBytes = 64 * 1024 * 1024): Promise<Buffer> {
    const bytes = await this.sizeOf(sha256);
    if (bytes !== null && bytes > maxBytes)
      throw new Problem('too-large', `artifact ${sha256} has ${bytes} bytes, more than ${maxBytes}`);
    const chunks: Buffer[] = [];
    for await (const chunk of await this.read(sha256)) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  }

  /** Keeps a stream. Problems: `digest-mismatch`, `too-large`, `disk-full`; then nothing is kept. */
  async put(source: Readable | AsyncIterable<Uint8Array>, options: PutOptions = {}): Promise<ArtifactRef> {
    const temporaryFolder = join(this.folder, 'tmp');
    await mkdir(temporaryFolder, { recursive: true });
    const temporary = join(temporaryFolder, randomUUID());
    const file = await open(temporary, 'wx', 0o644);
    try {
      const ref = await this.#copy(source, file, options);
      await file.sync();
      await file.close();
      await this.#place(temporary, ref.sha256);
      return ref;
    } catch (error) {
      await file.close().catch(() => undefined);
      await rm(temporary, { force: true });
      throw asDiskProblem(error, this.folder);
    }
  }

  async putFile(path: string, options: PutOptions = {}): Promise<ArtifactRef> {
    return this.put(createReadStream(path), options);
  }

  async putText(text: string | Uint8Array): Promise<ArtifactRef> {
    const bytes = typeof text === 'string' ? Buffer.from(text, 'utf8') : text;
    return this.put(oneChunk(bytes));
  }

  /** Forgets a file; nothing where it is not there. For checkpoints that were replaced: everything else is kept for ever. */
  async remove(sha256: string): Promise<void> {
    await rm(this.pathOf(sha256), { force: true });
  }

  /** Removes what cut-off writes left behind. */
  async sweep(now: number): Promise<void> {
    const folder = join(this.folder, 'tmp');
    for (const name of await readdir(folder).catch(() => [])) {
      const path = join(folder, name);
      const found = await stat(path).catch(() => null);
      if (found && now - found.mtimeMs > orphanMilliseconds) await rm(path, { force: true });
    }
  }

  async #copy(
    source: Readable | AsyncIterable<Uint8Array>,
    file: FileHandle,
    options: PutOptions,
  ): Promise<ArtifactRef> {
    const hash = createHash('sha256');
    const maxBytes = options.maxBytes ?? Number.POSITIVE_INFINITY;
    let bytes = 0;
    const count = new Transform({
      transform(chunk: Buffer, _, next) {
        bytes += chunk.length;
        hash.update(chunk);
        next(
          bytes > maxBytes
            ? new Problem('too-large', `more than the ${maxBytes} bytes that are allowed`)
            : null,
          chunk,
        );
      },
    });
    await pipeline(source, count, async (stream) => {
      for await (const chunk of stream) await file.writeFile(chunk as Buffer);
    });
    const sha256 = hash.digest('hex');
    if (options.expectedSha256 !== undefined && sha256 !== options.expectedSha256) {
      throw new Problem(
        'digest-mismatch',
        `the bytes have sha256 ${sha256}, not ${options.expectedSha256} as was said`,
      );
    }
    return { sha256, bytes };
  }

  async #place(temporary: string, sha256: string): Promise<void> {
    const path = this.pathOf(sha256);
    await mkdir(dirname(path), { recursive: true });
    await rename(temporary, path);
    await syncFolder(dirname(path));
  }
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Makes a rename in this folder last through a power cut. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function asDiskProblem(error: unknown, folder: string): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  if (code !== 'ENOSPC' && code !== 'EDQUOT' && code !== 'EFBIG') return error;
  return new Problem(
    'disk-full',
    `no room is left for artifacts in ${folder}`,
    'free some, or give RETRAIND_ARTIFACTS another folder',
    {
      cause: error,
    },
  );
}
