// The evaluator as a program, on the example's model and data: every set, its true answers, and what it says of bad data.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { readIdx } from '@retraind/pipeline/data/idx';
import type { DataFile } from '@retraind/shared/recipe/recipe';
import type { StatisticalRequest } from './evaluation.ts';
import { csv, evaluate, floats, images, labels, npy, room } from './evaluator.fixture.ts';
import { gnubgBinaryBytes, gnubgNets } from './formats/samples.ts';
import { measureClasses } from './measure.ts';

test('every set is asked, and true answers lie beside held-out and training data', async () => {
  const answer = await evaluate({ slices: labels('test') });
  assert.equal(answer.refused, null);
  assert.deepEqual(answer.faults, []);
  assert.deepEqual(answer.sets, {
    test: { rows: 1_500, columns: 6 },
    train: { rows: 2_000, columns: 6 },
    noise: { rows: 2_000, columns: 6 },
    patch: { rows: 9_800, columns: 6 },
    mix: { rows: 1_000, columns: 6 },
  });
  assert.deepEqual(answer.targets, { test: { rows: 1_500, columns: 1 }, train: { rows: 2_000, columns: 1 } });
  for (const part of ['test', 'train'] as const) {
    const { values } = await readIdx(labels(part).path);
    assert.deepEqual(floats(`targets-${part}`), Float32Array.from(values));
    const outputs = { ...answer.sets[part]!, values: floats(part) };
    const { accuracy, logLoss } = measureClasses(outputs, values);
    assert.ok(accuracy > 0.8, `${part}: ${accuracy}`);
    if (part === 'test') assert.deepEqual([answer.metric!.value, answer.logLoss], [accuracy, logLoss]);
  }
  assert.deepEqual(answer.slices, { rows: 1_500, columns: 1 });
  assert.deepEqual(floats('slices'), floats('targets-test'));
});

test('training data that is not declared is not asked', async () => {
  const answer = await evaluate({ train: null });
  assert.deepEqual(Object.keys(answer.sets), ['test', 'noise', 'patch', 'mix']);
  assert.deepEqual(Object.keys(answer.targets), ['test']);
});

test('data that does not fit is refused by what is wrong with it', async () => {
  const refusals: [Partial<StatisticalRequest>, RegExp][] = [
    [{ test: { inputs: images('test'), targets: labels('train') } }, /2000 answers for 1500 records/],
    [{ train: { inputs: images('train'), targets: labels('test') } }, /1500 answers for 2000 records/],
    [{ slices: labels('train') }, /2000 x 1 slices for 1500 records/],
    [
      { test: { inputs: { ...images('test'), recordShape: [65] }, targets: labels('test') } },
      /64 values.*not 65/,
    ],
    [
      { train: { inputs: { ...images('train'), recordShape: [8, 8] }, targets: labels('train') } },
      /shape 8x8/,
    ],
    [
      { test: { inputs: images('test'), targets: { ...labels('test'), scale: 0.5 } } },
      /is \d\.5; the model has 6/,
    ],
    [
      { test: { inputs: images('test'), targets: images('test') } },
      /64 numbers an answer, the model needs 1/,
    ],
    [
      { test: { inputs: { ...images('test'), path: join(room, 'absent') }, targets: labels('test') } },
      /ENOENT/,
    ],
  ];
  for (const [wrong, sentence] of refusals) assert.match((await evaluate(wrong)).refused!, sentence);
});

test('npy and csv give what idx gives; vectors and numbers have their own metrics', async () => {
  const pixels = await readIdx(images('test').path);
  const rows = 300;
  const inputs = csv('inputs.csv', 64, pixels.values.subarray(0, rows * 64));
  const targets = Float32Array.from({ length: rows * 6 }, (_, i) => ((i * 7) % 11) / 10);
  const data = { inputs: { ...inputs, scale: 1 / 255 }, targets: npy('targets.npy', [rows, 6], targets) };
  const of = (task: StatisticalRequest['task'], metric: string) =>
    evaluate({ task, metric, test: data, train: null });

  const vector = await of('probability-vector', 'cross-entropy');
  assert.deepEqual([vector.refused, vector.faults], [null, []]);
  const outputs = floats('test');
  assert.deepEqual(vector.targets.test, { rows, columns: 6 });
  assert.deepEqual(floats('targets-test'), targets);
  const mean = (of: (output: number, target: number) => number) =>
    outputs.reduce((sum, output, i) => sum + of(output, targets[i]!), 0) / outputs.length;
  const near = (a: number, b: number) => assert.ok(Math.abs(a - b) < 1e-6 * b, `${a} is not ${b}`);
  near(
    vector.metric!.value,
    mean((q, p) => -p * Math.log(Math.max(q, 1e-12)) - (1 - p) * Math.log(Math.max(1 - q, 1e-12))),
  );
  assert.equal(vector.logLoss, vector.metric!.value);
  assert.equal(vector.classExamples, undefined);
  const squared = (await of('regression', 'mean-squared-error')).metric!;
  near(
    squared.value,
    mean((a, b) => (a - b) ** 2),
  );
  near(
    (await of('regression', 'mean-absolute-error')).metric!.value,
    mean((a, b) => Math.abs(a - b)),
  );
  const root = await of('regression', 'root-mean-squared-error');
  near(root.metric!.value ** 2, squared.value);
  assert.equal(root.logLoss, null);

  // The same records by idx.
  await evaluate({ train: null });
  assert.deepEqual(floats('test').subarray(0, rows * 6), outputs);
});

test('answers outside 0..1, of another width, and tasks without outputs are refused', async () => {
  const rows = 1_500;
  const wide = npy('wide.npy', [rows, 5], new Float32Array(rows * 5));
  const loud = npy('loud.npy', [rows, 6], new Float32Array(rows * 6).fill(1.5));
  const holes = npy('holes.npy', [rows, 6], new Float32Array(rows * 6).fill(Number.NaN));
  const of = (task: StatisticalRequest['task'], targets: DataFile) =>
    evaluate({ task, metric: null, train: null, test: { inputs: images('test'), targets } });
  assert.match((await of('regression', wide)).refused!, /5 numbers an answer, the model needs 6/);
  assert.match((await of('probability-vector', loud)).refused!, /record 0 is 1\.5; probabilities lie within/);
  assert.match((await of('regression', holes)).refused!, /record 0 is NaN; numbers are finite/);
  assert.match((await of('embedding', wide)).refused!, /judged by their bytes/);
});

test('a gnubg file is asked as a vector of probabilities, by the net that takes the records', async () => {
  let value = 0;
  const draw = () => {
    value = (value * 31 + 7) % 101;
    return (value - 50) / 50;
  };
  const sizes = Array.from(
    { length: 6 },
    (_, i) => [i === 1 ? 64 : 20 + i, 6, 5] as [number, number, number],
  );
  const file = gnubgBinaryBytes(gnubgNets(sizes, draw));
  const rows = 1_500;
  const targets = npy('five.npy', [rows, 5], new Float32Array(rows * 5).fill(0.5));
  const asked = {
    task: 'probability-vector',
    metric: 'cross-entropy',
    test: { inputs: images('test'), targets },
    train: null,
  } as const;
  const answer = await evaluate(asked, file);
  assert.deepEqual([answer.refused, answer.faults, answer.quantised], [null, [], false]);
  assert.deepEqual(answer.sets.test, { rows, columns: 5 });
  const outputs = floats('test');
  const loss = outputs.reduce((sum, q) => sum - (Math.log(q) + Math.log(1 - q)) / 2, 0) / outputs.length;
  assert.ok(Math.abs(answer.metric!.value - loss) < 1e-6);
  assert.match(
    (await evaluate({ ...asked, net: 'contact' }, file)).refused!,
    /net contact does not take.*64/,
  );
  assert.match(
    (await evaluate({ net: 'race' })).refused!,
    /holds no net race: it is a file of the format onnx/,
  );
});
