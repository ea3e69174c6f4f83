// A local source tree, copied for a run: links as links, nothing followed. Version control's folders stay behind: they hold
// the shipped models too (RECIPE: a retrain must not be able to copy).
import { cp } from 'node:fs/promises';
import { basename } from 'node:path';

const leftBehind = new Set(['.git', '.svn', '.hg', '.bzr', '_darcs', '.pc']);

/** Copies `from` to `to`, which must not exist. */
export const copyTree = async (from: string, to: string): Promise<void> => {
  await cp(from, to, {
    recursive: true,
    verbatimSymlinks: true,
    // A make that finds generated files older than their sources would want autoconf.
    preserveTimestamps: true,
    errorOnExist: true,
    force: false,
    filter: (path) => path === from || !leftBehind.has(basename(path)),
  });
};
