// Optimizers by name. What tfjs has is taken from there; AdamW is our own.
import * as tf from '@tensorflow/tfjs-core';
import { RecipeFault } from '../fault.ts';

export interface AdamWSettings {
  /** Share of a weight, times the rate, that each step takes away; 0.01 unless said otherwise. */
  decay?: number;
  beta1?: number;
  beta2?: number;
  epsilon?: number;
  /** Whether a variable decays; all do unless said otherwise. */
  decays?: (variable: tf.Variable) => boolean;
}

/** Adam with decoupled decay (Loshchilov and Hutter 2019): weight ← weight - rate · decay · weight, then Adam's step. */
export class AdamW extends tf.AdamOptimizer {
  static override get className(): string {
    return 'AdamW';
  }

  readonly decay: number;
  readonly #decays: (variable: tf.Variable) => boolean;

  constructor(rate: number, settings: AdamWSettings = {}) {
    const { decay = 0.01, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, decays = () => true } = settings;
    super(rate, beta1, beta2, epsilon);
    this.decay = decay;
    this.#decays = decays;
  }

  override applyGradients(gradients: Parameters<tf.AdamOptimizer['applyGradients']>[0]): void {
    const names = Array.isArray(gradients) ? gradients.map(({ name }) => name) : Object.keys(gradients);
    const variables = tf.engine().registeredVariables;
    tf.tidy(() => {
      for (const name of names) {
        const variable = variables[name] as tf.Variable;
        if (!this.#decays(variable)) continue;
        // Two products: the rate is a scalar of its own, which a recorded step finds and a schedule may change.
        variable.assign(tf.sub(variable, tf.mul(tf.mul(variable, this.learningRate), this.decay)));
      }
    });
    super.applyGradients(gradients);
  }

  override getConfig(): ReturnType<tf.AdamOptimizer['getConfig']> {
    return { ...super.getConfig(), decay: this.decay };
  }
}

const makers = {
  sgd: (rate: number) => tf.train.sgd(rate),
  momentum: (rate: number, { momentum = 0.9, nesterov = false } = {} as OptimizerSettings) =>
    tf.train.momentum(rate, momentum, nesterov),
  adam: (rate: number, { beta1, beta2, epsilon } = {} as OptimizerSettings) =>
    tf.train.adam(rate, beta1, beta2, epsilon),
  adamW: (rate: number, settings = {} as OptimizerSettings) => new AdamW(rate, settings),
  rmsprop: (rate: number, { decay = 0.9, momentum = 0, epsilon } = {} as OptimizerSettings) =>
    tf.train.rmsprop(rate, decay, momentum, epsilon),
  adagrad: (rate: number) => tf.train.adagrad(rate),
};

export interface OptimizerSettings extends AdamWSettings {
  momentum?: number;
  nesterov?: boolean;
}

/** An optimizer: `sgd`, `momentum`, `adam`, `adamW`, `rmsprop` or `adagrad`, at a rate, with the settings of its kind. */
export function optimizer(
  name: keyof typeof makers,
  rate: number,
  settings?: OptimizerSettings,
): tf.Optimizer {
  if (!Object.hasOwn(makers, name)) {
    throw new RecipeFault(`there is no optimizer '${name}'`, `take one of ${Object.keys(makers).join(', ')}`);
  }
  if (!(Number.isFinite(rate) && rate >= 0)) {
    throw new RecipeFault(`the learning rate is ${rate}`, 'give a number of 0 or more');
  }
  return makers[name](rate, settings);
}
