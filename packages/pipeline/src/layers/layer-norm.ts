// Layer normalisation: each record (each place of it) by itself, over its last axis.
import * as tf from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import type { NormOptions } from './batch-norm.ts';
import { type Family, inputShape, type Layer, setting } from './family.ts';
import { nextLayer } from './numbering.ts';

/** The last axis brought to mean 0 and variance 1, then scaled and shifted by weights that start at 1 and 0. */
export const layerNorm = (options: NormOptions = {}): ReturnType<typeof layers.layerNormalization> =>
  layers.layerNormalization({
    name: nextLayer('layer_norm').name,
    epsilon: options.epsilon ?? 1e-3,
    ...inputShape(options),
  });

function partsOf(layer: Layer): { gamma: tf.Tensor | null; beta: tf.Tensor | null } {
  const weights = layer.weights.map((variable) => variable.read());
  const gamma = setting<boolean>(layer, 'scale') ? weights.shift()! : null;
  return { gamma, beta: weights[0] ?? null };
}

export const layerNormFamily: Family = {
  refusal(layer) {
    const axes = [setting<number | number[]>(layer, 'axis')].flat();
    const last = layer.outputShape.length - 1;
    const isLast = axes.length === 1 && (axes[0] === -1 || axes[0] === last);
    return isLast ? null : `normalises the axes ${axes.join(', ')}, not the last one`;
  },
  forward(layer, x) {
    const { gamma, beta } = partsOf(layer);
    const centred = tf.sub(x, tf.mean(x, -1, true));
    const variance = tf.mean(tf.square(centred), -1, true);
    const normal = tf.div(centred, tf.sqrt(tf.add(variance, setting<number>(layer, 'epsilon'))));
    const scaled = gamma === null ? normal : tf.mul(normal, gamma);
    return beta === null ? scaled : tf.add(scaled, beta);
  },
  // Opset 14 has no operator for it (17 has).
  draw(layer, draft) {
    const { name } = layer;
    const { gamma, beta } = partsOf(layer);
    draft.channelsLast();
    const { shape } = draft.current;
    const input = draft.current.name;
    const value = (part: string) => ({ name: `${name}_${part}`, shape });
    const epsilon = Float32Array.of(setting<number>(layer, 'epsilon'));
    draft.node('ReduceMean', `${name}_mean`, [input], [`${name}_mean`], { axes: [-1], keepdims: 1 });
    draft.step('Sub', `${name}_centre`, [`${name}_mean`], value('centred'));
    const centred = draft.current;
    draft.step('Mul', `${name}_square`, [centred.name], value('squared'));
    draft.step('ReduceMean', `${name}_variance`, [], value('variance'), { axes: [-1], keepdims: 1 });
    draft.step('Add', `${name}_above`, [draft.floats(`${name}_epsilon`, [], epsilon)], value('above'));
    draft.step('Sqrt', `${name}_root`, [], value('deviation'));
    const deviation = draft.current.name;
    draft.current = centred;
    draft.step('Div', `${name}_divide`, [deviation], value('normal'));
    if (gamma) {
      const scale = draft.floats(`${name}_gamma`, gamma.shape, draft.values(gamma));
      draft.step('Mul', `${name}_scale`, [scale], value('scaled'));
    }
    if (beta) {
      const shift = draft.floats(`${name}_beta`, beta.shape, draft.values(beta));
      draft.step('Add', `${name}_shift`, [shift], value('output'));
    }
  },
};
