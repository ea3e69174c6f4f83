// Writes a small file whole or not at all: a temporary file beside it, fsync, rename.
import { open, rename, rm } from 'node:fs/promises';

/** `mode` as in chmod, 0644 where absent. */
export const replaceFile = async (
  path: string,
  content: string | Uint8Array,
  mode = 0o644,
): Promise<void> => {
  const temporary = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  try {
    const file = await open(temporary, 'wx', mode);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
};
