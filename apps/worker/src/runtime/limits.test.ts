// Models and data that nobody sends by accident: each has an outcome that is told, and none ends the evaluator.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StatisticalRequest } from './evaluation.ts';
import { evaluate, floats, npy } from './evaluator.fixture.ts';
import { bytes, integer, node, onnxBytes } from './formats/samples.ts';
import { graphBytes, type SampleNode } from './importer/graph.fixture.ts';

const rows = 40;
/** 40 records of 64 numbers; classes 0 and 1 in turn. */
const inputs = npy(
  'few.npy',
  [rows, 64],
  Float32Array.from({ length: rows * 64 }, (_, i) => (i % 13) / 13),
);
const targets = npy(
  'classes.npy',
  [rows],
  Float32Array.from({ length: rows }, (_, i) => i % 2),
);
const few: Partial<StatisticalRequest> = { test: { inputs, targets }, train: null };

const ask = (nodes: SampleNode[], more: Partial<StatisticalRequest> = {}) =>
  evaluate({ ...few, ...more }, graphBytes([64], nodes));

const zeros = new Float32Array(64 * 3);
const classes: SampleNode = { op: 'MatMul', constants: [{ shape: [64, 3], values: zeros }] };

test('a million outputs a record are refused with the number', async () => {
  const { refused } = await ask([{ op: 'Tile', constants: [{ shape: [2], integers: [1, 15_625] }] }]);
  assert.match(refused!, /gives 1000000 outputs for each of 40 records; at most 262144 a record/);
});

test('a constant model has evidence like any other', async () => {
  const answer = await ask([classes, { op: 'Softmax' }]);
  assert.deepEqual([answer.refused, answer.faults], [null, []]);
  assert.ok(floats('noise').every((value) => Math.abs(value - 1 / 3) < 1e-6));
  assert.equal(answer.metric!.value, 0.5);
  assert.deepEqual(answer.classExamples, { classes: 3, present: 2, rarest: { class: 0, examples: 20 } });
});

test('a model that draws random numbers is refused: it has no evidence that another evaluation would find', async () => {
  const { refused } = await ask([classes, { op: 'RandomNormalLike' }]);
  assert.match(refused!, /draws random numbers \(operator RandomNormalLike\)/);
});

test('NaN and infinity are counted, set by set, and there is no metric', async () => {
  const values = new Float32Array(64 * 3).fill(Number.NaN, 0, 1);
  const answer = await ask([{ op: 'MatMul', constants: [{ shape: [64, 3], values }] }]);
  assert.equal(answer.refused, null);
  assert.deepEqual([answer.metric, answer.logLoss], [null, null]);
  assert.match(answer.faults[0]!, /^it gives NaN or infinity in 40 of 120 outputs on the test set$/);
  assert.equal(answer.faults.length, 4);
  assert.equal(answer.weightNorm, undefined);
});

test('scores of a vector of probabilities are a fault, not a verdict by accident', async () => {
  const values = new Float32Array(64 * 3).fill(2);
  const three = npy('three.npy', [rows, 3], new Float32Array(rows * 3).fill(0.5));
  const more = {
    task: 'probability-vector',
    metric: 'cross-entropy',
    test: { inputs, targets: three },
  } as const;
  const answer = await ask([{ op: 'MatMul', constants: [{ shape: [64, 3], values }] }], more);
  assert.match(answer.faults[0]!, /^it gives \d+\.\d+, which is no probability .* on the test set$/);
  assert.equal(answer.metric, null);
});

test('two inputs, two outputs, no float output, and tensors named alike are told', async () => {
  const info = (field: number, name: string, type = 1) =>
    bytes(field, bytes(1, name), bytes(2, bytes(1, integer(1, type))));
  const graph = (...fields: Buffer[]) =>
    Buffer.concat([
      integer(1, 8),
      bytes(7, bytes(2, 'g'), ...fields),
      bytes(8, bytes(1, ''), integer(2, 14)),
    ]);
  const refusals: [Buffer, RegExp][] = [
    [graph(node('Add', ['a', 'b'], 'out'), info(11, 'a'), info(11, 'b'), info(12, 'out')), /2 inputs/],
    [
      graph(node('Relu', ['a'], 'x'), node('Relu', ['a'], 'y'), info(11, 'a'), info(12, 'x'), info(12, 'y')),
      /2 float32 outputs/,
    ],
    [graph(node('Shape', ['a'], 'out'), info(11, 'a'), info(12, 'out', 7)), /0 float32 outputs/],
    [
      onnxBytes([
        { name: 'w', shape: [1], values: [1] },
        { name: 'w', shape: [1], values: [2] },
      ]),
      /two tensors named "w"/,
    ],
  ];
  for (const [model, sentence] of refusals) assert.match((await evaluate(few, model)).refused!, sentence);
});

test('outputs of another number of rows, and records of another shape or width', async () => {
  const flat = await ask([{ op: 'Reshape', constants: [{ shape: [1], integers: [-1] }] }]);
  assert.match(flat.refused!, /its output "output" has the shape 64 for 1 records/);
  const narrow = { ...inputs, recordShape: [8, 8] };
  const square = await ask([{ op: 'Relu' }], { test: { inputs: narrow, targets } });
  assert.equal(square.refused, null);
  assert.deepEqual(square.sets.test, { rows, columns: 64 });
  const half = { ...npy('half.npy', [rows, 32], new Float32Array(rows * 32)) };
  const wide = await ask([classes], { test: { inputs: half, targets } });
  assert.match(wide.refused!, /takes records of shape 64, the data has 32/);
});
