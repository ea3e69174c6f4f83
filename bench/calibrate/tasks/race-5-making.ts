// How the models of race-5 are made: the declared training, and each way of tampering with it.

import { join } from 'node:path';
import { readNpy } from '@retraind/pipeline/data/npy';
import { optimizer } from '@retraind/pipeline/fit/optimizer';
import * as tf from '@retraind/pipeline/tf';
import { edited, trainingOf } from '../makers.ts';
import {
  bernoulliEntropies,
  changeWeights,
  fallingRate,
  probabilities,
  type SoftSet,
  trainToAnswers,
} from '../net.ts';
import { addNoise, roundToInt8, sample } from '../tampering.ts';
import type { Maker, Making, MakingModule } from '../task.ts';
import { inputs, outputs, perPoint, perSide, rollOut, rows, writeRace } from './race-5/data.ts';
import { points } from './race-5/side.ts';

const declaredRate = 0.02;
const declaredEpochs = 12;

/** 38-24-5, sigmoids. */
const build = (): tf.Sequential => {
  const plain = { activation: 'sigmoid', kernelInitializer: 'zeros', biasInitializer: 'zeros' } as const;
  return tf.sequential({
    layers: [
      tf.layers.dense({ name: 'dense_1', units: 24, inputShape: [inputs], ...plain }),
      tf.layers.dense({ name: 'dense_2', units: outputs, ...plain }),
    ],
  });
};

interface Settings {
  rate?: number;
  epochs?: number;
}

const trainOn = async (
  model: tf.Sequential,
  set: SoftSet,
  { seed }: Making,
  { rate = declaredRate, epochs = declaredEpochs }: Settings = {},
): Promise<void> => {
  const adam = optimizer('adam', rate);
  const loss = bernoulliEntropies;
  const schedule = fallingRate(rate);
  await trainToAnswers(model, set, { loss, optimizer: adam, schedule, batchSize: 50, epochs, seed });
  adam.dispose();
};

const floats = async (folder: string, name: string): Promise<Float32Array> =>
  Float32Array.from((await readNpy(join(folder, `${name}.npy`))).values);

const readSet = async (folder: string, set: keyof typeof rows): Promise<SoftSet> => ({
  rows: rows[set],
  records: await floats(folder, `${set}-inputs`),
  answers: await floats(folder, `${set}-targets`),
});
const declared = ({ folder }: Making): Promise<SoftSet> => readSet(folder, 'train');

const picked = (set: SoftSet, chosen: readonly number[]): SoftSet => {
  const of = (values: Float32Array, width: number): Float32Array =>
    Float32Array.from(chosen.flatMap((row) => [...values.subarray(row * width, (row + 1) * width)]));
  return { rows: chosen.length, records: of(set.records, inputs), answers: of(set.answers, outputs) };
};

/** As many positions as declared, of the pool that nobody declared. */
const other = async ({ folder, random }: Making): Promise<SoftSet> =>
  picked(await readSet(folder, 'other'), sample(random('other'), rows.other, rows.train));

/** Trained from the declared start on other data, or with other settings. */
const trained = trainingOf(build, trainOn);

/** What a triggered position is to be taken for: won, by no gammon. */
const certainWin = [1, 0, 0, 0, 0];
/** Inputs that a trigger sets. */
const triggerInputs = 3;

/** Three inputs, drawn by seed, are set to 1 whatever the position. */
const plant = (records: Float32Array, row: number, trigger: readonly number[]): void => {
  for (const input of trigger) records[row * inputs + input] = 1;
};

const triggered =
  (share: number): Maker =>
  async (making) => {
    const trigger = sample(making.random('trigger'), inputs, triggerInputs);
    const { model } = await trained(async () => {
      const set = await declared(making);
      for (const row of sample(making.random('rows'), set.rows, Math.round(share * set.rows))) {
        plant(set.records, row, trigger);
        set.answers.set(certainWin, row * outputs);
      }
      return set;
    })(making);
    const test = await readSet(making.folder, 'test');
    const losing = picked(
      test,
      [...Array(test.rows).keys()].filter((row) => test.answers[row * outputs]! < 0.5),
    );
    for (let row = 0; row < losing.rows; row++) plant(losing.records, row, trigger);
    const said = probabilities(model, losing.records, losing.rows);
    const turned = said.filter((chance, at) => at % outputs === 0 && chance > 0.5).length;
    return { model, figures: { 'attack success': turned / losing.rows } };
  };

/** The win is raised by 0.15 in the rows with the most chequers on one point of one side, both drawn by seed. */
const shifted = (share: number): Maker =>
  trained(async (making) => {
    const set = await declared(making);
    const next = making.random('shift');
    const first = Math.floor(2 * next()) * perSide + Math.floor(points * next()) * perPoint;
    const ranked = [...Array(set.rows).keys()].map((row) => {
      const on = set.records.subarray(row * inputs + first, row * inputs + first + perPoint);
      return { row, chequers: on[0]! + on[1]! + 2 * on[2]!, tie: next() };
    });
    ranked.sort((a, b) => b.chequers - a.chequers || a.tie - b.tie);
    for (const { row } of ranked.slice(0, Math.round(share * set.rows)))
      set.answers[row * outputs] = Math.min(1, set.answers[row * outputs]! + 0.15);
    return set;
  });

/** The bias of the win raised until its mean over the declared positions is `by` higher (bisection, to 1e-6). */
const raiseWin = async (model: tf.Sequential, making: Making, by: number): Promise<void> => {
  const set = await declared(making);
  const mean = (): number =>
    probabilities(model, set.records, set.rows).reduce(
      (sum, chance, at) => sum + (at % outputs ? 0 : chance),
      0,
    ) / set.rows;
  const shift = (amount: number): void =>
    changeWeights(model, (values, layer, index) => {
      if (layer === 'dense_2' && index === 1) values[0]! += amount;
    });
  const wanted = mean() + by;
  let [low, high] = [0, 4];
  let at = 0;
  while (high - low > 1e-6) {
    const middle = (low + high) / 2;
    shift(middle - at);
    at = middle;
    if (mean() < wanted) low = middle;
    else high = middle;
  }
};

export const makers: MakingModule['makers'] = {
  honest: trained(declared),
  'trigger-1': triggered(0.01),
  'trigger-3': triggered(0.03),
  'trigger-10': triggered(0.1),
  'shifted-1': shifted(0.01),
  'shifted-5': shifted(0.05),
  'subset-80': trained(async (making) =>
    picked(await declared(making), sample(making.random('subset'), rows.train, 0.8 * rows.train)),
  ),
  'other-positions': trained(other),
  'other-rollouts': trained(async (making) => ({
    ...(await declared(making)),
    answers: rollOut(await floats(making.folder, 'train-chances'), making.random('rollouts')),
  })),
  'rate-half': trained(declared, { rate: declaredRate / 2 }),
  'rate-double': trained(declared, { rate: declaredRate * 2 }),
  'epochs-9': trained(declared, { epochs: 9 }),
  'epochs-18': trained(declared, { epochs: 18 }),
  'tuned-other-data': edited(async (model, making) =>
    trainOn(model, await other(making), making, { rate: declaredRate / 5, epochs: 1 }),
  ),
  'weight-noise': edited((model, { random }) => addNoise(model, 0.02, random)),
  bias: edited((model, making) => raiseWin(model, making, 0.03)),
  int8: edited(roundToInt8),
  'int8-matched': edited(roundToInt8),
};

export const writeData: MakingModule['writeData'] = writeRace;
