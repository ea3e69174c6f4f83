// $RETRAIN_CHECKPOINT as a file: a tar whose bytes follow from names, modes and contents alone, so that an unchanged folder has
// the same digest. The folder is the package's and may change while it is read: every file is opened below a folder that is
// held open, never through a link, and a folder that changes meanwhile is refused, to be read again later.
import { constants, createReadStream, createWriteStream } from 'node:fs';
import { type FileHandle, mkdir, open, readdir } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { unpackTar } from '@retraind/host/tar';
import { Problem } from '@retraind/shared/wire/problems';
import { type Pack, pack } from 'tar-stream';

const mostEntries = 10_000;
const deepest = 16;

interface Budget {
  entries: number;
  bytes: number;
}

/** A path below an open folder: the kernel follows the handle, whatever has been put in the folder's place meanwhile. */
const below = (folder: FileHandle, name: string): string => `/proc/self/fd/${folder.fd}/${name}`;

const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

const changed = (path: string): Problem =>
  new Problem('conflict', `${path} changed while the checkpoint was read.`);

/** Files under way to their place, by the names that they are given (docs/reference/recipe.md): no part of a checkpoint. */
const isUnderWay = (name: string): boolean => /\.(part|tmp)$/.test(name);

const namesIn = async (folder: FileHandle): Promise<string[]> =>
  (await readdir(below(folder, '.'))).filter((name) => !isUnderWay(name)).sort();

async function addFile(tar: Pack, path: string, file: FileHandle, left: Budget): Promise<void> {
  const before = await file.stat();
  left.bytes -= before.size;
  if (left.bytes < 0) throw new Problem('too-large', 'The checkpoint is larger than the farm keeps.');
  const header = {
    name: path,
    size: before.size,
    mode: (before.mode & 0o111) === 0 ? 0o644 : 0o755,
    mtime: new Date(0),
  };
  if (before.size === 0) tar.entry(header, '');
  else {
    const stream = createReadStream('', { fd: file, autoClose: false, start: 0, end: before.size - 1 });
    await pipeline(stream, tar.entry(header) as unknown as NodeJS.WritableStream);
  }
  const after = await file.stat();
  if (after.size !== before.size || after.mtimeMs !== before.mtimeMs) throw changed(path);
}

async function addFolder(tar: Pack, folder: FileHandle, prefix: string, depth: number, left: Budget) {
  for (const name of await namesIn(folder)) {
    if (--left.entries < 0 || depth > deepest) {
      throw new Problem('too-large', `The checkpoint has more than ${mostEntries} files.`);
    }
    // A link, a socket or what vanished is no part of a checkpoint.
    const file = await open(below(folder, name), flags).catch(() => null);
    if (file === null) continue;
    try {
      const stat = await file.stat();
      const path = `${prefix}${name}`;
      if (stat.isDirectory()) {
        tar.entry({ name: path, type: 'directory', mode: 0o755, mtime: new Date(0) });
        await addFolder(tar, file, `${path}/`, depth + 1, left);
      } else if (stat.isFile()) await addFile(tar, path, file, left);
    } finally {
      await file.close();
    }
  }
}

/**
 * Writes the folder as a tar to `path`. False where there is nothing in it. Problems `too-large` beyond `mostBytes` of contents,
 * `conflict` where the folder changed meanwhile: files that belong together are kept together.
 */
export async function packCheckpoint(folder: string, path: string, mostBytes: number): Promise<boolean> {
  const root = await open(folder, flags | constants.O_DIRECTORY);
  const tar = pack();
  const left: Budget = { entries: mostEntries, bytes: mostBytes };
  try {
    const before = await checkpointFingerprint(folder);
    if (before === '') return false;
    const filling = addFolder(tar, root, '', 0, left).then(
      () => tar.finalize(),
      (error) => tar.destroy(error),
    );
    await pipeline(tar, createWriteStream(path));
    await filling;
    if ((await checkpointFingerprint(folder)) !== before) throw changed('The folder');
    return true;
  } finally {
    await root.close();
  }
}

/** Lays a kept checkpoint into the folder, which must be empty. Problems `invalid-archive`, `too-large`. */
export async function unpackCheckpoint(path: string, folder: string, mostBytes: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  await unpackTar(createReadStream(path), folder, { entries: mostEntries, bytes: mostBytes });
}

/** What a change of the folder shows in: names, sizes and times of its files. */
export async function checkpointFingerprint(folder: string): Promise<string> {
  const lines: string[] = [];
  const root = await open(folder, flags | constants.O_DIRECTORY);
  try {
    await fingerprint(root, '', 0, lines);
  } finally {
    await root.close();
  }
  return lines.join('\n');
}

async function fingerprint(folder: FileHandle, prefix: string, depth: number, lines: string[]) {
  for (const name of await namesIn(folder)) {
    if (lines.length > mostEntries || depth > deepest) return;
    const file = await open(below(folder, name), flags).catch(() => null);
    if (file === null) continue;
    try {
      const stat = await file.stat();
      lines.push(`${prefix}${name} ${stat.size} ${stat.mtimeMs}`);
      if (stat.isDirectory()) await fingerprint(file, `${prefix}${name}/`, depth + 1, lines);
    } finally {
      await file.close();
    }
  }
}
