// Dense layers that start from the run's seed, and the forward pass that training uses.
import * as tf from '@tensorflow/tfjs-core';
import { initializers, layers } from '@tensorflow/tfjs-layers';
import { type Activation, activate, activationOf, activationRefusal } from './activation.ts';
import { type Family, type FirstLayer, inputShape, weight } from './family.ts';
import { nextLayer } from './numbering.ts';

/**
 * A dense layer of `units` outputs. Its weights start from Glorot's uniform distribution, seeded by the run's seed and the
 * layer's number in the script; its biases start at 0. The first layer of a net says how many `inputs` it takes.
 */
export function dense(
  units: number,
  activation: Activation,
  options: FirstLayer = {},
): ReturnType<typeof layers.dense> {
  const { name, seed } = nextLayer('dense');
  return layers.dense({
    name,
    units,
    activation,
    kernelInitializer: initializers.glorotUniform({ seed: seed() }),
    biasInitializer: 'zeros',
    ...inputShape(options),
  });
}

/**
 * x, [N, inputs], times kernel, [inputs, units], plus bias. Product and sum are separate kernels: tfjs's fused product computes
 * the gradient of the data too, only to throw it away.
 */
export function affine(x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor | undefined): tf.Tensor {
  const product = tf.matMul(x as tf.Tensor2D, kernel as tf.Tensor2D);
  return bias === undefined ? product : tf.add(product, bias);
}

export const denseFamily: Family = {
  refusal: activationRefusal,
  forward(layer, x, pass) {
    const [kernel, bias] = layer.weights.map((variable) => variable.read());
    if (x.rank === 2) return activate(layer, affine(x, kernel!, bias), pass);
    // A sequence: each of its places by the same weights.
    const places = tf.reshape(x, [-1, x.shape.at(-1)!]);
    const sum = tf.reshape(affine(places, kernel!, bias), [...x.shape.slice(0, -1), kernel!.shape[1]!]);
    return activate(layer, sum, pass);
  },
  draw(layer, draft) {
    const { name } = layer;
    draft.channelsLast();
    const kernel = draft.floats(`${name}_kernel`, weight(layer, 0).shape, draft.values(weight(layer, 0)));
    const bias = layer.weights[1] && weight(layer, 1);
    const biases = bias ? [draft.floats(`${name}_bias`, bias.shape, draft.values(bias))] : [];
    const chosen = activationOf(layer)!;
    const result = chosen === 'linear' ? `${name}_output` : `${name}_sum`;
    const shape = [...draft.current.shape.slice(0, -1), weight(layer, 0).shape[1]!];
    if (shape.length === 1) {
      draft.step('Gemm', name, [kernel, ...biases], { name: result, shape });
    } else {
      draft.step('MatMul', name, [kernel], { name: bias ? `${name}_product` : result, shape });
      if (bias) draft.step('Add', `${name}_add`, biases, { name: result, shape });
    }
    draft.activate(chosen, name);
  },
};
