// Convolution over images, [N, height, width, channels].
import * as tf from '@tensorflow/tfjs-core';
import { initializers, layers } from '@tensorflow/tfjs-layers';
import type { Draft } from '../onnx/draft.ts';
import { permuted } from '../onnx/permuted.ts';
import { type Activation, activate, activationOf, activationRefusal } from './activation.ts';
import { type Family, type FirstLayer, inputShape, type Layer, weight } from './family.ts';
import { nextLayer } from './numbering.ts';
import { type Padding, type Pair, windowAttributes, windowOf, windowRefusal } from './window.ts';

export interface ConvOptions extends FirstLayer {
  /** 1 unless said otherwise. */
  stride?: Pair;
  /** `valid` unless said otherwise. */
  padding?: Padding;
}

/** `filters` convolutions by a window of `size`. Weights start from Glorot's uniform distribution, seeded; biases at 0. */
export function conv2d(
  filters: number,
  size: Pair,
  activation: Activation,
  options: ConvOptions = {},
): ReturnType<typeof layers.conv2d> {
  const { name, seed } = nextLayer('conv2d');
  return layers.conv2d({
    name,
    filters,
    kernelSize: size as number | [number, number],
    strides: (options.stride ?? 1) as number | [number, number],
    padding: options.padding ?? 'valid',
    activation,
    kernelInitializer: initializers.glorotUniform({ seed: seed() }),
    biasInitializer: 'zeros',
    ...inputShape(options),
  });
}

type KernelShape = [height: number, width: number, channels: number, outputs: number];

/** How a kernel lies in ONNX, from its shape in tfjs. */
interface ConvForm {
  /** Of the axes. */
  order: number[];
  shape: number[];
  group: number;
}

/** Draws a layer of convolution as ONNX's Conv, with its bias and activation. */
export function drawConv(layer: Layer, draft: Draft, formOf: (shape: KernelShape) => ConvForm): void {
  const { name } = layer;
  draft.channelsFirst();
  const window = windowOf(layer, 'kernelSize');
  const kernel = weight(layer, 0);
  const { order, shape, group } = formOf(kernel.shape as KernelShape);
  const weights = permuted(draft.values(kernel), kernel.shape, order);
  const constants = [draft.floats(`${name}_kernel`, shape, weights)];
  if (layer.weights[1]) {
    constants.push(draft.floats(`${name}_bias`, [shape[0]!], draft.values(weight(layer, 1))));
  }
  const chosen = activationOf(layer)!;
  const result = {
    name: chosen === 'linear' ? `${name}_output` : `${name}_sum`,
    shape: (layer.outputShape as number[]).slice(1),
    channelsFirst: true,
  };
  draft.step('Conv', name, constants, result, {
    ...windowAttributes(window, draft.current.shape),
    dilations: window.dilation,
    // Left out, it is 1.
    ...(group === 1 ? {} : { group }),
  });
  draft.activate(chosen, name);
}

export const conv2dFamily: Family = {
  refusal: (layer) => windowRefusal(layer) ?? activationRefusal(layer),
  forward(layer, x, pass) {
    const { strides, dilation, padding } = windowOf(layer, 'kernelSize');
    const [kernel, bias] = layer.weights.map((variable) => variable.read());
    // Bias and activation apart, as in dense layers: the bits are the same on an engine that fuses and one that does not.
    const places = tf.conv2d(x as tf.Tensor4D, kernel as tf.Tensor4D, strides, padding, 'NHWC', dilation);
    return activate(layer, bias === undefined ? places : tf.add(places, bias), pass);
  },
  draw(layer, draft) {
    drawConv(layer, draft, ([height, width, channels, filters]) => ({
      order: [3, 2, 0, 1],
      shape: [filters, channels, height, width],
      group: 1,
    }));
  },
};
