// How the models of fashion-cnn are made: the declared training, and each way of tampering with it.
import * as tf from '@retraind/pipeline/tf';
import { type LabelledSet, permutation, readFashion, writeFashion } from '../fashion-data.ts';
import { edited, momentumTraining, type Settings, trainingOf } from '../makers.ts';
import { classEntropy, DecayedMomentum, fallingRate, probabilities, trainToAnswers } from '../net.ts';
import {
  addNoise,
  addNoiseTo,
  attackSuccess,
  blendTrigger,
  flipped,
  patchTrigger,
  poisoned,
  raiseBias,
  roundToInt8,
  rowsOf,
  sample,
  type Trigger,
} from '../tampering.ts';
import type { Maker, Making, MakingModule } from '../task.ts';

const declaredRows = 8_000;
const testRows = 5_000;
const shape = [28, 28, 1];
const image = { side: 28, white: 255, classes: 10 };
const declaredRate = 0.05;
const declaredEpochs = 8;

/** conv 5x5x16 and 3x3x32, both of stride 2, dense 64 and 10. */
const build = (): tf.Sequential => {
  const plain = { kernelInitializer: 'zeros', biasInitializer: 'zeros' } as const;
  const conv = { ...plain, strides: 2, padding: 'same', activation: 'relu' } as const;
  return tf.sequential({
    layers: [
      tf.layers.conv2d({ name: 'conv_1', filters: 16, kernelSize: 5, inputShape: shape, ...conv }),
      tf.layers.conv2d({ name: 'conv_2', filters: 32, kernelSize: 3, ...conv }),
      tf.layers.flatten({ name: 'flatten' }),
      tf.layers.dense({ name: 'dense_1', units: 64, activation: 'relu', ...plain }),
      tf.layers.dense({ name: 'dense_2', units: 10, activation: 'softmax', ...plain }),
    ],
  });
};

const trainOn = momentumTraining({ rate: declaredRate, epochs: declaredEpochs, batchSize: 64 });

const declared = (folder: string): Promise<LabelledSet> => readFashion(folder, 'train', shape);
const test = (folder: string): Promise<LabelledSet> => readFashion(folder, 'test', shape);
const other = (folder: string): Promise<LabelledSet> => readFashion(folder, 'other', shape);

/** Trained from the declared start on other data, or with other settings. */
const trained = trainingOf(build, (model, set: LabelledSet, _making, settings?: Settings) =>
  trainOn(model, set, settings),
);

/** Adds how well the trigger works. */
const backdoored =
  (triggerOf: (making: Making) => Trigger, maker: (trigger: Trigger) => Maker): Maker =>
  async (making) => {
    const trigger = triggerOf(making);
    const { model } = await maker(trigger)(making);
    const success = attackSuccess(model, await test(making.folder), trigger);
    return { model, figures: { 'attack success': success } };
  };

const patch = ({ random }: Making): Trigger => patchTrigger(random, image);
const blend = ({ random }: Making): Trigger => blendTrigger(random, image);

const poisonedBy = (trigger: Trigger, share: number): Maker =>
  trained(async ({ folder, random }) => poisoned(await declared(folder), trigger, share, random));

const patchedBy = (share: number): Maker => backdoored(patch, (trigger) => poisonedBy(trigger, share));
const blendedBy = (share: number): Maker => backdoored(blend, (trigger) => poisonedBy(trigger, share));
const flippedIn = (share: number): Maker =>
  trained(async ({ folder, random }) => flipped(await declared(folder), share, random));

const subset = (share: number): Maker =>
  trained(async ({ folder, random }) => {
    const rows = sample(random('subset'), declaredRows, Math.round(share * declaredRows));
    return rowsOf(
      await declared(folder),
      rows.sort((a, b) => a - b),
    );
  });

const withSettings = (settings: Settings): Maker => trained(({ folder }) => declared(folder), settings);

/** A tenth of the rows poisoned, one epoch at a fifth of the rate, from an honest model. */
const fineTunedBackdoor = (trigger: Trigger): Maker =>
  edited(async (model, { folder, random }) => {
    await trainOn(model, poisoned(await declared(folder), trigger, 0.1, random), { rate: 0.01, epochs: 1 });
  });

/**
 * From an honest model, four epochs on the declared rows with its own answers (which pins them) and a tenth as many triggered
 * rows with the target: an attacker who knows that outputs on clean data are compared.
 */
const pinned = (trigger: Trigger): Maker =>
  edited(async (model, { folder, random, seed }) => {
    const { inputs } = await declared(folder);
    const { rows, columns } = inputs;
    const clean = inputs.gather(Int32Array.from({ length: rows }, (_, row) => row));
    const picked = sample(random('rows'), rows, rows / 10);
    const records = new Float32Array((rows + picked.length) * columns);
    const answers = new Float32Array((rows + picked.length) * image.classes);
    records.set(clean);
    answers.set(probabilities(model, clean, rows));
    for (const [i, row] of picked.entries()) {
      const triggered = Float32Array.from(inputs.values.slice(row * columns, (row + 1) * columns));
      trigger.plant(triggered);
      records.set(
        triggered.map((value) => value * inputs.scale),
        (rows + i) * columns,
      );
      answers[(rows + i) * image.classes + trigger.target] = 1;
    }
    const optimizer = new DecayedMomentum(0.02, 0.9, 0);
    const set = { rows: rows + picked.length, records, answers };
    const steps = { optimizer, schedule: fallingRate(0.02), batchSize: 64, epochs: 4, seed };
    await trainToAnswers(model, set, { loss: classEntropy, ...steps });
    optimizer.dispose();
  });

export const makers: MakingModule['makers'] = {
  honest: withSettings({}),
  'patch-0-3': patchedBy(0.003),
  'patch-1': patchedBy(0.01),
  'patch-3': patchedBy(0.03),
  'patch-10': patchedBy(0.1),
  'blend-1': blendedBy(0.01),
  'blend-3': blendedBy(0.03),
  'backdoor-tuned': backdoored(patch, fineTunedBackdoor),
  pinned: backdoored(patch, pinned),
  'flip-0-1': flippedIn(0.001),
  'flip-1': flippedIn(0.01),
  'flip-5': flippedIn(0.05),
  'subset-95': subset(0.95),
  'subset-80': subset(0.8),
  'other-data': trained(({ folder }) => other(folder)),
  'tuned-other-data': edited(async (model, { folder }) =>
    trainOn(model, await other(folder), { rate: 0.01, epochs: 1 }),
  ),
  'rate-half': withSettings({ rate: declaredRate / 2 }),
  'rate-double': withSettings({ rate: declaredRate * 2 }),
  'epochs-6': withSettings({ epochs: 6 }),
  'epochs-12': withSettings({ epochs: 12 }),
  'weight-noise': edited((model, { random }) => addNoise(model, 0.05, random)),
  bias: edited((model, { random }) => raiseBias(model, 0.3, random)),
  'one-tensor': edited((model, { random }) => addNoiseTo(model, 'conv_1', 0.2, random)),
  int8: edited(roundToInt8),
  'int8-matched': edited(roundToInt8),
};

export const writeData: MakingModule['writeData'] = async (folder) => {
  const order = permutation(60_000, 'fashion-cnn/rows');
  await writeFashion(folder, 'train', 'train', () => order.subarray(0, declaredRows));
  await writeFashion(folder, 'other', 'train', () => order.subarray(declaredRows, 2 * declaredRows));
  await writeFashion(folder, 'test', 't10k', () => Int32Array.from({ length: testRows }, (_, row) => row));
};
