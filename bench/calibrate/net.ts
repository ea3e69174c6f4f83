// Nets whose first weights and whose training are a function of a seed, in the terms of the study that the tasks repeat.

import type { Schedule } from '@retraind/pipeline/fit/schedule';
import { forward, netOf } from '@retraind/pipeline/layers/net';
import { epochOrder, generator } from '@retraind/pipeline/random';
import { compileStep } from '@retraind/pipeline/step/step';
import * as tf from '@retraind/pipeline/tf';

/**
 * Weights and biases uniform in ±1/sqrt(inputs of a unit), as PyTorch starts linear and convolutional layers (a kernel comes
 * before its bias).
 */
export const startAsPyTorch = (model: tf.Sequential, seed: number): void => {
  for (const layer of model.layers) {
    const [kernel] = layer.getWeights();
    if (!kernel) continue;
    const bound = 1 / Math.sqrt(kernel.size / kernel.shape.at(-1)!);
    const drawn = layer.getWeights().map(({ shape, size }, index) => {
      const next = generator(seed, `start/${layer.name}/${index}`);
      return tf.tensor(
        Float32Array.from({ length: size }, () => bound * (2 * next() - 1)),
        shape,
      );
    });
    layer.setWeights(drawn);
    tf.dispose(drawn);
  }
};

/** SGD with momentum and decay as PyTorch has it: the decay is part of the gradient, and so of the momentum. */
export class DecayedMomentum extends tf.MomentumOptimizer {
  static override get className(): string {
    return 'DecayedMomentum';
  }

  readonly decay: number;

  constructor(rate: number, momentum: number, decay: number) {
    super(rate, momentum);
    this.decay = decay;
  }

  override applyGradients(gradients: Parameters<tf.MomentumOptimizer['applyGradients']>[0]): void {
    const named = Array.isArray(gradients)
      ? gradients
      : Object.entries(gradients).map(([name, tensor]) => ({ name, tensor }));
    const variables = tf.engine().registeredVariables;
    const decayed = named.map(({ name, tensor }) => ({
      name,
      tensor: tf.tidy(() => tf.add(tensor, tf.mul(variables[name]!, this.decay))),
    }));
    super.applyGradients(decayed);
    tf.dispose(decayed.map(({ tensor }) => tensor));
  }

  override getConfig(): ReturnType<tf.MomentumOptimizer['getConfig']> {
    return { ...super.getConfig(), decay: this.decay };
  }
}

/** Class probabilities, rows × classes, of records (rows × columns), by the open engine. */
export const probabilities = (model: tf.Sequential, records: Float32Array, rows: number): Float32Array => {
  const net = netOf(model);
  return tf.tidy(() => {
    const x = tf.tensor(records, [rows, ...net.inputShape]);
    return forward(net, x, { training: false }).dataSync<'float32'>().slice();
  });
};

/** Records with what the net is to give, as probabilities in place of class numbers. */
export interface SoftSet {
  rows: number;
  /** rows × columns. */
  records: Float32Array;
  /** rows × outputs. */
  answers: Float32Array;
}

/** Mean loss of a batch in nats, from logits. */
type SoftLoss = (logits: tf.Tensor, answers: tf.Tensor) => tf.Scalar;

/** Cross entropy of classes that exclude each other. */
export const classEntropy: SoftLoss = (logits, answers) =>
  tf.neg(tf.mean(tf.sum(tf.mul(answers, tf.logSoftmax(logits)), -1))) as tf.Scalar;

/** Cross entropies of outputs that are each a probability of its own, added up. */
export const bernoulliEntropies: SoftLoss = (logits, answers) =>
  tf.mean(tf.sum(tf.sub(tf.softplus(logits), tf.mul(answers, logits)), -1)) as tf.Scalar;

/** Trains `model` to soft answers, an order of rows an epoch, in whole batches only. */
export const trainToAnswers = async (
  model: tf.Sequential,
  { rows, records, answers }: SoftSet,
  options: {
    loss: SoftLoss;
    optimizer: tf.Optimizer;
    /** The optimizer's own rate where absent. */
    schedule?: Schedule;
    batchSize: number;
    epochs: number;
    seed: number;
  },
): Promise<void> => {
  const { loss, optimizer, schedule, batchSize, epochs, seed } = options;
  const net = netOf(model);
  const step = compileStep({
    optimizer,
    variables: net.trainable,
    loss: ({ x, y }) => loss(forward(net, x!, { training: true, logits: true }), y!),
    hold: {
      x: { shape: [rows, ...net.inputShape], values: records },
      y: { shape: [rows, answers.length / rows], values: answers },
    },
  });
  const perEpoch = Math.floor(rows / batchSize);
  const steps = perEpoch * epochs;
  for (let epoch = 1, done = 0; epoch <= epochs; epoch++) {
    const order = epochOrder(rows, seed, epoch);
    for (let batch = 0; batch < perEpoch; batch++, done++) {
      if (schedule) step.setLearningRate(schedule(done + 1, steps));
      const batchRows = order.slice(batch * batchSize, (batch + 1) * batchSize);
      await step.train({ x: { rows: batchRows }, y: { rows: batchRows } });
    }
  }
  await step.pull();
  step.dispose();
};

/** A rate that falls linearly, to 0 after the last step. */
export const fallingRate =
  (rate: number): Schedule =>
  (step, steps) =>
    rate * (1 - (step - 1) / steps);

/** Changes every weight in place of a copy: `change` gets its values and its layer's name. */
export const changeWeights = (
  model: tf.Sequential,
  change: (values: Float32Array, layer: string, index: number) => void,
): void => {
  for (const layer of model.layers) {
    const changed = layer.getWeights().map((weight, index) => {
      const values = weight.dataSync<'float32'>().slice();
      change(values, layer.name, index);
      return tf.tensor(values, weight.shape);
    });
    layer.setWeights(changed);
    tf.dispose(changed);
  }
};
