// Pools over images, [N, height, width, channels].
import * as tf from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import { type Family, type FirstLayer, inputShape } from './family.ts';
import { nextLayer } from './numbering.ts';
import { type Padding, type Pair, windowAttributes, windowOf, windowRefusal } from './window.ts';

export interface PoolOptions extends FirstLayer {
  /** The window's own size unless said otherwise: windows side by side. */
  stride?: Pair;
  /** `valid` unless said otherwise. */
  padding?: Padding;
}

const settings = (name: string, size: Pair, options: PoolOptions) => ({
  name: nextLayer(name).name,
  poolSize: size as number | [number, number],
  strides: (options.stride ?? size) as number | [number, number],
  padding: options.padding ?? 'valid',
  ...inputShape(options),
});

/** The largest value of each window, 2×2 unless said otherwise. */
export const maxPool = (size: Pair = 2, options: PoolOptions = {}): ReturnType<typeof layers.maxPooling2d> =>
  layers.maxPooling2d(settings('max_pool', size, options));

/** The mean of each window (padding does not count), 2×2 unless said otherwise. */
export const averagePool = (
  size: Pair = 2,
  options: PoolOptions = {},
): ReturnType<typeof layers.averagePooling2d> =>
  layers.averagePooling2d(settings('average_pool', size, options));

/** The mean of each channel over the whole image: [N, height, width, channels] → [N, channels]. */
export const globalAveragePool = (
  options: FirstLayer = {},
): ReturnType<typeof layers.globalAveragePooling2d> =>
  // tfjs's types ask for the data's format, its code takes channels last where it is not said.
  layers.globalAveragePooling2d({
    name: nextLayer('global_average_pool').name,
    dataFormat: 'channelsLast',
    ...inputShape(options),
  });

const pool = (
  compute: typeof tf.maxPool,
  opType: 'MaxPool' | 'AveragePool',
  attributes: Record<string, number>,
): Family => ({
  refusal: windowRefusal,
  forward(layer, x) {
    const { size, strides, padding } = windowOf(layer, 'poolSize');
    return compute(x as tf.Tensor4D, size, strides, padding);
  },
  draw(layer, draft) {
    draft.channelsFirst();
    const shape = (layer.outputShape as number[]).slice(1);
    draft.step(
      opType,
      layer.name,
      [],
      { name: `${layer.name}_output`, shape, channelsFirst: true },
      { ...windowAttributes(windowOf(layer, 'poolSize'), draft.current.shape), ...attributes },
    );
  },
});

export const maxPoolFamily = pool(tf.maxPool, 'MaxPool', {});
export const averagePoolFamily = pool(tf.avgPool, 'AveragePool', { count_include_pad: 0 });

export const globalAveragePoolFamily: Family = {
  refusal: (layer) => (layer.getConfig().dataFormat === 'channelsFirst' ? 'has its channels first' : null),
  forward: (_layer, x) => tf.mean(x, [1, 2]),
  draw(layer, draft) {
    const axes = draft.current.channelsFirst ? [2, 3] : [1, 2];
    const shape = draft.current.shape.slice(-1);
    draft.step('ReduceMean', layer.name, [], { name: `${layer.name}_output`, shape }, { axes, keepdims: 0 });
  },
};
