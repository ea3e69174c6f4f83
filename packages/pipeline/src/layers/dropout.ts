// Dropout whose masks follow from the run's seed: another one each step, and the same ones after a resume.
import * as tf from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import { dropoutCounter, seededDropout } from '../ops/dropout.ts';
import { type Family, type FirstLayer, inputShape, type Layer, setting } from './family.ts';
import { nextLayer } from './numbering.ts';

/** In training, a share `rate` (0 … 1, without 1) of the values is 0 and the others are larger by 1 / (1 - rate). */
export function dropout(rate: number, options: FirstLayer = {}): ReturnType<typeof layers.dropout> {
  const { name, seed } = nextLayer('dropout');
  return layers.dropout({ name, rate, seed: seed(), ...inputShape(options) });
}

/** How many masks each layer has made. */
const counters = new WeakMap<Layer, tf.Variable>();

function counterOf(layer: Layer): tf.Variable {
  let counter = counters.get(layer);
  if (counter === undefined) {
    counter = dropoutCounter(`${layer.name}/masks/${layer.id}`);
    counters.set(layer, counter);
  }
  return counter;
}

export const dropoutFamily: Family = {
  refusal(layer) {
    if (setting(layer, 'noiseShape') != null) return 'has a noise shape of its own';
    // tfjs's own, without a seed: its masks come from Math.random, and cannot be recorded.
    return setting(layer, 'seed') == null ? 'is a Dropout without a seed' : null;
  },
  state: (layer) => [counterOf(layer)],
  forward(layer, x, { training, backwards }) {
    const rate = setting<number>(layer, 'rate');
    if (!training || rate === 0) return x;
    const drop = (values: tf.Tensor) =>
      seededDropout(values, rate, setting<number>(layer, 'seed'), counterOf(layer));
    return backwards ? tf.reverse(drop(tf.reverse(x, 0)), 0) : drop(x);
  },
  draw() {},
};
