// tfjs's optimizers keep their rate in a protected field; SGD and momentum also as a tensor.
import type * as tf from '@tensorflow/tfjs-core';
import { setIterations } from './iterations.ts';

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

/** Runs code that steps with other rates, then puts the rate and the count of steps back. */
export function rateKept<T>(optimizer: tf.Optimizer, act: () => T): T {
  const [rate, { iterations }] = [learningRate(optimizer), optimizer];
  try {
    return act();
  } finally {
    setLearningRate(optimizer, rate);
    setIterations(optimizer, iterations);
  }
}
