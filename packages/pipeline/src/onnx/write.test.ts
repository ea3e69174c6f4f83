// The written file against onnxruntime, and what is refused.
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { checkOnnx, prepareOnnxChecker } from '../../../../tests/support/onnx-checker.ts';
import { openEngine } from '../engine/engines.ts';
import { dense } from '../layers/dense.ts';
import { forward, netOf } from '../layers/net.ts';
import { generator } from '../random.ts';
import * as tf from '../tf.ts';
import { nets, stir, tokenNets } from './nets.fixture.ts';
import { onnxBytes, saveOnnx } from './write.ts';

const folder = await mkdtemp(join(tmpdir(), 'retraind-test-'));
const checked = await mkdtemp(join(tmpdir(), 'retraind-test-'));
before(async () => {
  process.env.RETRAIN_SEED = '7';
  process.env.RETRAIN_OUT = folder;
  await openEngine('wasm');
});
after(() => Promise.all([folder, checked].map((each) => rm(each, { recursive: true, force: true }))));

const next = generator(1, 'test');

for (const [name, make] of Object.entries({ ...nets, ...tokenNets })) {
  test(`onnxruntime gives what tfjs gives, to 1e-5: ${name}`, async () => {
    const model = stir(make());
    const shape = [17, ...(model.inputs[0]!.shape.slice(1) as number[])];
    const x = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () =>
      name in tokenNets ? Math.floor(11 * next()) : 2 * next() - 1,
    );
    const session = await InferenceSession.create(await onnxBytes(model), { intraOpNumThreads: 1 });
    assert.deepEqual([session.inputNames, session.outputNames], [['input'], ['output']]);
    const { output } = await session.run({ input: new Tensor('float32', x, shape) });
    const expected = model.predict(tf.tensor(x, shape)) as tf.Tensor;
    assert.deepEqual(output!.dims, expected.shape);
    const ours = await forward(netOf(model), tf.tensor(x, shape), { training: false }).data();
    const found = output!.data as Float32Array;
    (await expected.data()).forEach((value: number, at: number) => {
      assert.ok(Math.abs(value - found[at]!) < 1e-5, `value ${at}: ${found[at]} for ${value}`);
      assert.ok(Math.abs(value - ours[at]!) < 1e-5, `value ${at}: forward gives ${ours[at]} for ${value}`);
    });
  });
}

for (const name of [
  'relu, softmax',
  'no bias',
  'a conv net',
  'depthwise, then pointwise',
  'an embedding, flat',
]) {
  test(`weights as int8 are those rounded to 127ths of the largest, and a quarter of the bytes: ${name}`, async () => {
    const model = stir({ ...nets, ...tokenNets }[name]!());
    const bytes = await onnxBytes(model, { weights: 'int8' });
    if (name === 'relu, softmax') assert.ok(bytes.length < (await onnxBytes(model)).length / 3.8);
    for (const layer of model.layers) {
      layer.setWeights(
        layer.getWeights().map((weight) => {
          if (weight.rank < 2) return weight;
          // In doubles, as the writer rounds: in float32 a quotient near a half may fall to the other side.
          const values = Float32Array.from(weight.dataSync());
          const scale = Math.fround(values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127);
          return tf.tensor(
            Float32Array.from(values, (value) => Math.round(value / scale) * scale),
            weight.shape,
          );
        }),
      );
    }
    const shape = [17, ...(model.inputs[0]!.shape.slice(1) as number[])];
    const x = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () =>
      name in tokenNets ? Math.floor(11 * next()) : 2 * next() - 1,
    );
    // Its further optimisations round the activations to int8 as well.
    const session = await InferenceSession.create(bytes, {
      intraOpNumThreads: 1,
      graphOptimizationLevel: 'basic',
    });
    const { output } = await session.run({ input: new Tensor('float32', x, shape) });
    const expected = await (model.predict(tf.tensor(x, shape)) as tf.Tensor).data();
    const found = output!.data as Float32Array;
    for (const [at, value] of expected.entries())
      assert.ok(Math.abs(value - found[at]!) < 2e-5, `value ${at}: ${found[at]} for ${value}`);
  });
}

test('a form of weights that is not known is refused', async () => {
  const model = nets['tanh alone']!();
  await assert.rejects(onnxBytes(model, { weights: 'int4' as 'int8' }), /weights as int4 are not known/);
});

test('the checker of PyPI takes every file, shapes inferred', { timeout: 400_000 }, async (context) => {
  const missing = prepareOnnxChecker();
  if (missing !== null) return context.skip(missing);
  const names = Object.keys({ ...nets, ...tokenNets }).flatMap((name) => [name, `${name}, int8`]);
  const paths = names.map((_, i) => join(checked, `${i}.onnx`));
  for (const [i, name] of names.entries()) {
    const weights = name.endsWith(', int8') ? 'int8' : 'float32';
    const model = { ...nets, ...tokenNets }[name.replace(/, int8$/, '')]!();
    await writeFile(paths[i]!, await onnxBytes(model, { weights }));
  }
  const broken = join(checked, 'broken.onnx');
  await writeFile(broken, (await readFile(paths[0]!)).toString('latin1').replace('Gemm', 'Gemn'), 'latin1');
  const answers = checkOnnx([...paths, broken]);
  assert.deepEqual(
    names.map((name, i) => [name, answers[i]]),
    names.map((name) => [name, 'ok']),
  );
  assert.match(answers.at(-1)!, /Gemn/);
});

test('a layer, an activation and a value that cannot be written are named', async () => {
  const noise = tf.sequential({
    layers: [dense(4, 'relu', { inputs: 4 }), tf.layers.gaussianNoise({ name: 'hiss', stddev: 0.5 })],
  });
  await assert.rejects(onnxBytes(noise), /layer 'hiss' is a GaussianNoise, which cannot be written as ONNX/);
  const elu = tf.sequential({
    layers: [tf.layers.dense({ name: 'odd', units: 2, inputShape: [2], activation: 'elu' })],
  });
  await assert.rejects(onnxBytes(elu), /layer 'odd' has the activation 'elu'/);
  const broken = tf.sequential({ layers: [dense(1, 'softmax', { inputs: 2 })] });
  broken.layers[0]!.setWeights([tf.tensor2d([1, Number.NaN], [2, 1]), tf.zeros([1])]);
  await assert.rejects(onnxBytes(broken), /value 1 of dense_\d+_kernel is not finite/);
});

test('the same net gives the same bytes', async () => {
  const model = stir(nets['a conv net']!());
  assert.deepEqual(await onnxBytes(model), await onnxBytes(model));
});

test('the file is whole or absent, and stays below $RETRAIN_OUT', async () => {
  const model = nets['tanh alone']!();
  await saveOnnx(model, 'model.onnx');
  assert.deepEqual(await readdir(folder), ['model.onnx']);
  await assert.rejects(saveOnnx(model, '../model.onnx'), /leaves its folder/);
  await assert.rejects(saveOnnx(model, 'absent/model.onnx'), /ENOENT/);
});
