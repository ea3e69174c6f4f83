// The demo's uploads: the examples as real source packages in the farm's own signed archive, and the suite that reads them.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { machineSources } from '@retraind/host/apt';
import { openArchive } from '@retraind/host/archive';
import { buildSourcePackage } from '@retraind/host/archive/source-package';

const examplesFolder = fileURLToPath(new URL('../../../examples', import.meta.url));

/**
 * Builds the named examples with dpkg-source and publishes them. Answers the suite's `.sources` text: source packages come
 * from this archive only, binary packages (datasets) also from the archives that this machine trusts.
 */
export async function publishExamples(names: readonly string[], folder: string): Promise<string> {
  const archive = await openArchive({ folder, suite: 'demo' });
  const workFolder = await mkdtemp(join(tmpdir(), 'retraind-examples-'));
  try {
    for (const name of names) {
      const { dsc } = await buildSourcePackage({ folder: join(examplesFolder, name), out: workFolder });
      await archive.addSource(dsc);
    }
    await archive.publish();
  } finally {
    await rm(workFolder, { recursive: true, force: true });
  }
  const datasets = machineSources().replaceAll(/^Types: .*$/gm, 'Types: deb');
  return `${archive.sources().trimEnd()}\n\n${datasets}`;
}
