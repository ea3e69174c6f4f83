// Records in another shape: the values stay in their order.
import * as tf from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import type { Draft } from '../onnx/draft.ts';
import { type Family, type FirstLayer, inputShape, type Layer, setting } from './family.ts';
import { nextLayer } from './numbering.ts';

/** Each record as one row. */
export const flatten = (options: FirstLayer = {}): ReturnType<typeof layers.flatten> =>
  layers.flatten({ name: nextLayer('flatten').name, ...inputShape(options) });

/** Each record in `shape`. As the first layer it lets a net take flat records: `reshape([28, 28, 1], { inputs: 784 })`. */
export const reshape = (
  shape: readonly number[],
  options: FirstLayer = {},
): ReturnType<typeof layers.reshape> =>
  layers.reshape({ name: nextLayer('reshape').name, targetShape: [...shape], ...inputShape(options) });

const recordShape = (layer: Layer): number[] => (layer.outputShape as number[]).slice(1);

function draw(layer: Layer, draft: Draft): void {
  draft.channelsLast();
  const shape = recordShape(layer);
  // 0 keeps the batch's own length.
  const target = draft.integers(`${layer.name}_shape`, [0, ...shape]);
  draft.step('Reshape', layer.name, [target], { name: `${layer.name}_output`, shape });
}

const forward = (layer: Layer, x: tf.Tensor): tf.Tensor =>
  tf.reshape(x, [x.shape[0]!, ...recordShape(layer)]);

export const flattenFamily: Family = {
  refusal: (layer) => (setting(layer, 'dataFormat') === 'channelsFirst' ? 'has its channels first' : null),
  forward,
  draw,
};

export const reshapeFamily: Family = { refusal: () => null, forward, draw };
