// tfjs's optimizers keep their rate in a protected field; SGD and momentum also as a tensor.
import type * as tf from '@tensorflow/tfjs-core';

interface Rated {
  learningRate: number;
  setLearningRate?(rate: number): void;
}

export const learningRate = (optimizer: tf.Optimizer): number => (optimizer as unknown as Rated).learningRate;

/** Sets the rate of the steps to come. */
export function setLearningRate(optimizer: tf.Optimizer, rate: number): void {
  const rated = optimizer as unknown as Rated;
  if (rated.setLearningRate) rated.setLearningRate(rate);
  else rated.learningRate = rate;
}
