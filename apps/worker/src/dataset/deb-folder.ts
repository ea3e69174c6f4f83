// A binary package of an archive, unpacked once and kept: by name, version and digest, shared by the slots of a node. The
// package's own scripts never run.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Apt, Candidate } from '@retraind/host/apt';
import { unpackDeb } from '@retraind/host/apt/deb';

/** Folder with the package's files, fetched by apt (signatures and digests checked) where the cache has it not. */
export const debFolder = async (
  apt: Apt,
  { packageName, version, sha256 }: Candidate,
  cache: string,
  signal: AbortSignal,
): Promise<string> => {
  const key = createHash('sha256').update(`${packageName} ${version} ${sha256}`).digest('hex');
  const folder = join(cache, 'packages', key.slice(0, 32));
  if (existsSync(folder)) return folder;
  await mkdir(join(cache, 'packages'), { recursive: true });
  const download = await mkdtemp(join(cache, 'download-'));
  try {
    const deb = await apt.fetchBinary(packageName, version, download, signal);
    await unpackDeb(deb, folder).catch((error) => {
      // Another slot of this node unpacked the same package meanwhile.
      if (!existsSync(folder)) throw error;
    });
  } finally {
    await rm(download, { recursive: true, force: true });
  }
  return folder;
};
