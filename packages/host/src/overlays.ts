// The farm's own recipes for packages that have none: recipes/<source>/debian/retrain/. Each becomes a tar whose bytes
// depend on its files alone, so that the same overlay is the same artifact on every farm.
import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { parseRecipe } from '@retraind/shared/recipe/control';
import type { Recipe } from '@retraind/shared/recipe/recipe';
import { Problem } from '@retraind/shared/wire/problems';
import { pack } from 'tar-stream';

export interface Overlay {
  source: string;
  recipe: Recipe;
  /** debian/retrain/control, as it is written. */
  control: string;
  /** What is laid over the unpacked source: paths from the source's root. */
  tar: Buffer;
  sha256: string;
}

const maxFileBytes = 4 * 1024 * 1024;

const filesBelow = async (folder: string, inner: string): Promise<string[]> => {
  const entries = await readdir(join(folder, inner), { withFileTypes: true });
  const names = entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  const found: string[] = [];
  for (const entry of names) {
    const path = join(inner, entry.name);
    if (entry.isDirectory()) found.push(...(await filesBelow(folder, path)));
    else if (entry.isFile()) found.push(path);
    else throw new Problem('invalid-recipe', `${join(folder, path)} is neither file nor folder`);
  }
  return found;
};

const tarOf = async (folder: string, paths: readonly string[]): Promise<Buffer> => {
  const tar = pack();
  for (const path of paths) {
    const { mode, size } = await stat(join(folder, path));
    if (size > maxFileBytes) throw new Problem('too-large', `${join(folder, path)} is larger than 4 MiB`);
    const header = { name: path, mode: mode & 0o100 ? 0o755 : 0o644, mtime: new Date(0) };
    tar.entry(header, await readFile(join(folder, path)));
  }
  tar.finalize();
  return await buffer(tar);
};

/** Reads one overlay. Problem `invalid-recipe` with all its faults. */
export const readOverlay = async (recipesFolder: string, source: string): Promise<Overlay> => {
  const folder = join(recipesFolder, source);
  const paths = await filesBelow(folder, 'debian/retrain');
  const path = join(folder, 'debian/retrain/control');
  const control = await readFile(path, 'utf8');
  const { recipe, faults } = parseRecipe(control, path);
  if (!recipe) {
    const errors = faults.filter(({ severity }) => severity === 'error');
    const lines = errors.map(({ file, line, message, cure }) => `${file}:${line}: ${message}; ${cure}`);
    throw new Problem('invalid-recipe', lines.join('\n'));
  }
  const rules = 'debian/retrain/rules';
  if (!paths.includes(rules) || !((await stat(join(folder, rules))).mode & 0o100)) {
    throw new Problem('invalid-recipe', `${join(folder, rules)} is not there or not executable`);
  }
  const tar = await tarOf(folder, paths);
  return { source, recipe, control, tar, sha256: createHash('sha256').update(tar).digest('hex') };
};

/** All overlays below a folder, by source name; those that cannot be read are told and left out. */
export const readOverlays = async (
  recipesFolder: string,
  onFault: (problem: Problem) => void,
): Promise<Map<string, Overlay>> => {
  const overlays = new Map<string, Overlay>();
  const entries = await readdir(recipesFolder, { withFileTypes: true }).catch(() => {
    throw new Problem('invalid-config', `there is no folder of overlays at ${recipesFolder}`);
  });
  for (const entry of entries) {
    if (!entry.isDirectory()) continue;
    try {
      overlays.set(entry.name, await readOverlay(recipesFolder, entry.name));
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      const problem = error instanceof Problem ? error : new Problem('invalid-recipe', error.message);
      onFault(problem);
    }
  }
  return overlays;
};
