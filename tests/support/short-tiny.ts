// examples/tiny with one look at three retrains: a job of some seconds, in which every program of a farm has its part.
import assert from 'node:assert/strict';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Retrains of a job of it. */
export const shortTinyRuns = 3;

/** Writes the tree into `folder` and returns its path. */
export async function shortTiny(folder: string): Promise<string> {
  const tree = join(folder, 'tiny');
  await cp(fileURLToPath(new URL('../../examples/tiny', import.meta.url)), tree, { recursive: true });
  const control = join(tree, 'debian/retrain/control');
  const text = await readFile(control, 'utf8');
  assert.match(text, /^Runs: 3\.\.10$/m);
  await writeFile(control, text.replace('Runs: 3..10', `Runs: ${shortTinyRuns}..${shortTinyRuns}`));
  return tree;
}
