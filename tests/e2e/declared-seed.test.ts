// Packages that publish the seed of their model: examples/tiny trained for real, by the worker's own steps, on the deterministic
// WebAssembly engine. About twenty-five trainings of a second.
import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ArtifactStore } from '@retraind/host/artifacts';
import type { LocalJobResult } from '../../apps/worker/src/local-job.ts';
import { job, refusal, room } from '../support/local-job.ts';

/** Of the shipped examples/tiny/models/tiny.onnx (debian/README.source). */
const shippedSeed = 1950086353;

interface Change {
  control?: (text: string) => string;
  rules?: (text: string) => string;
  train?: (text: string) => string;
  model?: string;
}

let turn = 0;
const tiny = ({ control, rules, train, model }: Change): string => {
  const tree = join(room, `tiny ${turn++}`.replace(' ', '-'));
  cpSync(fileURLToPath(new URL('../../examples/tiny', import.meta.url)), tree, { recursive: true });
  const edit = (path: string, change: ((text: string) => string) | undefined): void => {
    if (!change) return;
    const text = readFileSync(join(tree, path), 'utf8');
    assert.notEqual(change(text), text, path);
    writeFileSync(join(tree, path), change(text));
  };
  edit('debian/retrain/control', control);
  edit('debian/rules', rules);
  edit('debian/retrain/train.mjs', train);
  if (model !== undefined) cpSync(model, join(tree, 'models/tiny.onnx'));
  return tree;
};
const declares =
  (seed: number, comparison = 'statistical') =>
  (text: string): string =>
    text.replace('Comparison: statistical\n', `Comparison: ${comparison}\nSeed: ${seed}\n`);

/** One retrain of this tree: the file that it leaves, and with which seed. */
const trained = async (change: Change): Promise<{ model: string; seed: number }> => {
  const { result } = await job(tiny(change), { runs: 1, seed: '7' });
  const { outcome } = result.runs[0]!;
  assert.ok(outcome.kind === 'reported', JSON.stringify(outcome));
  const artifacts = new ArtifactStore(join(result.folder, 'artifacts'));
  return { model: artifacts.pathOf(outcome.outputs[0]!.evidence.file.sha256), seed: outcome.seed };
};
const placesOf = ({ runs }: LocalJobResult): string[] =>
  runs.map(({ place }) => `${place.purpose} ${place.declaredSeed ?? place.seedIndex}/${place.numerics}`);
const inNumerics = (numerics: number) => (rules: string) =>
  rules.replace('\tretrain-tfjs', `\tRETRAIN_NUMERICS=${numerics} retrain-tfjs`);

suite('a declared seed', { skip: refusal }, () => {
  test('gives the shipped bytes: bit-identical after the dependence run, for two retrains', async () => {
    const { result } = await job(tiny({ control: declares(shippedSeed) }));
    const [verdict] = result.verdicts;
    assert.equal(verdict!.rung, 'bit-identical', verdict!.sentence);
    assert.deepEqual(placesOf(result), [
      'retrain 1/0',
      `rerun ${shippedSeed}/0`,
      `dependence ${shippedSeed}/0`,
    ]);
    assert.deepEqual(
      verdict!.dependence!.withheld.map(({ path, records, withheld }) => [path, records, withheld]),
      [
        ['train-images-idx3-ubyte.gz', 2000, 200],
        ['train-labels-idx1-ubyte.gz', 2000, 200],
      ],
    );
  });

  test('in arithmetic that none of the reruns has: the same run, by weights and outputs', async () => {
    const { model, seed } = await trained({ rules: inNumerics(5) });
    const { result } = await job(tiny({ control: declares(seed, 'numerical'), model }));
    const [verdict] = result.verdicts;
    assert.equal(verdict!.rung, 'same-run', `${verdict!.sentence}\n${verdict!.reasons.join('\n')}`);
    assert.deepEqual(placesOf(result), [
      'retrain 1/0',
      ...[0, 1, 2, 3].map((numerics) => `rerun ${seed}/${numerics}`),
      `dependence ${seed}/0`,
    ]);
    const { maxRho, cosine, axes } = verdict!.lineage!;
    assert.ok(maxRho! <= 2 && cosine! > 0.9, JSON.stringify(axes));
    assert.equal(verdict!.dependence!.outcome, 'depends');
  });

  test('with half the declared learning rate: near in weights, edited', async () => {
    const { model, seed } = await trained({ train: (text) => text.replace('adam(3e-3)', 'adam(1.5e-3)') });
    const { result } = await job(tiny({ control: declares(seed, 'numerical'), model }));
    const [verdict] = result.verdicts;
    assert.equal(verdict!.rung, 'different', verdict!.sentence);
    assert.deepEqual(
      verdict!.alarms.map(({ name }) => name),
      ['edited-lineage'],
    );
    assert.ok(verdict!.lineage!.maxRho! > 3);
  });

  test('that the shipped file does not come from: one rerun tells, then fresh seeds', async () => {
    const { result } = await job(tiny({ control: declares(7) }));
    const [verdict] = result.verdicts;
    assert.equal(verdict!.lineage!.outcome, 'elsewhere', verdict!.reasons.join('\n'));
    assert.deepEqual(placesOf(result).slice(0, 4), [
      'retrain 1/0',
      'rerun 7/0',
      'retrain 2/0',
      'retrain 3/0',
    ]);
    assert.ok(verdict!.k >= 3 && verdict!.alpha !== null);
    assert.ok(['statistically-equivalent', 'inconclusive'].includes(verdict!.rung), verdict!.sentence);
  });
});
