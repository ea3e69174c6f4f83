// Convolution of each channel by itself.
import * as tf from '@tensorflow/tfjs-core';
import { initializers, layers } from '@tensorflow/tfjs-layers';
import { type Activation, activate, activationRefusal } from './activation.ts';
import { type ConvOptions, drawConv } from './conv2d.ts';
import { type Family, inputShape } from './family.ts';
import { nextLayer } from './numbering.ts';
import { type Pair, windowOf, windowRefusal } from './window.ts';

export interface DepthwiseOptions extends ConvOptions {
  /** Outputs a channel; 1 unless said otherwise. */
  multiplier?: number;
}

/** Each channel by `multiplier` windows of its own. Weights start from Glorot's uniform distribution, seeded; biases at 0. */
export function depthwiseConv2d(
  size: Pair,
  activation: Activation,
  options: DepthwiseOptions = {},
): ReturnType<typeof layers.depthwiseConv2d> {
  const { name, seed } = nextLayer('depthwise');
  return layers.depthwiseConv2d({
    name,
    kernelSize: size as number | [number, number],
    depthMultiplier: options.multiplier ?? 1,
    strides: (options.stride ?? 1) as number | [number, number],
    padding: options.padding ?? 'valid',
    activation,
    depthwiseInitializer: initializers.glorotUniform({ seed: seed() }),
    biasInitializer: 'zeros',
    ...inputShape(options),
  });
}

export const depthwiseConv2dFamily: Family = {
  refusal: (layer) => windowRefusal(layer) ?? activationRefusal(layer),
  forward(layer, x, pass) {
    const { strides, dilation, padding } = windowOf(layer, 'kernelSize');
    const [kernel, bias] = layer.weights.map((variable) => variable.read());
    const places = tf.depthwiseConv2d(
      x as tf.Tensor4D,
      kernel as tf.Tensor4D,
      strides,
      padding,
      'NHWC',
      dilation,
    );
    return activate(layer, bias === undefined ? places : tf.add(places, bias), pass);
  },
  draw(layer, draft) {
    // Output channel c·multiplier + m, in TensorFlow as in a grouped Conv of ONNX.
    drawConv(layer, draft, ([height, width, channels, multiplier]) => ({
      order: [2, 3, 0, 1],
      shape: [channels * multiplier, 1, height, width],
      group: channels,
    }));
  },
};
