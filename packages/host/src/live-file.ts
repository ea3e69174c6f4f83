// Files that grow while a run goes: its log and its metrics lines. A chunk says at which byte it begins, so that a repeated
// one is harmless, and one that would leave a gap is refused.
import { existsSync } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Problem } from '@retraind/shared/wire/problems';
import type { ArtifactStore } from './artifacts.ts';

export type LiveKind = 'log' | 'metrics';

/** One lease's live file below the artifact folder. */
export const liveFilePath = (folder: string, runId: string, leaseEpoch: number, kind: LiveKind): string => {
  if (!/^[0-9a-z]{1,32}$/.test(runId))
    throw new Problem('invalid-request', `“${runId.slice(0, 80)}” is no run id`);
  return join(folder, 'live', runId, String(leaseEpoch), kind);
};

/** Keeps a growing file by its digest, as it is now; null where nothing was written. The growing copy stays. */
export async function sealLive(artifacts: ArtifactStore, path: string): Promise<string | null> {
  if (!existsSync(path)) return null;
  return (await artifacts.putFile(path)).sha256;
}

/**
 * Appends a chunk that begins at byte `offset`; bytes that are there already are skipped. Answers the new size in bytes.
 * @throws Problem `conflict` when it would leave a gap, `too-large` beyond `maxBytes` (then nothing is written).
 */
export async function appendLive(
  path: string,
  offset: number,
  text: string,
  maxBytes: number,
): Promise<number> {
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, 'a+');
  try {
    const { size } = await file.stat();
    if (offset > size) {
      throw new Problem(
        'conflict',
        `a chunk that begins at byte ${offset} leaves a gap: ${size} bytes are here`,
        `send again from byte ${size}`,
      );
    }
    const bytes = Buffer.from(text, 'utf8');
    const fresh = bytes.subarray(Math.min(bytes.length, size - offset));
    if (size + fresh.length > maxBytes)
      throw new Problem('too-large', `more than the ${maxBytes} bytes that a run may say`);
    await file.appendFile(fresh);
    return size + fresh.length;
  } finally {
    await file.close();
  }
}
