// Dense layers that start from the run's seed, and the forward pass that training uses.
import * as tf from '@tensorflow/tfjs-core';
import { initializers, layers, type Sequential } from '@tensorflow/tfjs-layers';
import { RecipeFault } from './fault.ts';
import { layerSeed } from './random.ts';
import { run } from './run.ts';

export const activations = ['linear', 'relu', 'sigmoid', 'tanh', 'softmax'] as const;
export type Activation = (typeof activations)[number];

let made = 0;

/**
 * A dense layer of `units` outputs. Its weights start from Glorot's uniform distribution, seeded by the run's seed and the
 * layer's number in the script; its biases start at 0. The first layer of a net says how many `inputs` it takes.
 */
export function dense(
  units: number,
  activation: Activation,
  options: { inputs?: number } = {},
): ReturnType<typeof layers.dense> {
  made += 1;
  return layers.dense({
    name: `dense_${made}`,
    units,
    activation,
    kernelInitializer: initializers.glorotUniform({ seed: layerSeed(run.seed, made) }),
    biasInitializer: 'zeros',
    ...(options.inputs === undefined ? {} : { inputShape: [options.inputs] }),
  });
}

/** One dense layer of a net, taken apart. */
export interface DenseParts {
  name: string;
  activation: Activation;
  /** [inputs, units] */
  kernel: tf.Tensor2D;
  /** [units]; null where the layer has none. */
  bias: tf.Tensor1D | null;
}

/** The layers of a sequential net of dense layers. Throws a RecipeFault that names the first layer of another kind. */
export function denseParts(model: Sequential): DenseParts[] {
  return model.layers
    .filter((layer) => layer.getClassName() !== 'InputLayer')
    .map((layer) => {
      const refuse = (what: string): RecipeFault =>
        new RecipeFault(`layer '${layer.name}' ${what}`, `use Dense layers with ${activations.join(', ')}`);
      const kind = layer.getClassName();
      if (kind !== 'Dense') throw refuse(`is a ${kind}, which is not supported`);
      const name = String(layer.getConfig().activation);
      const activation = activations.find((known) => known === name);
      if (!activation) throw refuse(`has the activation '${name}', which is not supported`);
      const [kernel, bias] = layer.weights.map((weight) => weight.read());
      if (!kernel) throw refuse('has no weights yet: say how many inputs the first layer takes');
      return {
        name: layer.name,
        activation,
        kernel: kernel as tf.Tensor2D,
        bias: (bias as tf.Tensor1D) ?? null,
      };
    });
}

const apply: Record<Activation, (x: tf.Tensor2D) => tf.Tensor2D> = {
  linear: (x) => x,
  relu: (x) => tf.relu(x),
  sigmoid: (x) => tf.sigmoid(x),
  tanh: (x) => tf.tanh(x),
  softmax: (x) => tf.softmax(x),
};

/**
 * The net's outputs for x, [N, inputs]; `logits`: without the last activation. Product, bias and activation are separate
 * kernels: tfjs's fused product computes the gradient of the data too, only to throw it away.
 */
export function forward(parts: DenseParts[], x: tf.Tensor2D, form: 'logits' | 'outputs'): tf.Tensor2D {
  let values = x;
  for (const [index, { kernel, bias, activation }] of parts.entries()) {
    const product = tf.matMul<tf.Tensor2D>(values, kernel);
    const sum: tf.Tensor2D = bias === null ? product : tf.add(product, bias);
    values = form === 'logits' && index === parts.length - 1 ? sum : apply[activation](sum);
  }
  return values;
}
