import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { areProbabilities, countClasses, countNotFinite, measureClasses, softmaxRows } from './measure.ts';
import { readOnnx } from './onnx/model.ts';
import { ModelFault } from './onnx/wire.ts';
import { openModel } from './predict.ts';
import { heldRecords } from './records.ts';

const tinyPath = fileURLToPath(new URL('../../../../examples/tiny/models/tiny.onnx', import.meta.url));
const tiny = readFileSync(tinyPath);
const ortFolder = dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
const room = mkdtempSync(join(tmpdir(), 'retrain-predict-'));
after(() => rmSync(room, { recursive: true, force: true }));

const open = (name: string, file: Buffer) => {
  const path = join(room, name);
  writeFileSync(path, file);
  return openModel(path, readOnnx(file), ortFolder);
};
const records = (rows: number, shape = [64]) =>
  heldRecords(
    shape,
    Float32Array.from({ length: rows * shape.reduce((a, b) => a * b) }, (_, i) => (i % 17) / 16),
  );

test('the same file gives the same numbers, whatever the batches', async () => {
  const first = await (await open('a.onnx', tiny))(records(1_100));
  const second = await (await open('b.onnx', tiny))(records(1_100));
  assert.deepEqual([first.rows, first.columns], [1_100, 6]);
  assert.deepEqual(first.values, second.values);
  assert.ok(areProbabilities(first));
  const one = await (await open('c.onnx', tiny))(records(1));
  assert.deepEqual(one.values, first.values.slice(0, 6));
  // Flat records may be asked as images, where the model takes flat ones.
  assert.deepEqual((await (await open('d.onnx', tiny))(records(1, [8, 8]))).values, one.values);
});

test('an operator that nobody knows, and records of another length, are told by name', async () => {
  const unknown = Buffer.from(tiny);
  unknown.write('Xelu', unknown.indexOf('Relu'));
  await assert.rejects(
    open('x.onnx', unknown),
    (fault: Error) => fault instanceof ModelFault && /onnxruntime refuses it: .*Xelu/.test(fault.message),
  );
  await assert.rejects(
    (await open('e.onnx', tiny))(records(2, [63])),
    /takes records of shape 64, the data has 63/,
  );
});

test('NaN in the weights comes out and is counted', async () => {
  const poisoned = Buffer.from(tiny);
  // The first raw float block of any length: its values become NaN.
  const model = readOnnx(poisoned);
  const weights = model.graph.tensors.find(({ bytes }) => bytes.length > 1_000)!;
  const at = poisoned.indexOf(Buffer.from(weights.bytes));
  for (let i = 0; i < weights.bytes.length; i += 4) poisoned.writeFloatLE(Number.NaN, at + i);
  const { values } = await (await open('nan.onnx', poisoned))(records(3));
  assert.ok(countNotFinite(values) > 0);
});

test('accuracy, log loss and softmax of a worked example', () => {
  const scores = { rows: 2, columns: 3, values: Float32Array.from([0, 0, Math.log(2), 5, 5, 5]) };
  assert.equal(areProbabilities(scores), false);
  softmaxRows(scores);
  assert.ok(areProbabilities(scores));
  const { accuracy, logLoss } = measureClasses(scores, [2, 1]);
  assert.equal(accuracy, 0.5); // 2 of row 0 is right; a tie goes to class 0, which is wrong.
  assert.ok(Math.abs(logLoss - (Math.log(2) + Math.log(3)) / 2) < 1e-6);
  const sure = { rows: 1, columns: 2, values: Float32Array.from([1, 0]) };
  assert.ok(Math.abs(measureClasses(sure, [1]).logLoss - Math.log(1e12)) < 1e-9);
});

test('classes are counted: how many are there, and which is rarest', () => {
  assert.deepEqual(countClasses([3, 1, 3, 1, 3], 5), {
    classes: 5,
    present: 2,
    rarest: { class: 1, examples: 2 },
  });
  assert.deepEqual(countClasses([], 2), { classes: 2, present: 0, rarest: null });
});
