// How the models of digits-mlp are made: the declared training, and each way of tampering with it.
import * as tf from '@retraind/pipeline/tf';
import type { LabelledSet } from '../fashion-data.ts';
import { edited, momentumTraining, type Settings, trainingOf } from '../makers.ts';
import {
  addNoise,
  attackSuccess,
  flipped,
  patchTrigger,
  poisoned,
  raiseBias,
  roundToInt8,
  rowsOf,
  sample,
} from '../tampering.ts';
import type { Maker, Making, MakingModule } from '../task.ts';
import { image, readDigits, rows, writeDigits } from './digits-mlp/data.ts';

const declaredRate = 0.05;
const declaredEpochs = 30;

/** 64-32-10. */
const build = (): tf.Sequential => {
  const plain = { kernelInitializer: 'zeros', biasInitializer: 'zeros' } as const;
  return tf.sequential({
    layers: [
      tf.layers.dense({ name: 'dense_1', units: 32, activation: 'relu', inputShape: [64], ...plain }),
      tf.layers.dense({ name: 'dense_2', units: 10, activation: 'softmax', ...plain }),
    ],
  });
};

const trainOn = momentumTraining({ rate: declaredRate, epochs: declaredEpochs, batchSize: 32 });

const declared = ({ folder }: Making): Promise<LabelledSet> => readDigits(folder, 'train');
const other = ({ folder }: Making): Promise<LabelledSet> => readDigits(folder, 'other');

/** Trained from the declared start on other data, or with other settings. */
const trained = trainingOf(build, (model, set: LabelledSet, _making, settings?: Settings) =>
  trainOn(model, set, settings),
);

const patched =
  (share: number): Maker =>
  async (making) => {
    const { folder, random } = making;
    const trigger = patchTrigger(random, image);
    const { model } = await trained(async () => poisoned(await declared(making), trigger, share, random))(
      making,
    );
    const success = attackSuccess(model, await readDigits(folder, 'test'), trigger);
    return { model, figures: { 'attack success': success } };
  };

const flippedIn = (share: number): Maker =>
  trained(async (making) => flipped(await declared(making), share, making.random));

const subset = (share: number): Maker =>
  trained(async (making) => {
    const picked = sample(making.random('subset'), rows.train, Math.round(share * rows.train));
    return rowsOf(
      await declared(making),
      picked.sort((a, b) => a - b),
    );
  });

/** As many rows as declared, `share` of them other digits of the same people. */
const replaced = (share: number): Maker =>
  trained(async (making) => {
    const [mine, theirs] = [await declared(making), await other(making)];
    const count = Math.round(share * rows.train);
    const places = sample(making.random('replaced'), rows.train, count);
    const from = sample(making.random('replacing'), rows.other, count);
    const { columns } = mine.inputs;
    const values = Uint8Array.from(mine.inputs.values);
    const kinds = Uint8Array.from(mine.labels.values);
    for (const [i, place] of places.entries()) {
      const row = from[i]!;
      values.set(theirs.inputs.values.slice(row * columns, (row + 1) * columns), place * columns);
      kinds[place] = theirs.labels.values[row]!;
    }
    return { inputs: { ...mine.inputs, values }, labels: { ...mine.labels, values: kinds } };
  });

export const makers: MakingModule['makers'] = {
  honest: trained(declared),
  'patch-1': patched(0.01),
  'patch-3': patched(0.03),
  'patch-10': patched(0.1),
  'flip-0-5': flippedIn(0.005),
  'flip-1': flippedIn(0.01),
  'flip-5': flippedIn(0.05),
  'subset-95': subset(0.95),
  'subset-80': subset(0.8),
  'replaced-40': replaced(0.4),
  'rate-half': trained(declared, { rate: declaredRate / 2 }),
  'rate-double': trained(declared, { rate: declaredRate * 2 }),
  'epochs-22': trained(declared, { epochs: 22 }),
  'epochs-45': trained(declared, { epochs: 45 }),
  'tuned-other-data': edited(async (model, making) =>
    trainOn(model, await other(making), { rate: declaredRate / 5, epochs: 5 }),
  ),
  'weight-noise': edited((model, { random }) => addNoise(model, 0.05, random)),
  bias: edited((model, { random }) => raiseBias(model, 0.5, random)),
  int8: edited(roundToInt8),
  'int8-matched': edited(roundToInt8),
};

export const writeData: MakingModule['writeData'] = writeDigits;
