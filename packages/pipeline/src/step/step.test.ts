import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { openEngine } from '../engine/engines.ts';
import { RecipeFault } from '../fault.ts';
import * as tf from '../tf.ts';
import { rolledBack } from './rollback.ts';
import { compileStep, eagerStep, type StepOptions } from './step.ts';

before(() => openEngine('cpu'));

const line = (): StepOptions<'predict'> & { slope: tf.Variable } => {
  const slope = tf.variable(tf.scalar(0.5));
  return {
    slope,
    optimizer: tf.train.sgd(0.1),
    variables: [slope],
    loss: ({ x, y }) => tf.mean(tf.square(tf.sub(tf.mul(x!, slope), y!))) as tf.Scalar,
    functions: { predict: ({ x }) => tf.mul(x!, slope) },
    hold: { x: { shape: [3, 1], values: new Float32Array([1, 2, 3]) } },
  };
};
const y = { shape: [2, 1], values: new Float32Array([2, 6]) };
const x = { rows: new Int32Array([0, 2]) };

test('a step answers the loss before it, moves the weights, and takes another rate', async () => {
  const options = line();
  const step = compileStep(options);
  assert.equal(step.mode, 'eager');
  assert.match(step.reason!, /'cpu' has no compiled step/);
  // loss = ((0.5 - 2)² + (1.5 - 6)²) / 2; gradient = -1·1.5 + -3·4.5 = -15
  assert.equal(await step.train({ x, y }), 11.25);
  assert.equal((await options.slope.data())[0], 2);
  assert.deepEqual([...(await step.call('predict', { x })).values], [2, 6]);
  step.setLearningRate(0);
  assert.equal(await step.train({ x, y }), 0);
  await assert.rejects(step.train({ x: { rows: new Int32Array([3, 0]) }, y }), RecipeFault);
  await assert.rejects(step.train({ x, y: { rows: new Int32Array([0]) } }), /holds no set 'y'/);
});

test('nothing is left behind by a step', async () => {
  const step = eagerStep(line());
  await step.train({ x, y });
  const { numTensors } = tf.memory();
  await step.train({ x, y });
  await step.call('predict', { x });
  assert.equal(tf.memory().numTensors, numTensors);
});

test('what is rolled back is as it was, slots made meanwhile too', () => {
  const weight = tf.variable(tf.tensor1d([1, 2]));
  const other = tf.variable(tf.tensor1d([7]));
  const optimizer = tf.train.adagrad(0.5, 0.25);
  const step = (): tf.Scalar => tf.sum(tf.square(weight)) as tf.Scalar;
  const { written } = rolledBack(() => optimizer.minimize(step, false, [weight]));
  assert.deepEqual([...weight.dataSync()], [1, 2]);
  assert.deepEqual([written.has(weight.name), written.has(other.name), written.size], [true, false, 2]);
  const slots = optimizer as unknown as { accumulatedGrads: { variable: tf.Variable }[] };
  assert.deepEqual([...slots.accumulatedGrads[0]!.variable.dataSync()], [0.25, 0.25]);
});
