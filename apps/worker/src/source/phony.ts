// A file named as the target makes `make` say "up to date" and succeed without doing anything, unless the target is phony.
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { readMakefile } from '@retraind/shared/recipe/makefile';
import { broken } from '../breakage.ts';
import { readConfinedText } from '../confined-path.ts';

const maxRulesBytes = 4 * 2 ** 20;

/** Breaks, blame recipe, where the tree has a file (or folder) of the target's name and the rules' own text does not make it phony. */
export const requirePhony = async (tree: string, rulesPath: string, target: string): Promise<void> => {
  const exists = await lstat(join(tree, target)).then(
    () => true,
    () => false,
  );
  if (!exists) return;
  const rules = (await readConfinedText(tree, rulesPath, maxRulesBytes)) ?? '';
  if (readMakefile(rules).phony.has(target)) return;
  throw broken(
    'recipe',
    'invalid-recipe',
    `The source tree has a file named ${target}, and ${rulesPath} does not say that the target ${target} is phony: make would call it up to date and do nothing.`,
    `Add the line ".PHONY: ${target}" to ${rulesPath}.`,
  );
};
