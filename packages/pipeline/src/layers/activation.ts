// Activations, as a layer of their own and at the end of others.
import * as tf from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import { type Family, type FirstLayer, inputShape, type Layer, type Pass, setting } from './family.ts';
import { nextLayer } from './numbering.ts';

export const activations = ['linear', 'relu', 'sigmoid', 'tanh', 'softmax'] as const;
export type Activation = (typeof activations)[number];

const functions: Record<Activation, (x: tf.Tensor) => tf.Tensor> = {
  linear: (x) => x,
  relu: (x) => tf.relu(x),
  sigmoid: (x) => tf.sigmoid(x),
  tanh: (x) => tf.tanh(x),
  softmax: (x) => tf.softmax(x),
};

/** An activation as a layer; over the last axis where it is `softmax`. */
export const activation = (
  name: Activation,
  options: FirstLayer = {},
): ReturnType<typeof layers.activation> =>
  layers.activation({ name: nextLayer('activation').name, activation: name, ...inputShape(options) });

/** The activation that a layer ends with; null where it has none, or one that is not known here. */
export function activationOf(layer: Layer): Activation | null {
  const name = setting<unknown>(layer, 'activation');
  return activations.find((known) => known === String(name)) ?? null;
}

export const activationRefusal = (layer: Layer): string | null =>
  activationOf(layer) === null ? `has the activation '${setting(layer, 'activation')}'` : null;

/** x through the layer's activation; as it is where the pass asks for logits. */
export const activate = (layer: Layer, x: tf.Tensor, { logits }: Pass): tf.Tensor =>
  logits ? x : functions[activationOf(layer)!](x);

export const activationFamily: Family = {
  refusal: activationRefusal,
  forward: activate,
  draw(layer, draft) {
    const name = activationOf(layer)!;
    if (name === 'softmax') draft.channelsLast();
    draft.activate(name, layer.name);
  },
};
