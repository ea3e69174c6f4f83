import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openEngine } from './engine/engines.ts';
import { RecipeFault } from './fault.ts';
import { fit } from './fit/fit.ts';
import { optimizer } from './fit/optimizer.ts';
import { images } from './fit/sets.fixture.ts';
import { activation } from './layers/activation.ts';
import { batchNorm } from './layers/batch-norm.ts';
import { conv2d } from './layers/conv2d.ts';
import { dense } from './layers/dense.ts';
import { depthwiseConv2d } from './layers/depthwise-conv2d.ts';
import { dropout } from './layers/dropout.ts';
import { embedding } from './layers/embedding.ts';
import { layerNorm } from './layers/layer-norm.ts';
import { averagePool, globalAveragePool, maxPool } from './layers/pooling.ts';
import { gru, lstm, simpleRnn } from './layers/recurrent.ts';
import { flatten, reshape } from './layers/reshape.ts';
import { loadModel, modelBytes, modelFrom, saveModel } from './model-file.ts';
import { onnxBytes } from './onnx/write.ts';
import { decodeTensors, encodeTensors } from './tensor-file.ts';
import * as tf from './tf.ts';

const folder = await mkdtemp(join(tmpdir(), 'retraind-test-'));
before(async () => {
  process.env.RETRAIN_SEED = '7';
  process.env.RETRAIN_OUT = folder;
  await openEngine('wasm');
});
after(() => rm(folder, { recursive: true, force: true }));

const conv = () =>
  tf.sequential({
    layers: [
      conv2d(3, 3, 'linear', { inputs: [8, 8, 1], padding: 'same' }),
      batchNorm(),
      activation('relu'),
      maxPool(),
      depthwiseConv2d(2, 'relu'),
      averagePool(2, { stride: 1 }),
      globalAveragePool(),
      dropout(0.2),
      dense(3, 'softmax'),
    ],
  });
const nets: Record<string, () => tf.Sequential> = {
  conv,
  words: () =>
    tf.sequential({
      layers: [
        embedding(9, 4, { inputs: 6 }),
        lstm(5, { sequences: true }),
        gru(4, { sequences: true }),
        simpleRnn(3),
      ],
    }),
  shapes: () =>
    tf.sequential({ layers: [reshape([2, 3], { inputs: 6 }), layerNorm(), flatten(), dense(2, 'linear')] }),
};

for (const [name, make] of Object.entries(nets)) {
  test(`a saved net comes back with its bits: ${name}`, async () => {
    const model = make();
    await saveModel(model, `${name}.safetensors`);
    const back = await loadModel(join(folder, `${name}.safetensors`));
    assert.deepEqual(await modelBytes(back), await modelBytes(model));
    assert.deepEqual(await onnxBytes(back), await onnxBytes(model));
  });
}

test('training goes on from a loaded net as from the one that was saved', async () => {
  const model = conv();
  const bytes = await modelBytes(model);
  const all = { ...images(40, 1, [8, 8, 1]), batchSize: 16, epochs: 2 };
  const one = await fit(model, { ...all, optimizer: optimizer('adam', 0.01) });
  const back = modelFrom(bytes, 'x');
  const other = await fit(back, { ...all, optimizer: optimizer('adam', 0.01) });
  assert.deepEqual(other, one);
  assert.deepEqual(await onnxBytes(back), await onnxBytes(model));
});

test('what is no saved net is refused by name', async () => {
  const { tensors, json } = decodeTensors(await modelBytes(nets.shapes!()), 'x');
  const whole = json as {
    inputShape: unknown;
    layers: { className: string; config: Record<string, unknown> }[];
  };
  const changed = (change: (net: typeof whole) => void, kept = tensors): Buffer => {
    const copy = structuredClone(whole);
    change(copy);
    return Buffer.concat(encodeTensors(kept, copy));
  };
  const last = (net: typeof whole) => net.layers[3]!;
  const cases: [Buffer, RegExp][] = [
    [Buffer.from('no net'), /^x: 6 bytes are too few/],
    [Buffer.concat(encodeTensors([], null)), /^x: holds no net of this version/],
    [changed((net) => (net.layers = [])), /holds no net/],
    [changed((net) => (net.inputShape = [null])), /does not say the shape of a record/],
    [changed((net) => (net.inputShape = [2 ** 53])), /does not say the shape/],
    [
      changed((net) => (net.layers = [null as never])),
      /layer '\?' is a undefined, which is neither saved nor loaded/,
    ],
    [changed((net) => (last(net).className = 'constructor')), /is a constructor, which is neither/],
    [changed((net) => (last(net).className = 'GaussianNoise')), /is a GaussianNoise, which is neither/],
    // Without a guard this takes 24 GB before anything is compared.
    [
      changed((net) => (last(net).config.units = 1e9)),
      /wants kernel of shape 6x1000000000, the file has 6x2/,
    ],
    [changed((net) => (last(net).config.units = -1)), /tfjs makes no Dense of what the file says \(.*units/],
    [changed((net) => (last(net).config = null as never)), /tfjs makes no Dense/],
    [changed((net) => (last(net).config.activation = 'constructor')), /Dense|activation/],
    [changed((net) => (net.layers[0]!.config.targetShape = [5])), /layer 1 does not fit the one before it/],
    [changed(() => {}, tensors.slice(0, -1)), /wants bias of shape 2, the file has none/],
    [
      changed(() => {}, [...tensors, { ...tensors[0]!, name: '3/9/more' }]),
      /layer 3 has 2 weights, the file 3/,
    ],
    [
      changed(
        () => {},
        tensors.map((each) => ({ ...each, name: `${each.name}x` })),
      ),
      /there is no weight 1\/0\/\S+$/,
    ],
  ];
  for (const [bytes, message] of cases) {
    assert.throws(
      () => modelFrom(bytes, 'x'),
      (fault) => {
        assert.ok(fault instanceof RecipeFault, String((fault as Error).stack));
        assert.match(fault.message, message);
        return true;
      },
    );
  }
  const strange = tf.sequential({
    layers: [tf.layers.gaussianNoise({ name: 'hiss', stddev: 1, inputShape: [2] })],
  });
  await assert.rejects(
    modelBytes(strange),
    /layer 'hiss' is a GaussianNoise, which is neither saved nor loaded/,
  );
  await assert.rejects(loadModel(join(folder, 'absent')), /absent: cannot be read \(ENOENT\)/);
  await writeFile(join(folder, 'empty'), '');
  await assert.rejects(loadModel(join(folder, 'empty')), /empty: 0 bytes are too few/);
});
