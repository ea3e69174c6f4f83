// The files of a Debian binary package, for makers, benches and tests that run outside a farm.
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openApt } from '@retraind/host/apt';
import { unpackDeb } from '@retraind/host/apt/deb';

const cache = fileURLToPath(new URL('../../.cache', import.meta.url));

/** Fetches and unpacks the package once into .cache/; the folder. Throws a Problem where the archive is out of reach. */
export async function unpackedPackage(name: string): Promise<string> {
  const unpacked = join(cache, name);
  if (existsSync(unpacked)) return unpacked;
  await mkdir(cache, { recursive: true });
  const state = await mkdtemp(join(cache, 'apt-'));
  try {
    const apt = await openApt({ stateFolder: state, kinds: ['deb'] });
    await apt.update();
    const deb = await apt.fetchBinary(name, null, state);
    await unpackDeb(deb, unpacked).catch((error) => {
      // Another process may have been quicker; its folder holds the same.
      if (!existsSync(unpacked)) throw error;
    });
  } finally {
    await rm(state, { recursive: true, force: true });
  }
  return unpacked;
}
