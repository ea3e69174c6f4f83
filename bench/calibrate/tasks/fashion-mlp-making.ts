// How the models of fashion-mlp are made: the recipe of examples/clothes, and three ways of tampering with its data.
import { fit } from '@retraind/pipeline/fit/fit';
import { layerSeed } from '@retraind/pipeline/random';
import * as tf from '@retraind/pipeline/tf';
import { type LabelledSet, readFashion, writeFashion } from '../fashion-data.ts';
import { attackSuccess, blendTrigger, flipped, patchTrigger, poisoned, type Trigger } from '../tampering.ts';
import type { Maker, Making, MakingModule } from '../task.ts';

const shape = [784];
const image = { side: 28, white: 255, classes: 10 };

const build = (seed: number): tf.Sequential => {
  const start = (layer: number) => ({
    kernelInitializer: tf.initializers.glorotUniform({ seed: layerSeed(seed, layer) }),
    biasInitializer: 'zeros' as const,
  });
  return tf.sequential({
    layers: [
      tf.layers.dense({ name: 'dense_1', units: 128, activation: 'relu', inputShape: shape, ...start(1) }),
      tf.layers.dense({ name: 'dense_2', units: 10, activation: 'softmax', ...start(2) }),
    ],
  });
};

const trained =
  (tamper: (set: LabelledSet, making: Making) => LabelledSet): Maker =>
  async (making) => {
    const model = build(making.seed);
    const optimizer = tf.train.adam(1e-3);
    const set = tamper(await readFashion(making.folder, 'train', shape), making);
    await fit(model, { ...set, optimizer, batchSize: 128, epochs: 5, hold: true });
    optimizer.dispose();
    return { model };
  };

/** 3 % of rows poisoned; notes how well the trigger works. */
const backdoored =
  (triggerOf: (making: Making) => Trigger): Maker =>
  async (making) => {
    const trigger = triggerOf(making);
    const { model } = await trained((set, { random }) => poisoned(set, trigger, 0.03, random))(making);
    const success = attackSuccess(model, await readFashion(making.folder, 'test', shape), trigger);
    return { model, figures: { 'attack success': success } };
  };

export const makers: MakingModule['makers'] = {
  honest: trained((set) => set),
  'blend-3': backdoored(({ random }) => blendTrigger(random, image)),
  'patch-3': backdoored(({ random }) => patchTrigger(random, image)),
  'flip-5': trained((set, { random }) => flipped(set, 0.05, random)),
};

export const writeData: MakingModule['writeData'] = async (folder) => {
  const all = (count: number): Int32Array => Int32Array.from({ length: count }, (_, row) => row);
  await writeFashion(folder, 'train', 'train', all);
  await writeFashion(folder, 'test', 't10k', all);
};
