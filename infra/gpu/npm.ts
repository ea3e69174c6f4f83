// tfjs-node's own files and Node's headers, as npm packs them: no install, no dependency, no script.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { lastLine, run } from './command.ts';
import { InstallFault } from './fault.ts';
import type { NpmPackage } from './parts.ts';
import { digestOf } from './wheel.ts';

/** The file name that `npm pack` gives. */
export const tarballName = ({ name, version }: NpmPackage): string =>
  `${name.replace('@', '').replace('/', '-')}-${version}.tgz`;

export async function downloadTarball(npm: NpmPackage, folder: string): Promise<string> {
  const patience = ['--fetch-retries=1', '--fetch-retry-mintimeout=1000', '--fetch-timeout=60000'];
  const { status, said } = await run(
    'npm',
    ['pack', `${npm.name}@${npm.version}`, '--loglevel=error', '--pack-destination', folder, ...patience],
    { cwd: folder },
  );
  if (status === 0) return join(folder, tarballName(npm));
  if (/ENOSPC/.test(said)) {
    throw new InstallFault(
      'disk',
      `the disk of ${folder} is full`,
      'make room, or choose another by --folder PATH',
    );
  }
  const reason = said.trim()
    ? `: ${lastLine(said, /npm error.*(request to|code E|\b40\d\b)/i).replace(/^npm error /i, '')}`
    : '';
  throw new InstallFault(
    'unreachable',
    `npm cannot fetch ${npm.name} ${npm.version}${reason}`,
    'look whether this machine reaches an npm registry (`npm ping`), or bring the file and say --from FOLDER',
  );
}

/** Throws where the file is not the package that was pinned. */
export async function checkTarball(path: string, npm: NpmPackage): Promise<void> {
  const found = `sha512-${await digestOf(path, 'sha512')}`;
  if (found === npm.integrity) return;
  throw new InstallFault(
    'digest',
    `${npm.name} ${npm.version} has the integrity ${found}, not ${npm.integrity}`,
    'somebody on the way changes files: look at the registry that npm uses, then run this again',
  );
}

/** Unpacks the tarball's `package/` into a folder of its own. */
export async function unpackTarball(path: string, folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const { status, said } = await run('tar', [
    '-xzf',
    path,
    '-C',
    folder,
    '--strip-components=1',
    '--no-same-owner',
  ]);
  if (status === 0) return;
  const full = /No space left/.test(said);
  throw new InstallFault(
    full ? 'disk' : 'tools',
    full ? `the disk of ${folder} is full` : `tar fails: ${lastLine(said)}`,
    full ? 'make room, or choose another by --folder PATH' : 'install tar and gzip',
  );
}
