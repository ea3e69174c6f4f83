// Trains a small conv net for real on the engine that is open, then compares a gradient with tfjs's plain JavaScript.
import assert from 'node:assert/strict';
import { generator, tf } from 'retrain-tfjs';

assert.equal(tf.getBackend(), 'tensorflow');
const next = generator(1, 'trial');
const rows = 64;
const values = Float32Array.from({ length: rows * 36 }, () => 2 * next() - 1);
// The label: whether the left half is brighter than the right one.
const kinds = Float32Array.from({ length: rows }, (_, row) => {
  const pixels = values.subarray(36 * row, 36 * row + 36);
  return pixels.reduce((sum, value, at) => sum + (at % 6 < 3 ? value : -value), 0) > 0 ? 1 : 0;
});
const draw = (shape) =>
  Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => 0.4 * (2 * next() - 1));
const shapes = [
  [3, 3, 1, 4],
  [64, 1],
];
const start = shapes.map(draw);

const lossOf = (x, y) => (filter, kernel) => {
  const seen = tf.reshape(tf.relu(tf.conv2d(x, filter, 1, 'valid')), [rows, 64]);
  return tf.losses.sigmoidCrossEntropy(y, tf.matMul(seen, kernel));
};

async function gradients() {
  const data = [tf.tensor4d(values, [rows, 6, 6, 1]), tf.tensor2d(kinds, [rows, 1])];
  const weights = start.map((numbers, i) => tf.tensor(numbers, shapes[i]));
  const { value, grads } = tf.valueAndGrads(lossOf(...data))(weights);
  return (await Promise.all([value, ...grads].map((tensor) => tensor.data()))).flatMap((part) => [...part]);
}

const here = await gradients();
await tf.setBackend('cpu');
const reference = await gradients();
await tf.setBackend('tensorflow');
here.forEach((number, at) => {
  assert.ok(Math.abs(number - reference[at]) < 1e-5, `value ${at} is ${number}, not ${reference[at]}`);
});

const x = tf.tensor4d(values, [rows, 6, 6, 1]);
const y = tf.tensor2d(kinds, [rows, 1]);
const variables = start.map((numbers, i) => tf.variable(tf.tensor(numbers, shapes[i])));
const optimizer = tf.train.adam(0.02);
const losses = [];
for (let step = 0; step < 150; step++) {
  const loss = optimizer.minimize(() => lossOf(x, y)(...variables), true, variables);
  losses.push((await loss.data())[0]);
  loss.dispose();
}
assert.ok(losses.at(-1) < losses[0] / 4, `the loss went from ${losses[0]} to ${losses.at(-1)} only`);
