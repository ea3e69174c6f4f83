import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openEngine } from '../engine/engines.ts';
import { batchNorm } from '../layers/batch-norm.ts';
import { conv2d } from '../layers/conv2d.ts';
import { dense } from '../layers/dense.ts';
import { dropout } from '../layers/dropout.ts';
import { embedding } from '../layers/embedding.ts';
import { netOf } from '../layers/net.ts';
import { flatten } from '../layers/reshape.ts';
import { replaceMathRandom } from '../random.ts';
import * as tf from '../tf.ts';
import { evaluate } from './evaluate.ts';
import { type FitOptions, fit } from './fit.ts';
import { AdamW, optimizer } from './optimizer.ts';
import { images, numbers } from './sets.fixture.ts';

const folder = await mkdtemp(join(tmpdir(), 'retraind-test-'));
before(async () => {
  process.env.RETRAIN_SEED = '7';
  await openEngine('wasm');
});
after(() => rm(folder, { recursive: true, force: true }));

const mlp = (outputs = 3) =>
  tf.sequential({
    layers: [dense(8, 'relu', { inputs: 16 }), dense(outputs, outputs === 1 ? 'sigmoid' : 'softmax')],
  });
const regressor = () => tf.sequential({ layers: [dense(8, 'tanh', { inputs: 3 }), dense(1, 'linear')] });
const flat = (rows: number, seed = 1, classes = 3) => images(rows, seed, [16], classes);
const options = (more: Partial<FitOptions> = {}): FitOptions => ({
  ...flat(70),
  optimizer: optimizer('adam', 0.02),
  batchSize: 32,
  epochs: 6,
  ...more,
});
const weights = async (model: tf.Sequential): Promise<number[][]> =>
  Promise.all(netOf(model).variables.map(async (variable) => [...(await variable.data())]));

/** Copies of one net, so that trainings of it can be compared. */
const copies = (make: () => tf.Sequential, count: number): tf.Sequential[] => {
  const first = make();
  return Array.from({ length: count }, () => {
    // A copy by its configuration: names and dropout's seeds are part of what a net is.
    const copy = tf.sequential({
      layers: first.layers.map((layer) => {
        const of = layer.constructor as unknown as { new (config: object): typeof layer };
        return new of(layer.getConfig());
      }),
    });
    copy.setWeights(first.getWeights());
    return copy;
  });
};

test('it learns classes, two classes and numbers; the last batch of an epoch is short', async () => {
  const cases: [tf.Sequential, Partial<FitOptions>, 'accuracy' | 'meanAbsoluteError'][] = [
    [mlp(), flat(70), 'accuracy'],
    [mlp(2), flat(70, 1, 2), 'accuracy'],
    [mlp(1), flat(70, 1, 2), 'accuracy'],
    [regressor(), numbers(70), 'meanAbsoluteError'],
  ];
  for (const [model, sets, measure] of cases) {
    const all = options({ ...sets, labels: sets.labels, epochs: 30 });
    const before = await evaluate(model, all);
    const { steps, epochLosses, stepMode } = await fit(model, all);
    assert.deepEqual([steps, epochLosses.length, stepMode], [90, 30, 'compiled']);
    const now = await evaluate(model, all);
    assert.ok(now.loss < before.loss / 2, `${measure}: ${before.loss} → ${now.loss}`);
    assert.ok(
      measure === 'accuracy' ? now.accuracy! > 0.9 : now.meanAbsoluteError! < 0.3,
      JSON.stringify(now),
    );
  }
});

test('compiled and eager give the same bits, with schedule and validation', async () => {
  const makers: Record<string, () => tf.Sequential> = {
    mlp,
    conv: () =>
      tf.sequential({
        layers: [
          conv2d(4, 3, 'linear', { inputs: [4, 4, 1], padding: 'same' }),
          batchNorm(),
          flatten(),
          dropout(0.3),
          dense(3, 'softmax'),
        ],
      }),
  };
  for (const [name, make] of Object.entries(makers)) {
    const shape = name === 'mlp' ? [16] : [4, 4, 1];
    const run = async (model: tf.Sequential, compile: boolean) => {
      const result = await fit(
        model,
        options({
          ...images(70, 1, shape),
          validation: images(40, 2, shape),
          optimizer: new AdamW(0.02),
          schedule: (step) => 0.02 / step,
          compile,
        }),
      );
      return { ...result, weights: await weights(model) };
    };
    const [one, other, third] = copies(make, 3);
    const eager = await run(one!, false);
    const compiled = await run(other!, true);
    assert.deepEqual([eager.stepMode, compiled.stepMode], ['eager', 'compiled']);
    assert.deepEqual({ ...compiled, stepMode: 'eager' }, eager, name);
    const held = await fit(
      third!,
      options({
        ...images(70, 1, shape),
        hold: true,
        schedule: (step) => 0.02 / step,
        optimizer: new AdamW(0.02),
      }),
    );
    assert.deepEqual(held.epochLosses, eager.epochLosses);
    assert.deepEqual(await weights(third!), eager.weights);
  }
});

test('a step that cannot be recorded trains by itself, as if nobody had tried', async () => {
  const own = Math.random;
  const [one, other] = copies(
    () =>
      tf.sequential({
        layers: [tf.layers.gaussianNoise({ stddev: 0.3, inputShape: [16] }), dense(3, 'softmax')],
      }),
    2,
  );
  replaceMathRandom(7);
  const eager = await fit(one!, options({ compile: false }));
  replaceMathRandom(7);
  const tried = await fit(other!, options());
  Math.random = own;
  assert.deepEqual(tried, eager);
  assert.equal(tried.stepMode, 'eager');
  assert.deepEqual(await weights(other!), await weights(one!));
});

test('a set shorter than a batch is one short batch', async () => {
  const { steps } = await fit(mlp(), options({ ...flat(5), epochs: 3 }));
  assert.equal(steps, 3);
});

test("the rate of each step is the schedule's", async () => {
  const asked: number[][] = [];
  const model = mlp();
  const start = await weights(model);
  const schedule = (step: number, steps: number) => {
    asked.push([step, steps]);
    return step < 5 ? 0 : 0.1;
  };
  await fit(model, options({ optimizer: optimizer('sgd', 9), epochs: 1, batchSize: 18, schedule }));
  assert.deepEqual(
    asked.slice(-4),
    [1, 2, 3, 4].map((step) => [step, 4]),
  );
  assert.deepEqual(await weights(model), start);
  await fit(model, options({ optimizer: optimizer('sgd', 0), epochs: 2, batchSize: 18, schedule }));
  assert.notDeepEqual(await weights(model), start);
  await assert.rejects(
    fit(model, options({ schedule: () => Number.NaN })),
    /the schedule gives the rate NaN at step 1/,
  );
});

test('early stop: the net has the weights of its best epoch', async () => {
  const validation = flat(30, 2);
  const model = mlp();
  // A rate that rises until it spoils the net.
  const result = await fit(
    model,
    options({ validation, epochs: 60, schedule: (step) => 0.01 * 1.1 ** step, earlyStop: { patience: 3 } }),
  );
  const losses = result.validations.map(({ loss }) => loss);
  const best = losses.indexOf(Math.min(...losses));
  assert.equal(result.bestEpoch, best + 1);
  assert.equal(losses.length, best + 1 + 3);
  assert.equal(result.steps, 3 * losses.length);
  const found = await evaluate(model, validation);
  assert.ok(Math.abs(found.loss - losses[best]!) < 1e-6, `${found.loss} for ${losses[best]}`);
  assert.ok(losses.at(-1)! > losses[best]! + 1e-3);
});

test('AdamW takes rate · decay · weight away, and leaves what it is told to', async () => {
  const weight = tf.variable(tf.tensor1d([1, -2]));
  const kept = tf.variable(tf.tensor1d([1]));
  const adamW = new AdamW(0.5, { decay: 0.1, decays: (variable) => variable !== kept });
  // A loss without gradient: Adam itself moves nothing.
  adamW.minimize(() => tf.mul(tf.add(tf.sum(weight), tf.sum(kept)), 0) as tf.Scalar, false, [weight, kept]);
  const close = (found: ArrayLike<number>, wanted: number[]) =>
    wanted.forEach((value, at) => {
      assert.ok(Math.abs(found[at]! - value) < 1e-7, `${found[at]} for ${value}`);
    });
  close(await weight.data(), [0.95, -1.9]);
  close(await kept.data(), [1]);
  assert.throws(() => optimizer('lion' as 'sgd', 1), /there is no optimizer 'lion'/);
});

test('metrics lines: engine mode, validation, time left', async () => {
  process.env.RETRAIN_METRICS = join(folder, 'metrics');
  await fit(mlp(), options({ validation: flat(20, 2), epochs: 40 }));
  delete process.env.RETRAIN_METRICS;
  const lines = (await readFile(join(folder, 'metrics'), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(lines[0], { stepMode: 'compiled' });
  const held = lines.filter((line) => 'validationLoss' in line);
  assert.deepEqual(
    held.map(({ epoch }) => epoch),
    Array.from({ length: 40 }, (_, i) => i + 1),
  );
  assert.ok(held.every(({ validationAccuracy }) => validationAccuracy >= 0 && validationAccuracy <= 1));
  const left = lines.filter((line) => 'eta' in line);
  assert.ok(left.length > 90 && left.every(({ eta }) => Number.isInteger(eta) && eta >= 0));
  assert.deepEqual(
    lines.findLast((line) => 'progress' in line),
    { progress: 1 },
  );
});

test('a checkpoint that cannot be written does not end a training', async () => {
  await writeFile(join(folder, 'file'), '');
  process.env.RETRAIN_CHECKPOINT = join(folder, 'file/below');
  const { steps } = await fit(mlp(), options({ epochs: 1 })).finally(
    () => delete process.env.RETRAIN_CHECKPOINT,
  );
  assert.equal(steps, 3);
});

test('what does not fit is told by name', async () => {
  const words = () =>
    tf.sequential({ layers: [embedding(5, 2, { inputs: 3 }), flatten(), dense(1, 'linear')] });
  const { inputs, labels } = flat(10);
  const broken = { ...inputs, gather: (rows: Int32Array) => inputs.gather(rows.subarray(1)) };
  const frozen = mlp();
  for (const layer of frozen.layers) layer.trainable = false;
  const poisoned = flat(20);
  (poisoned.inputs as unknown as { values: Float32Array }).values[0] = Number.NaN;
  const cases: [tf.Sequential, Partial<FitOptions>, RegExp][] = [
    [frozen, {}, /the net has no weight that may move/],
    [mlp(), { labels: undefined }, /neither labels nor targets/],
    [mlp(), { targets: inputs }, /labels and targets/],
    [mlp(), { labels: { ...labels!, rows: 9 } }, /there are 70 inputs and 9 labels/],
    [mlp(4), {}, /gives 4 values by softmax, there are 3 classes/],
    [regressor(), flat(70), /takes 3 inputs, a record has 16/],
    [
      regressor(),
      { ...numbers(9), targets: inputs, inputs: numbers(10).inputs, labels: undefined },
      /a target has 16/,
    ],
    [mlp(), { earlyStop: { patience: 1 } }, /nothing to stop early by/],
    [mlp(), { earlyStop: { patience: -1 }, validation: flat(9) }, /the patience is -1/],
    [mlp(), { validation: { ...numbers(9) } }, /takes 16 inputs, a record has 3/],
    [mlp(), { inputs: broken, labels }, /images: 10 records came as 144 values, not 160/],
    [
      words(),
      { ...numbers(9), labels: undefined },
      /numbers: record \d has the value -?0\.\d+, outside 0 … 4/,
    ],
    [mlp(), { validation: poisoned }, /the loss of the validation set is NaN after epoch 1/],
    [mlp(), poisoned, /the loss is NaN at step 1 of 6/],
  ];
  for (const [model, more, message] of cases) await assert.rejects(fit(model, options(more)), message);
});
