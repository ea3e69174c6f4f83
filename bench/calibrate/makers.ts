// The two ways in which tasks make most of their models; what differs between tasks is the net, its training and the data.
import type * as tf from '@retraind/pipeline/tf';
import { startAsPyTorch } from './net.ts';
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
