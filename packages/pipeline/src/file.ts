// Files that are whole or not there.
import { open, rename, rm } from 'node:fs/promises';

/** Writes `bytes` (or its parts, one after the other) to `path`: a reader sees the old file or the new one, also after a crash. */
export async function writeWhole(path: string, bytes: Uint8Array | readonly Uint8Array[]): Promise<void> {
  const part = `${path}.part`;
  const file = await open(part, 'w');
  try {
    for (const piece of bytes instanceof Uint8Array ? [bytes] : bytes) await file.writeFile(piece);
    await file.sync();
    await file.close();
    await rename(part, path);
  } catch (error) {
    await file.close().catch(() => {});
    await rm(part, { force: true });
    throw error;
  }
}
