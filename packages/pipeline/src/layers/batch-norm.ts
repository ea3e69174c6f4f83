// Batch normalisation over the last axis. In training a batch is brought to its own mean and variance, and the averages of
// both move towards them by tf.Variable.assign inside the step, so that a recorded step moves them too.
import * as tf from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import { type Family, type FirstLayer, inputShape, type Layer, setting } from './family.ts';
import { nextLayer } from './numbering.ts';

export interface NormOptions extends FirstLayer {
  /** Added to the variance; 1e-3 unless said otherwise. */
  epsilon?: number;
}

export interface BatchNormOptions extends NormOptions {
  /** Share of the old average that a step keeps; 0.99 unless said otherwise. */
  momentum?: number;
}

/** Each channel brought to mean 0 and variance 1, then scaled and shifted by weights that start at 1 and 0. */
export const batchNorm = (options: BatchNormOptions = {}): ReturnType<typeof layers.batchNormalization> =>
  layers.batchNormalization({
    name: nextLayer('batch_norm').name,
    momentum: options.momentum ?? 0.99,
    epsilon: options.epsilon ?? 1e-3,
    ...inputShape(options),
  });

interface Parts {
  gamma: tf.Tensor | null;
  beta: tf.Tensor | null;
  mean: tf.Variable;
  variance: tf.Variable;
}

function partsOf(layer: Layer): Parts {
  const weights = layer.weights.map((variable) => variable.read() as tf.Variable);
  const variance = weights.pop()!;
  const mean = weights.pop()!;
  const gamma = setting<boolean>(layer, 'scale') ? weights.shift()! : null;
  return { gamma, beta: weights[0] ?? null, mean, variance };
}

/** average ← average - (average - value) · (1 - momentum), as tfjs has it. */
function move(average: tf.Variable, value: tf.Tensor, momentum: number): void {
  const fresh = tf.reshape(value, average.shape);
  average.assign(tf.sub(average, tf.mul(tf.sub(average, fresh), 1 - momentum)));
}

export const batchNormFamily: Family = {
  refusal(layer) {
    const axis = setting<number>(layer, 'axis');
    const rank = layer.outputShape.length;
    return axis === -1 || axis === rank - 1 ? null : `normalises the axis ${axis}, not the last one`;
  },
  forward(layer, x, { training }) {
    const { gamma, beta, mean, variance } = partsOf(layer);
    const epsilon = setting<number>(layer, 'epsilon');
    if (!training || !layer.trainable) {
      const scale = tf.div(gamma ?? tf.onesLike(variance), tf.sqrt(tf.add(variance, epsilon)));
      const scaled = tf.mul(tf.sub(x, mean), scale);
      return beta === null ? scaled : tf.add(scaled, beta);
    }
    // In plain operations: tfjs's fused one has a gradient of many more.
    const axes = x.shape.slice(0, -1).map((_, axis) => axis);
    const batchMean = tf.mean(x, axes, true);
    const centred = tf.sub(x, batchMean);
    const batchVariance = tf.mean(tf.square(centred), axes, true);
    const momentum = setting<number>(layer, 'momentum');
    move(mean, batchMean, momentum);
    move(variance, batchVariance, momentum);
    const deviation = tf.sqrt(tf.add(batchVariance, epsilon));
    const scaled = tf.mul(centred, gamma === null ? tf.div(1, deviation) : tf.div(gamma, deviation));
    return beta === null ? scaled : tf.add(scaled, beta);
  },
  draw(layer, draft) {
    const { name } = layer;
    const { gamma, beta, mean, variance } = partsOf(layer);
    const channels = mean.shape;
    const filled = (value: number) => new Float32Array(channels[0]!).fill(value);
    draft.channelsFirst();
    const constants = [
      draft.floats(`${name}_gamma`, channels, gamma ? draft.values(gamma) : filled(1)),
      draft.floats(`${name}_beta`, channels, beta ? draft.values(beta) : filled(0)),
      draft.floats(`${name}_mean`, channels, draft.values(mean)),
      draft.floats(`${name}_variance`, channels, draft.values(variance)),
    ];
    draft.step(
      'BatchNormalization',
      name,
      constants,
      { ...draft.current, name: `${name}_output` },
      {
        epsilon: { float: setting<number>(layer, 'epsilon') },
      },
    );
  },
};
