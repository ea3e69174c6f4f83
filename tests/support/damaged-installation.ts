// A machine that computes wrongly: the programs of a node as they are installed, but for one thing. Its retrain-tfjs has a bit flipped
// in the first weight of every tensor that it writes, as bad memory would. Nothing else tells: it trains, evaluates, reports.
import assert from 'node:assert/strict';
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

const sound =
  'this.tensors.push({ name, dims: [...dims], dataType: FLOAT, rawData: new Uint8Array(raw.buffer) });';
const damaged = `raw.setUint8(0, raw.getUint8(0) ^ 1);\n    ${sound}`;

/** Writes the installation into `folder` and returns it. */
export async function damagedInstallation(folder: string): Promise<string> {
  await mkdir(join(folder, 'apps'), { recursive: true });
  // The worker finds its programs beside itself; what it shares with others comes from the repository.
  await cp(join(root, 'apps/worker'), join(folder, 'apps/worker'), { recursive: true });
  await cp(join(root, 'build/retrain-tfjs'), join(folder, 'build/retrain-tfjs'), { recursive: true });
  for (const name of ['node_modules', 'packages', 'package.json', 'tsconfig.json'])
    await symlink(join(root, name), join(folder, name));
  const bundle = join(folder, 'build/retrain-tfjs/lib/retrain-tfjs.mjs');
  const text = await readFile(bundle, 'utf8');
  assert.equal(text.split(sound).length, 2, 'the place where weights are written is known, and one');
  await writeFile(bundle, text.replace(sound, damaged));
  return folder;
}
