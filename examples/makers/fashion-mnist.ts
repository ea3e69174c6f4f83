// The folder of Debian's own Fashion-MNIST, for makers and tests that run outside a farm.
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openApt } from '@retraind/host/apt';
import { unpackDeb } from '@retraind/host/apt/deb';

const cache = fileURLToPath(new URL('../../.cache', import.meta.url));
const inside = 'usr/share/datasets/fashion-mnist';

/** Fetches and unpacks the package dataset-fashion-mnist once into .cache/. Throws a Problem where the archive is out of reach. */
export async function fashionMnist(): Promise<string> {
  const unpacked = join(cache, 'dataset-fashion-mnist');
  if (!existsSync(unpacked)) {
    await mkdir(cache, { recursive: true });
    const state = await mkdtemp(join(cache, 'apt-'));
    try {
      const apt = await openApt({ stateFolder: state, kinds: ['deb'] });
      await apt.update();
      const deb = await apt.fetchBinary('dataset-fashion-mnist', null, state);
      await unpackDeb(deb, unpacked).catch((error) => {
        // Another maker may have been quicker; its folder holds the same.
        if (!existsSync(unpacked)) throw error;
      });
    } finally {
      await rm(state, { recursive: true, force: true });
    }
  }
  return join(unpacked, inside);
}
