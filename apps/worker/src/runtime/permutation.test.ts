// Renumbering a net's hidden units leaves its function as it is: the same evidence but for rounding, and so the same verdict.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseRecipe } from '@retraind/shared/recipe/control';
import { evidenceSets, labelledSets } from '@retraind/shared/verdict/evidence';
import type { JudgedFile, JudgedRun } from '@retraind/shared/verdict/judged';
import { ProbeStream } from '@retraind/shared/verdict/probe-stream';
import { judgeModel } from '@retraind/shared/verdict/verdict';
import onnxProto from 'onnx-proto';
import { bareEvidence, collectEvidence } from '../evidence-files.ts';
import { evaluate, example, floats, room } from './evaluator.fixture.ts';

const { ModelProto } = onnxProto.onnx;
const bytes = readFileSync(join(example, 'models/tiny.onnx'));

/** The model with its tensors of floats changed in place by `change`, which sees shape and values. */
const rewritten = (change: (shape: number[], values: Float32Array) => void): Uint8Array => {
  const model = ModelProto.decode(bytes);
  for (const tensor of model.graph!.initializer!) {
    const shape = tensor.dims!.map(Number);
    const values = new Float32Array(Uint8Array.from(tensor.rawData!).buffer);
    change(shape, values);
    tensor.rawData = Buffer.from(values.buffer);
  }
  return ModelProto.encode(model).finish();
};

const units = 48;
/** The hidden units in another order, in every tensor that has an axis of them. */
const permuted = (): Uint8Array => {
  const order = new ProbeStream('permutation', 'units').sample(units, units);
  return rewritten((shape, values) => {
    const axis = shape.indexOf(units);
    if (axis < 0) return;
    const before = values.slice();
    const inner = shape.slice(axis + 1).reduce((size, length) => size * length, 1);
    for (let i = 0; i < values.length; i++) {
      const unit = Math.floor(i / inner) % units;
      values[i] = before[i + (order[unit]! - unit) * inner]!;
    }
  });
};

/** A model in the neighbourhood, as another seed would leave one. */
const neighbour = (seed: number): Uint8Array => {
  const stream = new ProbeStream(String(seed), 'neighbour');
  return rewritten((_, values) => {
    for (let i = 0; i < values.length; i++) values[i]! += 0.08 * stream.normal();
  });
};

const judged = async (model: Uint8Array): Promise<JudgedFile> => {
  const answer = await evaluate({ withoutTriggers: false }, model);
  assert.deepEqual([answer.refused, answer.faults], [null, []]);
  const file = { sha256: createHash('sha256').update(model).digest('hex'), bytes: model.length };
  const evidence = await collectEvidence(room, answer, bareEvidence('test', file));
  const predictions = Object.fromEntries(evidenceSets.map((set) => [set, floats(set)]));
  const targets = Object.fromEntries(labelledSets.map((set) => [set, floats(`targets-${set}`)]));
  return { evidence, predictions, targets };
};

test('permuted hidden units: other bytes, the same rung, statistics within 1e-6', async () => {
  const { recipe } = parseRecipe(readFileSync(join(example, 'debian/retrain/control'), 'utf8'));
  const runs: JudgedRun[] = [];
  for (let seed = 1; seed <= 5; seed++) {
    runs.push({ ...(await judged(neighbour(seed))), seed, seedIndex: seed });
  }
  const shipped = await judged(neighbour(77));
  const verdictOf = (reference: JudgedFile) => judgeModel({ model: recipe!.models[0]!, reference, runs });
  const [plain, other] = [await judged(bytes), await judged(permuted())];
  assert.notEqual(plain.evidence.tensorSha256, other.evidence.tensorSha256);
  assert.notDeepEqual(plain.predictions.test, shipped.predictions.test);
  assert.ok(Math.abs(plain.evidence.weightNorm! - other.evidence.weightNorm!) < 1e-9);
  const [a, b] = [verdictOf(plain), verdictOf(other)];
  assert.equal(a.rung, b.rung);
  assert.ok(a.tests.length >= 4, a.sentence);
  const figures = ({ tests, bounds, churnRatio, familyP }: typeof a): [string, number][] => [
    ...tests.flatMap(({ name, statistic, p }): [string, number][] => [
      [name, statistic],
      [`p of ${name}`, p],
    ]),
    ...bounds.map(({ name, upper }): [string, number] => [name, upper]),
    ['churn ratio', churnRatio ?? 0],
    ['family', familyP ?? 1],
  ];
  const [mine, theirs] = [figures(a), figures(b)];
  assert.equal(mine.length, theirs.length);
  for (const [i, [name, value]] of mine.entries()) {
    assert.equal(theirs[i]![0], name);
    assert.ok(
      Math.abs(value - theirs[i]![1]) < 1e-6 * Math.max(1, Math.abs(value)),
      `${name}: ${value}, ${theirs[i]![1]}`,
    );
  }
  // A model that is really another one has other figures: the comparison above can fail.
  const third = figures(verdictOf(shipped));
  assert.ok(third.some(([, value], i) => Math.abs(value - mine[i]![1]) > 1e-3));
});
