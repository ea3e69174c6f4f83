// Where the vendor's user-space libraries lie. The sandbox shows the system's folders already; a driver that was installed
// elsewhere (a runfile, a container's mount) must be shown beside them.
import { dirname } from 'node:path';
import type { Machine } from './machine.ts';

/** Shown to every program (sandbox/bwrap). /usr/local is not: it is empty there. */
const shown = (path: string): boolean => /^\/(usr|lib|lib64)\//.test(path) && !path.startsWith('/usr/local/');

/** Folders where drivers put themselves besides the system's own. */
const knownFolders = [
  '/usr/lib/x86_64-linux-gnu',
  '/usr/lib/aarch64-linux-gnu',
  '/usr/lib64',
  '/usr/lib/wsl/lib',
  '/usr/local/nvidia/lib64',
  '/usr/local/lib',
  '/run/opengl-driver/lib',
  '/opt/rocm/lib',
  '/opt/amdgpu/lib/x86_64-linux-gnu',
];

/** Folders of those of `names` that are there: `outside` are not shown to every program; the environment makes the loader look into them. */
export const libraryFolders = async (
  machine: Machine,
  names: readonly string[],
): Promise<{ outside: string[]; environment: Record<string, string> }> => {
  // The cache of the machine that runs this, not of a root in a test.
  const cache = machine.exists('/etc/ld.so.cache')
    ? await machine.ask('/sbin/ldconfig', ['-p']).catch(() => null)
    : null;
  const folders = names.flatMap((name) => {
    const listed = (cache ?? '')
      .split('\n')
      .flatMap((line) => (line.trim().startsWith(`${name} (`) ? [line.split('=> ')[1]?.trim() ?? ''] : []));
    const known = knownFolders.map((folder) => `${folder}/${name}`);
    const found = [...listed, ...known].find((path) => path !== '' && machine.exists(path));
    return found === undefined ? [] : [dirname(found)];
  });
  const outside = [...new Set(folders)].filter((folder) => !shown(`${folder}/`));
  return { outside, environment: outside.length > 0 ? { LD_LIBRARY_PATH: outside.join(':') } : {} };
};
