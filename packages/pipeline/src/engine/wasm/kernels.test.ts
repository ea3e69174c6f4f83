// Every kernel that training uses, forward and gradient, on the wasm engine beside tfjs's cpu backend.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { generator } from '../../random.ts';
// With the layers, whose import registers the gradients.
import * as tf from '../../tf.ts';
import { openEngine } from '../engines.ts';

before(async () => {
  await openEngine('cpu');
  await openEngine('wasm');
});

const next = generator(2, 'test');
const values = (shape: number[], low = -1, high = 1): Float32Array =>
  Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => low + (high - low) * next());

type Op = (...inputs: tf.Tensor[]) => tf.Tensor;

/** Value and gradients of a weighted sum of the op's results: weights tell every element of the result apart. */
async function resultsOn(engine: string, op: Op, shapes: number[][], data: Float32Array[]) {
  await openEngine(engine);
  const kept = tf.memory().numTensors;
  const results = tf.tidy(() => {
    const inputs = shapes.map((shape, i) => tf.tensor(data[i]!, shape));
    const weigh = (y: tf.Tensor) => {
      const weights = Float32Array.from({ length: y.size }, (_, at) => Math.sin(1 + at));
      return tf.sum(tf.mul(tf.cast(y, 'float32'), tf.tensor(weights, y.shape)));
    };
    const { grads } = tf.valueAndGrads((...args: tf.Tensor[]) => weigh(op(...args)))(inputs);
    return [op(...inputs), ...grads].map((tensor) => ({ shape: tensor.shape, values: tensor.dataSync() }));
  });
  assert.equal(tf.memory().numTensors, kept, 'no tensor is left behind');
  return results;
}

function check(name: string, op: Op, shapes: number[][], range: [number, number] = [-1, 1]): void {
  test(`${name} ${shapes.map((shape) => `[${shape}]`).join(' ')}`, async () => {
    const data = shapes.map((shape) => values(shape, ...range));
    const expected = await resultsOn('cpu', op, shapes, data);
    const found = await resultsOn('wasm', op, shapes, data);
    for (const [i, want] of expected.entries()) {
      assert.deepEqual(found[i]!.shape, want.shape, `shape of result ${i}`);
      const scale = Math.max(1, ...Array.from(want.values as Float32Array, Math.abs));
      want.values.forEach((value: number, at: number) => {
        const got = found[i]!.values[at]!;
        assert.ok(Math.abs(value - got) < 2e-5 * scale, `result ${i}, value ${at}: ${got} for ${value}`);
      });
    }
  });
}

const four = (op: (x: tf.Tensor4D, y: tf.Tensor4D) => tf.Tensor): Op => op as unknown as Op;

for (const pad of ['valid', 'same', 1] as const) {
  for (const strides of [1, 2, 3]) {
    const by = `strides ${strides}, pad ${pad}`;
    check(
      `conv2d ${by}`,
      four((x, w) => tf.conv2d(x, w, strides, pad)),
      [
        [2, 7, 6, 3],
        [3, 2, 3, 5],
      ],
    );
    check(
      `depthwise ${by}`,
      four((x, w) => tf.depthwiseConv2d(x, w, strides, pad)),
      [
        [2, 7, 7, 3],
        [3, 3, 3, 2],
      ],
    );
    check(
      `maxPool ${by}`,
      four((x) => tf.maxPool(x, 3, strides, pad)),
      [[2, 7, 6, 3]],
    );
    check(
      `avgPool ${by}`,
      four((x) => tf.avgPool(x, [3, 2], strides, pad)),
      [[2, 7, 6, 3]],
    );
  }
}
check(
  'maxPool of equal pixels',
  four((x) => tf.maxPool(x, 3, 2, 'same')),
  [[1, 6, 6, 5]],
  [0.5, 0.5],
);
check(
  'conv2d of one channel',
  four((x, w) => tf.conv2d(x, w, 1, 'valid')),
  [
    [3, 9, 9, 1],
    [3, 3, 1, 8],
  ],
);
check(
  'conv2d of one pixel',
  four((x, w) => tf.conv2d(x, w, 1, 'same')),
  [
    [2, 5, 5, 7],
    [1, 1, 7, 9],
  ],
);
check('conv1d', (x, w) => tf.conv1d(x as tf.Tensor3D, w as tf.Tensor3D, 1, 'same'), [
  [2, 9, 3],
  [3, 3, 4],
]);
for (const strides of [1, 2]) {
  check(
    `conv2dTranspose strides ${strides}`,
    four((x, w) =>
      tf.conv2dTranspose(
        x,
        w,
        [2, 4 * strides + 1, 4 * strides + 1, 3],
        strides,
        strides === 1 ? 0 : 'valid',
      ),
    ),
    [
      [2, 4 + (strides === 1 ? 0 : 0), 4, 5],
      [strides === 1 ? 2 : 3, strides === 1 ? 2 : 3, 3, 5],
    ],
  );
}
check(
  'separableConv2d',
  (x, d, p) => tf.separableConv2d(x as tf.Tensor4D, d as tf.Tensor4D, p as tf.Tensor4D, 1, 'same'),
  [
    [2, 6, 6, 3],
    [3, 3, 3, 2],
    [1, 1, 6, 4],
  ],
);
check('conv3d', (x, w) => tf.conv3d(x as tf.Tensor5D, w as tf.Tensor5D, 1, 'valid'), [
  [1, 4, 4, 4, 2],
  [2, 2, 2, 2, 3],
]);
check('gather', (x) => tf.gather(x, tf.tensor1d([3, 0, 3, 1, 3], 'int32')), [[5, 4]]);
check(
  'gather of a matrix of ids',
  (x) =>
    tf.gather(
      x,
      tf.tensor2d(
        [
          [3, 0],
          [3, 1],
        ],
        [2, 2],
        'int32',
      ),
    ),
  [[5, 4]],
);
check('unsortedSegmentSum', (x) => tf.unsortedSegmentSum(x, tf.tensor1d([1, -1, 0, 1, 2], 'int32'), 3), [
  [5, 2, 2],
]);
check(
  'localResponseNormalization',
  four((x) => tf.localResponseNormalization(x, 2)),
  [[2, 3, 3, 6]],
);
check(
  'batchNorm',
  (x, m, v, o, s) =>
    tf.batchNorm(x, m as tf.Tensor1D, v as tf.Tensor1D, o as tf.Tensor1D, s as tf.Tensor1D, 1e-3),
  [[2, 3, 3, 4], [4], [4], [4], [4]],
  [0.2, 1],
);
for (const [name, op] of Object.entries({
  abs: tf.abs,
  elu: tf.elu,
  erf: tf.erf,
  exp: tf.exp,
  expm1: tf.expm1,
  leakyRelu: tf.leakyRelu,
  logSigmoid: tf.logSigmoid,
  logSoftmax: tf.logSoftmax,
  relu: tf.relu,
  relu6: tf.relu6,
  selu: tf.selu,
  sigmoid: tf.sigmoid,
  sign: tf.sign,
  softmax: tf.softmax,
  softplus: tf.softplus,
  square: tf.square,
  step: tf.step,
  tanh: tf.tanh,
  neg: tf.neg,
  sin: tf.sin,
  cos: tf.cos,
  sinh: tf.sinh,
  cosh: tf.cosh,
  atan: tf.atan,
  logSumExp: tf.logSumExp,
  max: tf.max,
  min: tf.min,
  mean: tf.mean,
  norm: tf.norm,
} as unknown as Record<string, (x: tf.Tensor) => tf.Tensor>)) {
  check(name, (x) => op(x), [[3, 7]]);
}
for (const [name, op] of Object.entries({
  log: tf.log,
  log1p: tf.log1p,
  sqrt: tf.sqrt,
  rsqrt: tf.rsqrt,
  reciprocal: tf.reciprocal,
  acosh: (x: tf.Tensor) => tf.acosh(tf.add(x, 1)),
  asin: (x: tf.Tensor) => tf.asin(tf.mul(x, 0.4)),
  atanh: (x: tf.Tensor) => tf.atanh(tf.mul(x, 0.4)),
} as unknown as Record<string, (x: tf.Tensor) => tf.Tensor>)) {
  check(name, (x) => op(x), [[3, 7]], [0.3, 2]);
}
for (const [name, op] of Object.entries({
  add: tf.add,
  sub: tf.sub,
  mul: tf.mul,
  div: tf.div,
  pow: tf.pow,
  atan2: tf.atan2,
} as unknown as Record<string, Op>)) {
  for (const shapes of [
    [
      [4, 5],
      [4, 5],
    ],
    [[4, 5], [5]],
    [
      [4, 5],
      [4, 1],
    ],
    [
      [2, 1, 5],
      [3, 1],
    ],
    [[4, 5], []],
  ])
    check(name, op, shapes, [0.3, 2]);
}

// tfjs's gradients of these do not sum over broadcast axes, on any engine.
for (const [name, op] of Object.entries({
  maximum: tf.maximum,
  minimum: tf.minimum,
  squaredDifference: tf.squaredDifference,
} as unknown as Record<string, Op>)) {
  check(name, op, [
    [4, 5],
    [4, 5],
  ]);
}

test('a kernel of the cpu backend answers on the wasm engine', async () => {
  await openEngine('wasm');
  const data = [values([2, 3, 4]), values([2, 4, 5])];
  const run = () =>
    tf.tidy(() =>
      tf.einsum('bij,bjk->bik', tf.tensor(data[0]!, [2, 3, 4]), tf.tensor(data[1]!, [2, 4, 5])).dataSync(),
    );
  const found = run();
  await openEngine('cpu');
  assert.deepEqual(found, run());
});

test('a kernel that no backend can lend is refused by name', async () => {
  await openEngine('wasm');
  assert.throws(
    () => tf.tidy(() => tf.fft(tf.complex([1, 2], [3, 4]))),
    /Kernel 'Complex' not registered for backend 'wasm'/,
  );
});
