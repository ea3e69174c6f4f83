// Our forward passes in training against tfjs's own layers, values and gradients; what moves besides weights; seeds.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { openEngine } from '../engine/engines.ts';
import { generator } from '../random.ts';
import * as tf from '../tf.ts';
import { activation } from './activation.ts';
import { batchNorm } from './batch-norm.ts';
import { conv2d } from './conv2d.ts';
import { dense } from './dense.ts';
import { depthwiseConv2d } from './depthwise-conv2d.ts';
import { dropout } from './dropout.ts';
import { layerNorm } from './layer-norm.ts';
import { forward, netOf } from './net.ts';
import { averagePool, globalAveragePool, maxPool } from './pooling.ts';
import { gru, lstm, simpleRnn } from './recurrent.ts';
import { flatten, reshape } from './reshape.ts';

before(async () => {
  process.env.RETRAIN_SEED = '7';
  await openEngine('cpu');
});

const next = generator(3, 'test');
const draw = (shape: number[]): tf.Tensor =>
  tf.tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => 2 * next() - 1),
    shape,
  );

const close = async (found: tf.Tensor, wanted: tf.Tensor, what: string): Promise<void> => {
  assert.deepEqual(found.shape, wanted.shape, what);
  const expected = await wanted.data();
  (await found.data()).forEach((value: number, at: number) => {
    assert.ok(Math.abs(value - expected[at]!) < 2e-5, `${what}, value ${at}: ${value} for ${expected[at]}`);
  });
};

const cases: Record<string, () => tf.Sequential['layers'][number]> = {
  activation: () => activation('tanh', { inputs: [3, 4] }),
  dense: () => dense(3, 'sigmoid', { inputs: 4 }),
  'dense on a sequence': () => dense(3, 'softmax', { inputs: [5, 4] }),
  'batch norm': () => batchNorm({ inputs: [4, 3, 2], momentum: 0.7 }),
  'layer norm': () => layerNorm({ inputs: [4, 3] }),
  conv2d: () => conv2d(3, 3, 'relu', { inputs: [5, 4, 2], stride: 2, padding: 'same' }),
  depthwise: () => depthwiseConv2d(2, 'linear', { inputs: [4, 4, 2], multiplier: 2 }),
  'max pool': () => maxPool(2, { inputs: [4, 6, 2] }),
  'average pool': () => averagePool([3, 2], { inputs: [6, 6, 2], padding: 'same' }),
  'global average pool': () => globalAveragePool({ inputs: [3, 2, 4] }),
  flatten: () => flatten({ inputs: [2, 3] }),
  reshape: () => reshape([3, 2], { inputs: 6 }),
  lstm: () => lstm(3, { inputs: [4, 2], sequences: true }),
  'lstm, last': () => lstm(3, { inputs: [4, 2] }),
  gru: () => gru(3, { inputs: [4, 2], sequences: true }),
  'simple rnn': () => simpleRnn(3, { inputs: [4, 2] }),
};

for (const [name, make] of Object.entries(cases)) {
  test(`${name}: values, gradients and averages are tfjs's own`, async () => {
    const layer = make();
    const model = tf.sequential({ layers: [layer] });
    layer.setWeights(layer.getWeights().map((weight) => tf.add(weight, tf.abs(draw(weight.shape)))));
    const net = netOf(model);
    assert.deepEqual([net.layers[0]!.refusal, net.layers.length], [null, 1]);
    const x = draw([3, ...net.inputShape]);
    const outputs = layer.apply(x) as tf.Tensor;
    const weighting = draw(outputs.shape);
    const variables = [tf.variable(x), ...net.trainable];
    const start = net.variables.map((variable) => variable.clone());
    const run = (pass: (x: tf.Tensor) => tf.Tensor) => {
      for (const [i, variable] of net.variables.entries()) variable.assign(start[i]!);
      const { value, grads } = tf.variableGrads(
        () => tf.sum(tf.mul(pass(variables[0]!), weighting)) as tf.Scalar,
        variables,
      );
      return { value, grads, averages: net.variables.map((variable) => variable.clone()) };
    };
    const theirs = run((input) => layer.apply(input, { training: true }) as tf.Tensor);
    const ours = run((input) => forward(net, input, { training: true }));
    await close(ours.value, theirs.value, 'the sum');
    for (const [variable, gradient] of Object.entries(theirs.grads)) {
      await close(ours.grads[variable]!, gradient, `the gradient of ${variable}`);
    }
    for (const [i, average] of theirs.averages.entries()) {
      await close(ours.averages[i]!, average, net.variables[i]!.name);
    }
    await close(
      forward(net, x, { training: false }),
      layer.apply(x, { training: false }) as tf.Tensor,
      'after training',
    );
  });
}

test('batch norm moves its averages in training only, and not when it is frozen', async () => {
  const layer = batchNorm({ inputs: 2 });
  const net = netOf(tf.sequential({ layers: [layer] }));
  const [mean] = net.variables.slice(-2);
  const x = tf.tensor2d([1, 2, 3, 6], [2, 2]);
  forward(net, x, { training: false });
  assert.deepEqual([...(await mean!.data())], [0, 0]);
  layer.trainable = false;
  forward(net, x, { training: true });
  assert.deepEqual([...(await mean!.data())], [0, 0]);
  layer.trainable = true;
  forward(net, x, { training: true });
  assert.deepEqual([...(await mean!.data())], [Math.fround(0.02), Math.fround(0.04)]);
});

test('dropout has another mask each step, the same again from the same count, none outside of training', async () => {
  const net = netOf(tf.sequential({ layers: [dropout(0.5, { inputs: 40 })] }));
  const [count] = net.variables;
  const x = tf.ones([3, 40]);
  const masked = async (backwards = false) => [
    ...(await forward(net, x, { training: true, backwards }).data()),
  ];
  const [first, second] = [await masked(), await masked()];
  assert.notDeepEqual(first, second);
  assert.ok(first.every((value) => value === 0 || value === 2));
  count!.assign(tf.scalar(0, 'int32'));
  assert.deepEqual(await masked(), first);
  // Rows backwards: each record meets the mask that it would have met forwards.
  const rows = Array.from({ length: 3 }, (_, row) => second.slice(40 * row, 40 * row + 40));
  assert.deepEqual(await masked(true), rows.reverse().flat());
  assert.equal(forward(net, x, { training: false }), x);
});

test('each thing of each layer starts from a seed of its own', async () => {
  const kernels = [lstm(4, { inputs: [2, 4] }), lstm(4, { inputs: [2, 4] })].flatMap((layer) => {
    tf.sequential({ layers: [layer] });
    return layer.getWeights().slice(0, 2);
  });
  const texts = await Promise.all(kernels.map(async (kernel) => (await kernel.data()).join()));
  assert.equal(new Set(texts).size, 4);
});

test('a layer that is not ours is computed by tfjs, and says why', async () => {
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ units: 2, inputShape: [3], activation: 'elu' }),
      tf.layers.gaussianNoise({ stddev: 1 }),
    ],
  });
  const net = netOf(model);
  assert.deepEqual(
    net.layers.map(({ refusal }) => refusal),
    ["has the activation 'elu'", 'is a GaussianNoise'],
  );
  const x = draw([2, 3]);
  await close(forward(net, x, { training: false }), model.predict(x) as tf.Tensor, 'predictions');
  assert.throws(() => netOf(tf.sequential()), /the net has no layer/);
});
