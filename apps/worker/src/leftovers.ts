// What a killed worker left in its slot's folder. A slot has one process at a time (sandbox/keeper.ts keepSlot), so whatever lies
// there at its start belongs to nobody.
import { chmod, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** The folder in which a slot's runs lie, each in one of its own. */
export const slotFolder = (work: string, slot: number): string => join(work, 'runs', `slot-${slot}`);

/** Empties a slot's folder and returns the names of what lay there. */
export async function sweepSlot(work: string, slot: number): Promise<string[]> {
  const folder = slotFolder(work, slot);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const names = await readdir(folder);
  for (const name of names) await removeTree(join(folder, name));
  return names;
}

/** Removes a folder whatever modes the package's code gave to folders in it. */
export async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EACCES' && code !== 'EPERM') throw error;
    await openFolders(path);
    await rm(path, { recursive: true, force: true });
  }
}

async function openFolders(path: string): Promise<void> {
  await chmod(path, 0o700);
  for (const entry of await readdir(path, { withFileTypes: true })) {
    if (entry.isDirectory()) await openFolders(join(path, entry.name));
  }
}
