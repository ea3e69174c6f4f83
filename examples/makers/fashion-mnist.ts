// The folder of Debian's own Fashion-MNIST, for makers and tests that run outside a farm.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const cache = fileURLToPath(new URL('../../.cache', import.meta.url));
const inside = 'usr/share/datasets/fashion-mnist';

/** Unpacks the package dataset-fashion-mnist once into .cache/, by the machine's apt. Throws apt's own words where it cannot. */
export async function fashionMnist(): Promise<string> {
  const installed = join('/', inside);
  if (existsSync(installed)) return installed;
  const unpacked = join(cache, 'dataset-fashion-mnist');
  if (!existsSync(unpacked)) {
    mkdirSync(cache, { recursive: true });
    const folder = mkdtempSync(join(cache, 'dataset-fashion-mnist.part-'));
    try {
      execFileSync('apt-get', ['--quiet', 'download', 'dataset-fashion-mnist'], {
        cwd: folder,
        stdio: 'pipe',
      });
      const deb = readdirSync(folder).find((name) => name.endsWith('.deb'))!;
      execFileSync('dpkg-deb', ['-x', deb, 'tree'], { cwd: folder });
      // Another maker may have been quicker; its folder holds the same.
      if (!existsSync(unpacked)) renameSync(join(folder, 'tree'), unpacked);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  return join(unpacked, inside);
}
