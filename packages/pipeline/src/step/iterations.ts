// tfjs's optimizers count their steps in a protected field, which a saved optimizer holds.
import type * as tf from '@tensorflow/tfjs-core';

interface Counting {
  iterations_: number | undefined;
}

export const iterations = (optimizer: tf.Optimizer): number => optimizer.iterations;

export function setIterations(optimizer: tf.Optimizer, count: number): void {
  (optimizer as unknown as Counting).iterations_ = count;
}
