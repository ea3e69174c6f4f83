// What a folder holds, without following links. Polled as a quota: file systems with project quotas are rare on nodes.
import { lstat, readdir } from 'node:fs/promises';
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
