// The written file against onnxruntime, and what is refused.
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { openEngine } from '../engine/engines.ts';
import { dense } from '../layers.ts';
import { generator } from '../random.ts';
import * as tf from '../tf.ts';
import { onnxBytes, saveOnnx } from './write.ts';

const folder = await mkdtemp(join(tmpdir(), 'retraind-test-'));
before(async () => {
  process.env.RETRAIN_SEED = '7';
  process.env.RETRAIN_OUT = folder;
  await openEngine('wasm');
});
after(() => rm(folder, { recursive: true, force: true }));

const next = generator(1, 'test');

/** Gives every bias a value: zeros would hide a bias that is not written. */
const stir = (model: tf.Sequential): tf.Sequential => {
  for (const layer of model.layers) {
    layer.setWeights(
      layer.getWeights().map((weight) => tf.add(weight, tf.randomUniform(weight.shape, -0.5, 0.5))),
    );
  }
  return model;
};

const nets: Record<string, () => tf.Sequential> = {
  'relu, softmax': () =>
    tf.sequential({ layers: [dense(128, 'relu', { inputs: 784 }), dense(10, 'softmax')] }),
  'sigmoid, linear': () =>
    tf.sequential({ layers: [dense(9, 'sigmoid', { inputs: 20 }), dense(3, 'linear')] }),
  'tanh alone': () => tf.sequential({ layers: [dense(5, 'tanh', { inputs: 4 })] }),
  'no bias': () =>
    tf.sequential({
      layers: [
        tf.layers.dense({ units: 6, inputShape: [4], useBias: false, activation: 'relu' }),
        dense(2, 'softmax'),
      ],
    }),
  'an input layer of its own': () =>
    tf.sequential({ layers: [tf.layers.inputLayer({ inputShape: [4] }), dense(3, 'softmax')] }),
};

for (const [name, make] of Object.entries(nets)) {
  test(`onnxruntime gives what tfjs gives, to 1e-5: ${name}`, async () => {
    const model = stir(make());
    const columns = model.inputs[0]!.shape[1]!;
    const rows = 17;
    const x = Float32Array.from({ length: rows * columns }, () => next());
    const session = await InferenceSession.create(await onnxBytes(model), { intraOpNumThreads: 1 });
    assert.deepEqual([session.inputNames, session.outputNames], [['input'], ['output']]);
    const { output } = await session.run({ input: new Tensor('float32', x, [rows, columns]) });
    const expected = model.predict(tf.tensor2d(x, [rows, columns])) as tf.Tensor;
    assert.deepEqual(output!.dims, expected.shape);
    const found = output!.data as Float32Array;
    (await expected.data()).forEach((value: number, at: number) => {
      assert.ok(Math.abs(value - found[at]!) < 1e-5, `value ${at}: ${found[at]} for ${value}`);
    });
  });
}

test('a layer, an activation and a value that cannot be written are named', async () => {
  const dropout = tf.sequential({
    layers: [dense(4, 'relu', { inputs: 4 }), tf.layers.dropout({ rate: 0.5 })],
  });
  await assert.rejects(onnxBytes(dropout), /layer 'dropout_\S+' is a Dropout, which is not supported/);
  const elu = tf.sequential({
    layers: [tf.layers.dense({ name: 'odd', units: 2, inputShape: [2], activation: 'elu' })],
  });
  await assert.rejects(onnxBytes(elu), /layer 'odd' has the activation 'elu'/);
  const broken = tf.sequential({ layers: [dense(1, 'softmax', { inputs: 2 })] });
  broken.layers[0]!.setWeights([tf.tensor2d([1, Number.NaN], [2, 1]), tf.zeros([1])]);
  await assert.rejects(onnxBytes(broken), /value 1 of dense_\d+_kernel is not finite/);
});

test('the file is whole or absent, and stays below $RETRAIN_OUT', async () => {
  const model = nets['tanh alone']!();
  await saveOnnx(model, 'model.onnx');
  assert.deepEqual(await readdir(folder), ['model.onnx']);
  await assert.rejects(saveOnnx(model, '../model.onnx'), /leaves its folder/);
  await assert.rejects(saveOnnx(model, 'absent/model.onnx'), /ENOENT/);
});
