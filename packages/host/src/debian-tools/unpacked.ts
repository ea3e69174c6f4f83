// A tool from Debian without root: the package and what it depends on, as far as the machine lacks it, unpacked into the
// user's cache, and a launcher that finds the libraries there.
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Problem } from '@retraind/shared/wire/problems';
import { extractDeb } from '../apt/deb.ts';
import { openApt } from '../apt.ts';
import { withLock } from '../file-lock.ts';
import { replaceFile } from '../replace-file.ts';

/** $XDG_CACHE_HOME/retraind, or ~/.cache/retraind. */
export const userCacheFolder = (): string =>
  join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'retraind');

/** Multi-arch library folders of an unpacked root, relative to it. */
const libraryFolders = async (root: string): Promise<string[]> => {
  const found: string[] = [];
  for (const lib of ['usr/lib', 'lib']) {
    if (!existsSync(join(root, lib))) continue;
    for (const name of await readdir(join(root, lib))) {
      if (/^[a-z0-9_]+-linux-gnu[a-z0-9]*$/.test(name)) found.push(join(lib, name));
    }
  }
  return found;
};

const launcherText = (root: string, libraries: readonly string[], program: string): string => {
  const paths = libraries.map((folder) => join(root, folder)).join(':');
  return [
    '#!/bin/sh',
    '# Made by Retraind: a tool of Debian, unpacked without root, with the libraries that this machine lacks.',
    ...(paths === '' ? [] : [`export LD_LIBRARY_PATH='${paths}'"\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"`]),
    `exec '${join(root, program)}' "$@"`,
    '',
  ].join('\n');
};

/** The path of a launcher for `name`, a program of the first package. Fetched once; several processes may ask at once. Problem `tool-missing`. */
export const unpackedTool = async (
  name: string,
  packages: readonly [string, ...string[]],
  options: { cacheFolder?: string; say: (line: string) => void },
): Promise<string> => {
  const [packageName] = packages;
  const tools = options.cacheFolder ?? join(userCacheFolder(), 'tools');
  if (tools.includes("'")) throw new Problem('tool-missing', `the cache folder's name has a quote: ${tools}`);
  const home = join(tools, packageName);
  const launcher = join(home, name);
  if (existsSync(launcher)) return launcher;
  return await withLock(join(tools, 'lock'), async () => {
    if (existsSync(launcher)) return launcher;
    options.say(
      `retraind: ${name} is missing; unpacking Debian's ${packageName} into ${home} (nothing is installed)`,
    );
    const apt = await openApt({ stateFolder: join(tools, 'apt'), kinds: ['deb'] });
    await apt.update();
    const work = await mkdtemp(join(tools, 'partial-'));
    try {
      const root = join(work, 'root');
      await mkdir(root);
      for (const missing of await apt.missingHere(packages)) {
        await extractDeb(await apt.fetchBinary(missing.packageName, missing.version, work), root);
      }
      const program = ['usr/bin', 'usr/sbin', 'bin', 'sbin'].map((bin) => join(bin, name));
      const inside = program.find((path) => existsSync(join(root, path)));
      if (!inside) throw new Problem('tool-missing', `${packageName} has no ${name}`);
      await replaceFile(
        join(work, name),
        launcherText(join(home, 'root'), await libraryFolders(root), inside),
      );
      await chmod(join(work, name), 0o755);
      for (const file of await readdir(work)) {
        if (file.endsWith('.deb')) await rm(join(work, file));
      }
      await rm(home, { recursive: true, force: true });
      await rename(work, home);
      return launcher;
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  });
};
