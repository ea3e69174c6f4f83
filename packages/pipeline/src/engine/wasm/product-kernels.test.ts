// Our product against the cpu backend: values and gradients, every pair of transposes, odd and batched shapes.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { generator } from '../../random.ts';
// With the layers, whose import registers the gradients.
import * as tf from '../../tf.ts';
import { openEngine } from '../engines.ts';

before(async () => {
  await openEngine('cpu');
  await openEngine('wasm');
});

const next = generator(1, 'test');
const values = (shape: number[]): Float32Array =>
  Float32Array.from({ length: shape.reduce((product, length) => product * length, 1) }, () => 2 * next() - 1);

/** Product and both gradients on one engine. */
async function productOn(
  engine: string,
  shapes: number[][],
  data: Float32Array[],
  turns: [boolean, boolean],
) {
  await openEngine(engine);
  const [a, b] = shapes.map((shape, i) => tf.tensor(data[i]!, shape));
  const tensors = tf.tidy(() => {
    const product = (x: tf.Tensor, y: tf.Tensor) => tf.matMul(x, y, ...turns);
    const { value, grads } = tf.valueAndGrads((x: tf.Tensor, y: tf.Tensor) =>
      tf.sum(tf.square(product(x, y))),
    )([a!, b!]);
    return [product(a!, b!), value, ...grads];
  });
  const results = await Promise.all(tensors.map((tensor) => tensor.data()));
  tf.dispose([a!, b!, ...tensors]);
  return results;
}

const shapes: [batchA: number[], batchB: number[], m: number, k: number, n: number][] = [
  [[], [], 1, 1, 1],
  [[], [], 3, 7, 5],
  [[], [], 1, 33, 2],
  [[], [], 33, 1, 17],
  [[], [], 128, 784, 10],
  [[3], [3], 4, 5, 6],
  [[2, 3], [2, 3], 5, 2, 3],
];

for (const [batchA, batchB, m, k, n] of shapes) {
  for (const turns of [
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ] as [boolean, boolean][]) {
    test(`[${batchA}|${m}x${k}] [${batchB}|${k}x${n}] transposed ${turns}`, async () => {
      const a = [...batchA, ...(turns[0] ? [k, m] : [m, k])];
      const b = [...batchB, ...(turns[1] ? [n, k] : [k, n])];
      const data = [values(a), values(b)];
      const expected = await productOn('cpu', [a, b], data, turns);
      const found = await productOn('wasm', [a, b], data, turns);
      for (const [i, want] of expected.entries()) {
        const scale = Math.max(1, ...Array.from(want, Math.abs));
        want.forEach((value: number, at: number) => {
          assert.ok(
            Math.abs(value - found[i]![at]!) < 1e-5 * scale,
            `result ${i}, value ${at}: ${found[i]![at]}`,
          );
        });
      }
    });
  }
}

test('a step leaves no tensor behind', async () => {
  await openEngine('wasm');
  const before = tf.memory().numTensors;
  await productOn(
    'wasm',
    [
      [3, 4],
      [5, 3],
    ],
    [values([3, 4]), values([5, 3])],
    [true, true],
  );
  assert.equal(tf.memory().numTensors, before);
});

test('factors that do not fit together are refused, and nothing is read past their ends', async () => {
  await openEngine('wasm');
  const [a, b] = [tf.zeros([2, 3]), tf.zeros([2, 3])];
  assert.throws(() => tf.matMul(a, b), /inner shapes/);
  tf.dispose([a, b]);
});
