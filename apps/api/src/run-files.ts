// Where log and metrics of a run lie: a growing file while its lease is open, an artifact afterwards.
import { open, stat } from 'node:fs/promises';
import type { RunDetail } from '@retraind/prisma/store/runs';
import { Problem } from '@retraind/shared/wire/problems';
import type { Farm } from './farm.ts';
import type { LiveKind } from './live-files.ts';

export interface RunFile {
  runId: string;
  /** 0 where the run has had no lease yet. */
  leaseEpoch: number;
  path: string;
  bytes: number;
  /** Digest where the file is final; null while it may grow. */
  sha256: string | null;
  /** Whether the lease is open. */
  isOpen: boolean;
}

/** The file of one lease, the last one unless said. */
export async function runFile(
  { artifacts, live }: Farm,
  run: RunDetail,
  kind: LiveKind,
  leaseEpoch?: number,
): Promise<RunFile> {
  const lease =
    leaseEpoch === undefined
      ? run.leases.at(-1)
      : run.leases.find((candidate) => candidate.leaseEpoch === leaseEpoch);
  if (lease === undefined) {
    if (leaseEpoch !== undefined) {
      throw new Problem('not-found', `Run ${run.runId} has had no lease ${leaseEpoch}.`);
    }
    return { runId: run.runId, leaseEpoch: 0, path: '', bytes: 0, sha256: null, isOpen: false };
  }
  const sha256 = kind === 'log' ? lease.logSha256 : lease.metricsSha256;
  const sealedBytes = sha256 === null ? null : await artifacts.sizeOf(sha256);
  const path = sealedBytes === null ? live.path(lease, kind) : artifacts.pathOf(sha256!);
  return {
    runId: run.runId,
    leaseEpoch: lease.leaseEpoch,
    path,
    bytes: sealedBytes ?? (await fileBytes(path)),
    sha256: sealedBytes === null ? null : sha256,
    isOpen: lease.outcome === null,
  };
}

async function fileBytes(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    // Nothing was written yet.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}

/** A part of a file as text that ends with a whole UTF-8 character, and the bytes that it took. */
export async function readText(
  path: string,
  start: number,
  most: number,
): Promise<{ text: string; bytes: number }> {
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { text: '', bytes: 0 };
    throw error;
  }
  try {
    const buffer = Buffer.alloc(most);
    const { bytesRead } = await file.read(buffer, 0, most, start);
    const bytes = bytesRead < most ? bytesRead : wholeCharacters(buffer);
    return { text: buffer.toString('utf8', 0, bytes), bytes };
  } finally {
    await file.close();
  }
}

/** Length of `buffer` without a character that is cut off at its end. */
function wholeCharacters(buffer: Buffer): number {
  // A UTF-8 character has at most four bytes; only its first is none of 10xxxxxx.
  for (let back = 1; back <= Math.min(4, buffer.length); back++) {
    const byte = buffer[buffer.length - back]!;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte < 0x80 ? 1 : byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return length > back ? buffer.length - back : buffer.length;
  }
  return buffer.length;
}

/** The last lines of a file, of its last `mostBytes` at most, and the bytes that lie before them. */
export async function readTail(
  file: Pick<RunFile, 'path' | 'bytes'>,
  lines: number,
  mostBytes: number,
): Promise<{ text: string; skippedBytes: number }> {
  const start = Math.max(0, file.bytes - mostBytes);
  const { text } = await readText(file.path, start, file.bytes - start);
  const all = text.split('\n');
  const ended = all.at(-1) === '' ? 1 : 0;
  // A tail that does not begin at the file's start begins in the middle of a line, perhaps of a character.
  const first = Math.max(all.length - ended - lines, start > 0 && all.length > 1 ? 1 : 0);
  const tail = all.slice(first).join('\n');
  return { text: tail, skippedBytes: Math.max(0, file.bytes - Buffer.byteLength(tail)) };
}
