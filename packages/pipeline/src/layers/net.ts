// A sequential net as training, prediction and the ONNX writer see it.
import type * as tf from '@tensorflow/tfjs-core';
import type { Sequential } from '@tensorflow/tfjs-layers';
import { RecipeFault } from '../fault.ts';
import { type Activation, activationOf } from './activation.ts';
import { families } from './families.ts';
import type { Family, Layer, Pass } from './family.ts';

/** A layer, and what computes it: its family, or (with the reason) tfjs's own code. */
export interface NetLayer {
  layer: Layer;
  family: Family | null;
  refusal: string | null;
}

export interface Net {
  layers: NetLayer[];
  /** Of one record. */
  inputShape: number[];
  /** Of one record. */
  outputShape: number[];
  /** The name of the last layer, for messages, and the activation that the net ends with. */
  last: { name: string; activation: Activation | null };
  /** What an optimizer moves. */
  trainable: tf.Variable[];
  /** Every variable of the net in the layers' order: also averages, counters and frozen weights. */
  variables: tf.Variable[];
}

const variablesOf = (weights: Layer['weights']): tf.Variable[] =>
  weights.map((weight) => weight.read() as tf.Variable);

function taken(layer: Layer): NetLayer {
  const kind = layer.getClassName();
  const family = families[kind] ?? null;
  const refusal = family === null ? `is a ${kind}` : family.refusal(layer);
  return { layer, family: refusal === null ? family : null, refusal };
}

/** Takes a sequential net apart. Throws a RecipeFault where it has no layer, or records of no fixed shape. */
export function netOf(model: Sequential): Net {
  const layers = model.layers.filter((layer) => layer.getClassName() !== 'InputLayer').map(taken);
  const first = layers[0];
  const last = layers.at(-1);
  if (!first || !last) throw new RecipeFault('the net has no layer', 'give it at least one layer');
  const shape = ([, ...record]: readonly (number | null)[], which: string): number[] => {
    if (record.some((length) => length === null)) {
      throw new RecipeFault(`the net's ${which} has no fixed shape`, 'say each length but that of the batch');
    }
    return record as number[];
  };
  return {
    layers,
    inputShape: shape(model.inputs[0]!.shape, 'input'),
    outputShape: shape(model.outputs[0]!.shape, 'output'),
    last: { name: last.layer.name, activation: last.family ? activationOf(last.layer) : null },
    trainable: variablesOf(layers.flatMap(({ layer }) => layer.trainableWeights)),
    variables: layers.flatMap(({ layer, family }) => [
      ...variablesOf(layer.weights),
      ...(family?.state?.(layer) ?? []),
    ]),
  };
}

/** The net's outputs for x, [N, …inputShape]. `logits`: without the activation that it ends with. */
export function forward(net: Net, x: tf.Tensor, pass: Pass): tf.Tensor {
  const { logits, ...inner } = pass;
  return net.layers.reduce((values, { layer, family }, index) => {
    const own = logits && index === net.layers.length - 1 ? pass : inner;
    return (
      family?.forward(layer, values, own) ?? (layer.apply(values, { training: own.training }) as tf.Tensor)
    );
  }, x);
}
