// What a folder holds, without following links. Polled as a quota: file systems with project quotas are rare on nodes.
import { lstat, readdir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';

export interface DiskUsage {
  /** Blocks in use, so that a sparse file counts what it holds. */
  bytes: number;
  files: number;
  /** Apparent size of the largest file. */
  largestBytes: number;
}

/** Sums over folders or files that may change meanwhile; what vanishes is not counted. */
export const diskUsage = async (paths: readonly string[]): Promise<DiskUsage> => {
  const usage: DiskUsage = { bytes: 0, files: 0, largestBytes: 0 };
  const waiting = [...paths];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    try {
      const stat = await lstat(path);
      usage.bytes += stat.blocks * 512;
      usage.files += 1;
      if (stat.isFile() && stat.size > usage.largestBytes) usage.largestBytes = stat.size;
      if (stat.isDirectory()) for (const name of await readdir(path)) waiting.push(join(path, name));
    } catch {
      // It vanished meanwhile.
    }
  }
  return usage;
};

/** A process may hold thousands of files open; beyond so many in all, the rest is not looked at. */
const mostOpenFiles = 20_000;

/** Bytes of files on the file systems of `folders` that were deleted and that these processes still hold open: no folder shows them. */
export const deletedBytes = async (pids: readonly number[], folders: readonly string[]): Promise<number> => {
  const devices = new Set<number>();
  for (const folder of folders)
    await stat(folder)
      .then(({ dev }) => devices.add(dev))
      .catch(() => {});
  const seen = new Set<string>();
  let [bytes, looked] = [0, 0];
  for (const pid of pids) {
    for (const name of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
      if (looked++ >= mostOpenFiles) return bytes;
      const file = await stat(`/proc/${pid}/fd/${name}`).catch(() => null);
      if (!file?.isFile() || file.nlink > 0 || !devices.has(file.dev)) continue;
      const key = `${file.dev} ${file.ino}`;
      if (!seen.has(key)) bytes += file.blocks * 512;
      seen.add(key);
    }
  }
  return bytes;
};

/** What is free on the file system of each folder. Costs no reading of folders. */
export const freeBytes = (folders: readonly string[]): Promise<number[]> =>
  Promise.all(
    folders.map((folder) =>
      statfs(folder).then(
        ({ bavail, bsize }) => bavail * bsize,
        () => 0,
      ),
    ),
  );
