// Dropout whose mask is a function of seed and step only: another one each step, the same on every engine, and none of it
// made outside of the engine, so that a recorded step makes new masks too. tfjs's own either repeats one mask (with a seed)
// or makes it in JavaScript (without).
import * as tf from '@tensorflow/tfjs-core';
import { dropoutMask, registerOperations } from './kernels.ts';

/** The step counter of one dropout layer: an int32 scalar from 0, part of what a checkpoint must hold. */
export const dropoutCounter = (name: string): tf.Variable =>
  tf.tidy(() => tf.variable(tf.scalar(0, 'int32'), false, name, 'int32'));

/**
 * `x` (float32) with a share `rate` (0 … 1, without 1) of its values set to 0 and the others multiplied by 1 / (1 - rate). The mask
 * follows from `seed` (int32) and the counter, which is then counted up: call it in training only.
 */
export function seededDropout<T extends tf.Tensor>(
  x: T,
  rate: number,
  seed: number,
  counter: tf.Variable,
): T {
  registerOperations();
  if (!(rate >= 0 && rate < 1)) throw new RangeError(`the rate is ${rate}, not in [0, 1)`);
  return tf.tidy(() => {
    const mask: tf.Tensor = tf.engine().runKernel(dropoutMask, { counter }, { shape: x.shape, rate, seed });
    counter.assign(tf.add(counter, tf.scalar(1, 'int32')));
    return tf.mul(x, mask) as T;
  });
}
