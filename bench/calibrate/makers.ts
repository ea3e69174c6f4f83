// The ways in which tasks make most of their models; what differs between tasks is the net, its training and the data.
import { fit } from '@retraind/pipeline/fit/fit';
import type * as tf from '@retraind/pipeline/tf';
import type { LabelledSet } from './fashion-data.ts';
import { DecayedMomentum, fallingRate, startAsPyTorch } from './net.ts';
import type { Maker, Making } from './task.ts';

/** Makers that train a net from its declared start: on the data given, with the declared settings or others. */
export const trainingOf =
  <Data, Settings>(
    build: () => tf.Sequential,
    trainOn: (model: tf.Sequential, data: Data, making: Making, settings?: Settings) => Promise<void>,
  ) =>
  (dataOf: (making: Making) => Promise<Data>, settings?: Settings): Maker =>
  async (making) => {
    const model = build();
    startAsPyTorch(model, making.seed);
    await trainOn(model, await dataOf(making), making, settings);
    return { model };
  };

/** An honest model that was changed afterwards. */
export const edited =
  (change: (model: tf.Sequential, making: Making) => void | Promise<void>): Maker =>
  async (making) => {
    const model = await making.honest();
    await change(model, making);
    return { model };
  };

/** What a maker may do otherwise than declared. */
export interface Settings {
  rate?: number;
  epochs?: number;
}

/** Trains a classifier by momentum 0.9 with a weight decay of 5e-4 and a falling rate: as declared, or with other settings. */
export const momentumTraining =
  (declared: Required<Settings> & { batchSize: number }) =>
  async (model: tf.Sequential, set: LabelledSet, settings: Settings = {}): Promise<void> => {
    const { rate, epochs, batchSize } = { ...declared, ...settings };
    const optimizer = new DecayedMomentum(rate, 0.9, 5e-4);
    await fit(model, { ...set, optimizer, batchSize, epochs, schedule: fallingRate(rate), hold: true });
    optimizer.dispose();
  };
