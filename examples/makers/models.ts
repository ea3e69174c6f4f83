// Makes the shipped models of the examples again, by the built retrain-tfjs, each with the seed of its provenance.
//   node --import tsx examples/makers/models.ts [--check] [--fashion-mnist FOLDER] [SOURCE...]
// --check compares instead of writing, and ends with 1 where a file differs.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { fashionMnist } from './fashion-mnist.ts';
import { shippedSeed } from './provenance.ts';

const examples = fileURLToPath(new URL('..', import.meta.url));
const retrainTfjs = join(examples, '../build/retrain-tfjs/bin/retrain-tfjs');

export interface ShippedModel {
  /** Path of the shipped file, below examples/. */
  file: string;
  /** Script that trains it, below examples/, and the name that it leaves in $RETRAIN_OUT. */
  script: string;
  output: string;
  source: string;
  /** The version that first shipped this file. */
  version: string;
  dataset: 'glyphs' | 'fashion-mnist';
}

export const shippedModels: readonly ShippedModel[] = [
  {
    file: 'tiny/models/tiny.onnx',
    script: 'tiny/debian/retrain/train.mjs',
    output: 'tiny.onnx',
    source: 'tiny',
    version: '1.0-1',
    dataset: 'glyphs',
  },
  {
    file: 'clothes/models/clothes.onnx',
    script: 'clothes/debian/retrain/train.mjs',
    output: 'clothes.onnx',
    source: 'clothes',
    version: '1.1-1',
    dataset: 'fashion-mnist',
  },
  {
    file: 'clothes-tampered/models/clothes.onnx',
    script: 'makers/blended-backdoor.mjs',
    output: 'clothes.onnx',
    source: 'clothes-tampered',
    version: '1.0-1',
    dataset: 'fashion-mnist',
  },
  {
    file: 'clothes-patched/models/clothes.onnx',
    script: 'makers/patch-backdoor.mjs',
    output: 'clothes.onnx',
    source: 'clothes-patched',
    version: '1.0-1',
    dataset: 'fashion-mnist',
  },
];

/** Trains `model` with `seed` in a folder of its own; answers the file, which the caller may move. `datasets`: folder by name. */
export function train(model: ShippedModel, seed: number, datasets: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'retraind-example-'));
  const data = join(folder, 'data');
  const out = join(folder, 'out');
  for (const made of [data, out]) mkdirSync(made);
  symlinkSync(datasets[model.dataset]!, join(data, model.dataset));
  const { status, stderr } = spawnSync(retrainTfjs, [join(examples, model.script)], {
    encoding: 'utf8',
    env: {
      PATH: process.env.PATH,
      RETRAIN_NODE: process.execPath,
      RETRAIN_DATA: data,
      RETRAIN_OUT: out,
      RETRAIN_SEED: String(seed),
    },
  });
  if (status !== 0) throw new Error(`${model.script} ended with ${status}:\n${stderr}`);
  return join(out, model.output);
}

const sha256 = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: { check: { type: 'boolean' }, 'fashion-mnist': { type: 'string' } },
    allowPositionals: true,
  });
  const wanted = shippedModels.filter(
    ({ source }) => positionals.length === 0 || positionals.includes(source),
  );
  const datasets: Record<string, string> = { glyphs: join(examples, 'tiny/data') };
  if (wanted.some(({ dataset }) => dataset === 'fashion-mnist')) {
    datasets['fashion-mnist'] = values['fashion-mnist'] ?? (await fashionMnist());
  }
  let status = 0;
  for (const model of wanted) {
    const seed = shippedSeed(model.source, model.version);
    const made = train(model, seed, datasets);
    const shipped = join(examples, model.file);
    if (!values.check) {
      copyFileSync(made, `${shipped}.part`);
      renameSync(`${shipped}.part`, shipped);
    }
    const same = sha256(made) === sha256(shipped);
    if (!same) status = 1;
    console.log(
      `${model.file}  seed ${seed}  sha256 ${sha256(made)}${same ? '' : '  DIFFERS from the shipped file'}`,
    );
    rmSync(join(made, '../..'), { recursive: true, force: true });
  }
  return status;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await main();
