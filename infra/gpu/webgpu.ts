// Dawn for the engine `webgpu`, out of npm's `webgpu`: of its 132 MB for five platforms one file.
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onPath, run } from './command.ts';
import { checkTarball, downloadTarball, unpackTarball } from './npm.ts';
import type { NpmPackage } from './parts.ts';

const dawn: NpmPackage = {
  name: 'webgpu',
  version: '0.6.2',
  integrity:
    'sha512-3L4GfmqJLvYUIEWJngEQY+2HQiUlAFkg8+P8NDDj3Xx5hHHIFO/r8JW+ynfqBj7kHN4mbnwO74uB+lrRtLhp4Q==',
};

/** Writes dawn.node, stripped, to `path`. Faults as in install-tfjs-node. */
export async function placeDawn(path: string): Promise<void> {
  const work = mkdtempSync(join(tmpdir(), 'retraind-dawn-'));
  try {
    const tarball = await downloadTarball(dawn, work);
    await checkTarball(tarball, dawn);
    await unpackTarball(tarball, join(work, 'package'));
    const part = `${path}.part`;
    mkdirSync(dirname(path), { recursive: true });
    copyFileSync(join(work, `package/dist/${process.platform}-${process.arch}/dawn.node`), part);
    chmodSync(part, 0o644);
    const strip = onPath('strip');
    if (strip) await run(strip, ['--strip-unneeded', part]);
    renameSync(part, path);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
