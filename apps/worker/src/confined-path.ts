// Reading files that a package's code or archive has laid: no symbolic link, and no `..`, may lead out of the folder, and
// nothing but a plain file is opened (a FIFO would hang the worker, a device would do worse).
import { constants } from 'node:fs';
import { type FileHandle, lstat, open, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { Problem } from '@retraind/shared/wire/problems';

/** The real path of a plain file below `root`, or null where there is nothing. Problem `invalid-archive` where it leads outside or is no plain file. */
export const confinedFile = async (root: string, path: string): Promise<string | null> => {
  const folder = await realpath(root);
  let real: string;
  try {
    real = await realpath(join(folder, path));
  } catch {
    return null;
  }
  if (!real.startsWith(folder + sep)) {
    throw new Problem(
      'invalid-archive',
      `${path} leads out of its folder.`,
      'Make it a plain file, not a symbolic link to another place.',
    );
  }
  if (!(await lstat(real)).isFile()) {
    throw new Problem('invalid-archive', `${path} is not a plain file.`, 'Make it a plain file.');
  }
  return real;
};

/** Opens a plain file for reading, never through a last symbolic link and never waiting for a FIFO's writer. */
export const openPlain = async (path: string): Promise<FileHandle | null> => {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return null;
  }
  if ((await file.stat()).isFile()) return file;
  await file.close();
  return null;
};

/** A small text file below `root`, or null where it is absent. Problem `too-large` beyond `limitBytes`. */
export const readConfinedText = async (
  root: string,
  path: string,
  limitBytes: number,
): Promise<string | null> => {
  const real = await confinedFile(root, path);
  const file = real === null ? null : await openPlain(real);
  if (file === null) return null;
  try {
    if ((await file.stat()).size > limitBytes) {
      throw new Problem('too-large', `${path} is larger than ${limitBytes} bytes.`, 'Make it smaller.');
    }
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
};
