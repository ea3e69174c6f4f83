// A net of the list as a training step of TensorFlow.js, with seeded weights and one seeded batch.
import { generator } from '@retraind/pipeline/random';
import {
  type Batch,
  compileStep,
  eagerStep,
  type HostTensor,
  type TrainingStep,
} from '@retraind/pipeline/step/step';
import * as tf from '@retraind/pipeline/tf';
import type { NetSpec } from './nets.ts';

export interface NetStep {
  step: TrainingStep;
  variables: tf.Variable[];
  /** The n-th batch, from 0: new values each time, as training feeds them. */
  batch(n: number): Batch;
}

const glorot = (shape: number[], name: string): tf.Variable => {
  const size = shape.reduce((product, length) => product * length, 1);
  const outputs = shape.at(-1)!;
  const receptive = size / outputs / shape.at(-2)!;
  const limit = Math.sqrt(6 / (receptive * (shape.at(-2)! + outputs)));
  const next = generator(1, name);
  return tf.variable(
    tf.tensor(
      Float32Array.from({ length: size }, () => limit * (2 * next() - 1)),
      shape,
    ),
  );
};

/** Builds the layers; answers the weights in order and the logits of a batch of records. */
function built({ input, layers }: NetSpec): {
  variables: tf.Variable[];
  logits: (x: tf.Tensor) => tf.Tensor;
} {
  const variables: tf.Variable[] = [];
  const forwards: ((x: tf.Tensor) => tf.Tensor)[] = [];
  let shape = input;
  for (const [index, layer] of layers.entries()) {
    if (layer.kind === 'conv') {
      const kernel = glorot([layer.size, layer.size, shape[2]!, layer.filters], `net/${index}`);
      const bias = tf.variable(tf.zeros([layer.filters]));
      variables.push(kernel, bias);
      forwards.push((x) =>
        tf.relu(tf.add(tf.conv2d(x as tf.Tensor4D, kernel as tf.Tensor4D, 1, 'same'), bias)),
      );
      shape = [shape[0]!, shape[1]!, layer.filters];
    } else if (layer.kind === 'pool') {
      const { size } = layer;
      forwards.push((x) => tf.maxPool(x as tf.Tensor4D, size, size, 'valid'));
      shape = [Math.floor(shape[0]! / size), Math.floor(shape[1]! / size), shape[2]!];
    } else if (layer.kind === 'flatten') {
      const size = shape.reduce((product, length) => product * length, 1);
      forwards.push((x) => tf.reshape(x, [x.shape[0]!, size]));
      shape = [size];
    } else {
      const kernel = glorot([shape[0]!, layer.units], `net/${index}`);
      const bias = tf.variable(tf.zeros([layer.units]));
      variables.push(kernel, bias);
      const { activation } = layer;
      forwards.push((x) => {
        const sum = tf.add(tf.matMul(x as tf.Tensor2D, kernel as tf.Tensor2D), bias);
        return activation === 'relu' ? tf.relu(sum) : sum;
      });
      shape = [layer.units];
    }
  }
  return { variables, logits: (x) => forwards.reduce((values, forward) => forward(values), x) };
}

/** Some batches are made ahead and taken in turn: making them is no part of a step. */
const kept = 4;

export function netStep(net: NetSpec, mode: 'compiled' | 'eager', batchSize = net.batch): NetStep {
  const { variables, logits } = built(net);
  const batches = Array.from({ length: kept }, (_, n) => {
    const next = generator(2 + n, 'batch');
    const shape = [batchSize, ...net.input];
    const x: HostTensor = {
      shape,
      values: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => next()),
    };
    const y: HostTensor = {
      shape: [batchSize, net.classes],
      values: new Float32Array(batchSize * net.classes),
    };
    for (let row = 0; row < batchSize; row++)
      y.values[row * net.classes + Math.floor(next() * net.classes)] = 1;
    return { x, y };
  });
  const options = {
    optimizer: tf.train.adam(1e-3),
    variables,
    loss: ({ x, y }: Record<string, tf.Tensor>) =>
      tf.neg(tf.mean(tf.sum(tf.mul(y!, tf.logSoftmax(logits(x!))), -1))) as tf.Scalar,
  };
  const step = mode === 'compiled' ? compileStep(options) : eagerStep(options);
  return { step, variables, batch: (n) => batches[n % kept]! };
}
