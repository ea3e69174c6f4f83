// What training is made of, as cases that every engine computes: a function of some tensors; its value and its gradients with
// respect to each of them are compared with the same code in double precision (float64.ts).
import type * as tfjs from '@tensorflow/tfjs-core';

export type Tf = typeof tfjs;
type T = tfjs.Tensor;

export interface KernelCase {
  name: string;
  /** Shapes of the inputs, which are drawn from a seeded stream. */
  inputs: readonly (readonly number[])[];
  /** Where the inputs lie; [-1, 1) unless said otherwise. */
  range?: readonly [low: number, high: number];
  compute(tf: Tf, ...inputs: T[]): T;
}

const unary = (
  name: string,
  compute: (tf: Tf, x: T) => T,
  range?: readonly [number, number],
): KernelCase => ({ name, inputs: [[3, 7]], compute, ...(range ? { range } : {}) });

const products: KernelCase[] = [false, true].flatMap((ta) =>
  [false, true].map((tb) => ({
    name: `matMul${ta ? ' transposed a' : ''}${tb ? ' transposed b' : ''}`,
    inputs: [ta ? [13, 9] : [9, 13], tb ? [10, 13] : [13, 10]],
    compute: (tf: Tf, a: T, b: T) => tf.matMul(a, b, ta, tb),
  })),
);

const convolutions: KernelCase[] = (
  [
    ['same', 1, 3, 3],
    ['valid', 1, 3, 3],
    ['same', 2, 3, 3],
    ['valid', 2, 2, 3],
    ['same', 1, 1, 1],
    ['same', 1, 5, 3],
  ] as const
).flatMap(([pad, stride, height, width]) => [
  {
    name: `conv2d ${height}x${width} stride ${stride} ${pad}`,
    inputs: [
      [3, 9, 8, 3],
      [height, width, 3, 5],
    ],
    compute: (tf: Tf, x: T, w: T) => tf.conv2d(x as tfjs.Tensor4D, w as tfjs.Tensor4D, stride, pad),
  },
  {
    name: `depthwiseConv2d ${height}x${width} stride ${stride} ${pad}`,
    inputs: [
      [2, 9, 8, 3],
      [height, width, 3, 2],
    ],
    compute: (tf: Tf, x: T, w: T) => tf.depthwiseConv2d(x as tfjs.Tensor4D, w as tfjs.Tensor4D, stride, pad),
  },
]);

const pools: KernelCase[] = (
  [
    [2, 2, 'valid'],
    [3, 2, 'same'],
    [3, 1, 'same'],
    [2, 2, 'same'],
  ] as const
).flatMap(([size, stride, pad]) =>
  (['maxPool', 'avgPool'] as const).map((kind) => ({
    name: `${kind} ${size} stride ${stride} ${pad}`,
    inputs: [[2, 7, 9, 3]],
    compute: (tf: Tf, x: T) => tf[kind](x as tfjs.Tensor4D, size, stride, pad),
  })),
);

export const kernelCases: readonly KernelCase[] = [
  ...products,
  {
    name: 'matMul of batches',
    inputs: [
      [3, 4, 5],
      [3, 5, 6],
    ],
    compute: (tf, a, b) => tf.matMul(a, b),
  },
  ...convolutions,
  {
    name: 'conv2dTranspose',
    inputs: [
      [2, 5, 5, 4],
      [3, 3, 3, 4],
    ],
    compute: (tf, x, w) =>
      tf.conv2dTranspose(x as tfjs.Tensor4D, w as tfjs.Tensor4D, [2, 10, 10, 3], 2, 'same'),
  },
  {
    name: 'conv1d',
    inputs: [
      [2, 11, 3],
      [3, 3, 4],
    ],
    compute: (tf, x, w) => tf.conv1d(x as tfjs.Tensor3D, w as tfjs.Tensor3D, 1, 'same'),
  },
  ...pools,
  {
    name: 'separableConv2d',
    inputs: [
      [2, 6, 6, 3],
      [3, 3, 3, 2],
      [1, 1, 6, 4],
    ],
    compute: (tf, x, d, p) =>
      tf.separableConv2d(x as tfjs.Tensor4D, d as tfjs.Tensor4D, p as tfjs.Tensor4D, 1, 'same'),
  },
  // tfjs has no gradient of these where an operand is broadcast.
  ...(['maximum', 'minimum', 'squaredDifference'] as const).map((op) => ({
    name: op,
    inputs: [
      [4, 6],
      [4, 6],
    ],
    compute: (tf: Tf, a: T, b: T) => tf[op](a, b),
  })),
  ...(['add', 'sub', 'mul'] as const).flatMap((op) => [
    {
      name: op,
      inputs: [
        [4, 6],
        [4, 6],
      ],
      compute: (tf: Tf, a: T, b: T) => tf[op](a, b),
    },
    { name: `${op}, a row to all`, inputs: [[4, 6], [6]], compute: (tf: Tf, a: T, b: T) => tf[op](a, b) },
    {
      name: `${op}, a column to all`,
      inputs: [
        [4, 6],
        [4, 1],
      ],
      compute: (tf: Tf, a: T, b: T) => tf[op](a, b),
    },
    { name: `${op}, a scalar`, inputs: [[4, 6], []], compute: (tf: Tf, a: T, b: T) => tf[op](a, b) },
  ]),
  {
    name: 'div',
    inputs: [[4, 6], [6]],
    range: [0.5, 2],
    compute: (tf, a, b) => tf.div(a, b),
  },
  {
    name: 'pow',
    inputs: [[4, 6], []],
    range: [0.5, 2],
    compute: (tf, a, b) => tf.pow(a, b),
  },
  unary('relu', (tf, x) => tf.relu(x)),
  unary('relu6', (tf, x) => tf.relu6(x), [-3, 9]),
  unary('leakyRelu', (tf, x) => tf.leakyRelu(x, 0.1)),
  unary('elu', (tf, x) => tf.elu(x)),
  unary('selu', (tf, x) => tf.selu(x)),
  unary('softplus', (tf, x) => tf.softplus(x)),
  unary('sigmoid', (tf, x) => tf.sigmoid(x), [-5, 5]),
  unary('tanh', (tf, x) => tf.tanh(x), [-3, 3]),
  unary('exp', (tf, x) => tf.exp(x)),
  unary('log', (tf, x) => tf.log(x), [0.1, 3]),
  unary('sqrt', (tf, x) => tf.sqrt(x), [0.1, 3]),
  unary('rsqrt', (tf, x) => tf.rsqrt(x), [0.1, 3]),
  unary('square', (tf, x) => tf.square(x)),
  unary('abs', (tf, x) => tf.abs(x)),
  unary('neg', (tf, x) => tf.neg(x)),
  unary('reciprocal', (tf, x) => tf.reciprocal(x), [0.5, 2]),
  unary('clipByValue', (tf, x) => tf.clipByValue(x, -0.5, 0.5)),
  unary('softmax', (tf, x) => tf.softmax(x), [-4, 4]),
  unary('logSoftmax', (tf, x) => tf.logSoftmax(x), [-4, 4]),
  unary('erf', (tf, x) => tf.erf(x)),
  { name: 'prelu', inputs: [[4, 6], [6]], compute: (tf, x, alpha) => tf.prelu(x, alpha) },
  ...[[0], [1], [0, 1], undefined].map((axis) => ({
    name: `sum over ${axis ?? 'all'}`,
    inputs: [[5, 4, 3]],
    compute: (tf: Tf, x: T) => tf.sum(x, axis),
  })),
  ...[[0], [2], [1, 2]].map((axis) => ({
    name: `mean over ${axis}`,
    inputs: [[5, 4, 3]],
    compute: (tf: Tf, x: T) => tf.mean(x, axis),
  })),
  { name: 'max over rows', inputs: [[5, 7]], compute: (tf, x) => tf.max(x, 1) },
  { name: 'logSumExp', inputs: [[5, 7]], compute: (tf, x) => tf.logSumExp(x, 1) },
  {
    name: 'moments, as layer norm takes them',
    inputs: [[5, 7]],
    compute: (tf, x) => {
      const { mean, variance } = tf.moments(x, 1, true);
      return tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 1e-3)));
    },
  },
  {
    name: 'batchNorm',
    inputs: [[4, 3, 3, 5], [5], [5], [5], [5]],
    range: [0.2, 1.5],
    compute: (tf, x, mean, variance, offset, scale) =>
      tf.batchNorm(
        x,
        mean as tfjs.Tensor1D,
        variance as tfjs.Tensor1D,
        offset as tfjs.Tensor1D,
        scale as tfjs.Tensor1D,
        1e-3,
      ),
  },
  {
    name: 'gather, a row twice',
    inputs: [[6, 4]],
    compute: (tf, x) => tf.gather(x, tf.tensor1d([1, 5, 1, 0], 'int32')),
  },
  {
    name: 'concat',
    inputs: [
      [3, 2],
      [3, 5],
    ],
    compute: (tf, a, b) => tf.concat([a, b], 1),
  },
  { name: 'slice', inputs: [[5, 6]], compute: (tf, x) => tf.slice(x, [1, 2], [3, 3]) },
  {
    name: 'stridedSlice',
    inputs: [[5, 6]],
    compute: (tf, x) => tf.slice(tf.reverse(x, 0), [0, 1], [4, 2]),
  },
  {
    name: 'split and unstack',
    inputs: [[4, 6]],
    compute: (tf, x) => {
      const [a, b] = tf.split(x, 2, 1);
      const rows = tf.unstack(a!, 0);
      return tf.mul(tf.stack([rows[0]!, rows[3]!]), tf.slice(b!, [1, 0], [2, 3]));
    },
  },
  { name: 'transpose', inputs: [[3, 4, 5]], compute: (tf, x) => tf.transpose(x, [2, 0, 1]) },
  { name: 'reshape', inputs: [[4, 6]], compute: (tf, x) => tf.reshape(x, [2, 12]) },
  { name: 'expandDims and tile', inputs: [[4]], compute: (tf, x) => tf.tile(tf.expandDims(x, 0), [3, 1]) },
  {
    name: 'pad',
    inputs: [[3, 4]],
    compute: (tf, x) =>
      tf.pad(x, [
        [1, 2],
        [0, 1],
      ]),
  },
  {
    name: 'where',
    inputs: [
      [3, 3],
      [3, 3],
    ],
    compute: (tf, a, b) => tf.where(tf.cast(tf.eye(3), 'bool'), a, tf.mul(b, 2)),
  },
  {
    name: 'softmax cross entropy',
    inputs: [[5, 4]],
    range: [-4, 4],
    compute: (tf, x) => {
      const labels = tf.oneHot(tf.tensor1d([0, 3, 1, 1, 2], 'int32'), 4);
      return tf.neg(tf.mean(tf.sum(tf.mul(labels, tf.logSoftmax(x)), -1)));
    },
  },
  {
    name: 'sigmoid cross entropy',
    inputs: [[5, 4]],
    range: [-4, 4],
    compute: (tf, x) => tf.losses.sigmoidCrossEntropy(tf.eye(5, 4), x),
  },
  {
    name: 'huber loss',
    inputs: [[5, 4]],
    range: [-3, 3],
    compute: (tf, x) => tf.losses.huberLoss(tf.zeros([5, 4]), x),
  },
];
