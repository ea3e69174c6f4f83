// The own operations on every engine that opens here: the same masks bit for bit, rows and their gradients.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { engines, openEngine } from '../engine/engines.ts';
import * as tf from '../tf.ts';
import { dropoutCounter, seededDropout } from './dropout.ts';
import { rowGather } from './row-gather.ts';

/** What a dropout of [5, 7] ones gives in three steps, its gradient, and the counter after them. */
async function dropped(): Promise<number[][]> {
  const counter = dropoutCounter(`counter ${Math.random()}`);
  const x = tf.ones([5, 7]);
  const values: number[][] = [];
  for (let step = 0; step < 3; step++) {
    const { value, grad } = tf.valueAndGrad((input: tf.Tensor) =>
      seededDropout(input, 0.4, 2_000_000_011, counter),
    )(x);
    values.push([...(await value.data())], [...(await grad.data())]);
    tf.dispose([value, grad]);
  }
  values.push([...(await counter.data())]);
  tf.dispose([x, counter]);
  return values;
}

/** Rows of a small table and the gradient of their weighted sum. */
async function gathered(): Promise<number[][]> {
  const table = tf.tensor2d([1, 2, 3, 4, 5, 6, 7, 8], [4, 2]);
  const rows = tf.tensor2d([3, 0, 3, 3, 1, 0], [2, 3], 'int32');
  const weights = tf.tensor3d([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], [2, 3, 2]);
  const { value, grad } = tf.valueAndGrad((of: tf.Tensor) => tf.mul(rowGather(of, rows), weights))(table);
  assert.deepEqual(
    [value.shape, grad.shape],
    [
      [2, 3, 2],
      [4, 2],
    ],
  );
  const answers = [[...(await value.data())], [...(await grad.data())]];
  tf.dispose([table, rows, weights, value, grad]);
  return answers;
}

for (const engine of engines) {
  test(`${engine.name}: masks, rows and gradients`, async (context) => {
    await openEngine('cpu');
    const masks = await dropped();
    const rows = await gathered();
    // Row 3 was taken three times, row 0 twice, row 1 once, row 2 never.
    assert.deepEqual(rows[1], [3 + 11, 4 + 12, 9, 10, 0, 0, 1 + 5 + 7, 2 + 6 + 8]);
    const opened = await engine.open();
    if ('unavailable' in opened) return context.skip(`${engine.name}: ${opened.unavailable}`);
    const { numTensors } = tf.memory();
    assert.deepEqual(await dropped(), masks);
    assert.deepEqual(await gathered(), rows);
    assert.equal(tf.memory().numTensors, numTensors);
    const table = tf.ones([3, 1]);
    const outside = tf.tensor1d([3], 'int32');
    assert.throws(
      () => rowGather(table, outside),
      /row 3 of a table of 3|indices\[0\] = 3 is not in \[0, 3\)/,
    );
    assert.throws(() => rowGather(table, table), /int32/);
    tf.dispose([table, outside]);
  });
}

test('a mask changes at each step and does not depend on what ran before', async () => {
  await openEngine('cpu');
  const [first, , second] = await dropped();
  assert.notDeepEqual(first, second);
  assert.deepEqual((await dropped()).slice(0, 2), [first, first]);
  assert.deepEqual(new Set(first), new Set([0, Math.fround(1 / (1 - 0.4))]));
});
