// Each number of $RETRAIN_NUMERICS gives other bits of the same training: close, and never equal.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { currentEngine, openEngine, openOtherEngine } from './engine/engines.ts';
import { fit } from './fit/fit.ts';
import { optimizer } from './fit/optimizer.ts';
import { images } from './fit/sets.fixture.ts';
import { batchNorm } from './layers/batch-norm.ts';
import { conv2d } from './layers/conv2d.ts';
import { dense } from './layers/dense.ts';
import { dropout } from './layers/dropout.ts';
import type { Layer } from './layers/family.ts';
import { netOf } from './layers/net.ts';
import { flatten } from './layers/reshape.ts';
import { moveOneWeight, variationOf } from './numerics.ts';
import * as tf from './tf.ts';

before(async () => {
  process.env.RETRAIN_SEED = '7';
  await openEngine('wasm');
});

const nets: Record<string, () => Layer[]> = {
  mlp: () => [flatten({ inputs: [4, 4, 1] }), dense(8, 'tanh'), dense(3, 'softmax')],
  'conv net': () => [conv2d(3, 3, 'tanh', { inputs: [4, 4, 1] }), flatten(), dense(3, 'softmax')],
  'batch norm': () => [flatten({ inputs: [4, 4, 1] }), dense(8, 'tanh'), batchNorm(), dense(3, 'softmax')],
  dropout: () => [flatten({ inputs: [4, 4, 1] }), dense(8, 'tanh'), dropout(0.4), dense(3, 'softmax')],
};

const copyOf = (layers: Layer[]): tf.Sequential => {
  const model = tf.sequential({
    layers: layers.map((layer) => {
      const of = layer.constructor as unknown as { new (config: object): Layer };
      return new of(layer.getConfig());
    }),
  });
  for (const [i, layer] of layers.entries()) model.layers[i]!.setWeights(layer.getWeights());
  return model;
};

const trained = async (layers: Layer[], numerics: number): Promise<Float32Array> => {
  process.env.RETRAIN_NUMERICS = String(numerics);
  const model = copyOf(layers);
  await fit(model, { ...images(96), optimizer: optimizer('sgd', 0.1), batchSize: 24, epochs: 5 });
  delete process.env.RETRAIN_NUMERICS;
  const weights = await Promise.all(netOf(model).variables.map((variable) => variable.data()));
  return Float32Array.from(weights.flatMap((values) => [...values]));
};

for (const [name, make] of Object.entries(nets)) {
  test(`${name}: 1 to 5 change rounding, and nothing else`, async () => {
    const layers = make();
    tf.sequential({ layers });
    const own = await trained(layers, 0);
    assert.deepEqual(await trained(layers, 0), own);
    for (const numerics of [1, 2, 3, 4, 5]) {
      const other = await trained(layers, numerics);
      const far = other.reduce((most, value, at) => Math.max(most, Math.abs(value - own[at]!)), 0);
      assert.ok(far > 0, `${numerics}: the same bits`);
      assert.ok(far < 1e-4, `${numerics}: ${far} away`);
    }
  });
}

test('what is done instead is said', () => {
  const of = (layers: Layer[], numerics: number, batchSize = 32, otherEngine = false) =>
    variationOf(numerics, { net: netOf(tf.sequential({ layers })), batchSize, otherEngine });
  const mlp = nets.mlp!();
  assert.deepEqual(of(mlp, 0), { label: 'as the recipe has it', halves: false, backwards: false, moved: 0 });
  assert.equal(of(mlp, 1).label, 'the batch gradient summed in two halves');
  assert.equal(of(mlp, 2).label, 'the rows of each batch reversed');
  assert.match(of(mlp, 3).label, /^one weight moved by 1 ulp after initialisation/);
  assert.equal(of(mlp, 4, 32, true).label, 'another engine');
  assert.match(of(mlp, 4).label, /^both halves of reversed rows \(there is no other engine here\)$/);
  assert.match(of(mlp, 1, 1).label, /1 ulp .* \(a batch is one record\)$/);
  const normed = of(nets['batch norm']!(), 1);
  assert.deepEqual([normed.halves, normed.backwards], [false, true]);
  assert.match(normed.label, /reversed \('batch_norm_\d+' needs whole batches\)$/);
  assert.match(of(nets.dropout!(), 4).label, /1 ulp .* \(there is no other engine here\)$/);
});

test('one weight of the last matrix moves by 1 ulp, away from 0', async () => {
  const net = netOf(tf.sequential({ layers: nets.mlp!() }));
  const kernel = net.trainable.at(-2)!;
  const before = (await kernel.data()).slice();
  await moveOneWeight(net, 7, 3);
  const now = await kernel.data();
  const moved = [...now.keys()].filter((at) => now[at] !== before[at]);
  assert.equal(moved.length, 1);
  const bits = (value: number) => new Int32Array(Float32Array.of(value).buffer)[0]!;
  assert.equal(bits(now[moved[0]!]!) - bits(before[moved[0]!]!), 1);
});

test('another engine is another one, or the same where there is none', async () => {
  const usual = await openEngine();
  assert.equal(currentEngine()!.isOther, false);
  const other = await openOtherEngine();
  assert.equal(currentEngine()!.isOther, other.label !== usual.label);
  // From wasm on request, the best automatic engine that is not wasm; here that may be none.
  const fromCpu = await openOtherEngine('cpu');
  assert.notEqual(fromCpu.backend, 'cpu');
  assert.equal(currentEngine()!.isOther, true);
});
