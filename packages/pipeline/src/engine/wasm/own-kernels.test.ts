// Bit for bit: each own kernel against the stock kernel that it replaces (XNNPACK where that is one), over many shapes.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import '@tensorflow/tfjs-backend-wasm';
import fc from 'fast-check';
import * as tf from '../../tf.ts';
import { openEngine } from '../engines.ts';
import { ownKernels } from './own-kernels.ts';

// Before the engine is opened for the first time, which replaces them.
const stock = new Map(
  tf.getKernelsForBackend('wasm').map(({ kernelName, kernelFunc }) => [kernelName, kernelFunc]),
);

before(() => openEngine('wasm'));

type Inputs = Record<string, tf.Tensor>;

/** Result of a kernel by its own function, on fresh tensors: XNNPACK remembers a filter by its id. */
function resultOf(kernelFunc: tf.KernelFunc, given: Record<string, Given>, attrs: object) {
  const inputs: Inputs = Object.fromEntries(
    Object.entries(given).map(([name, { shape, values }]) => [name, tf.tensor(values, shape)]),
  );
  const backend = tf.backend() as tf.KernelBackend;
  const result = kernelFunc({
    inputs: inputs as unknown as tf.NamedTensorInfoMap,
    attrs: attrs as tf.NamedAttrMap,
    backend,
  }) as tf.TensorInfo;
  const bits = new Int32Array((backend.readSync(result.dataId) as Float32Array).slice().buffer);
  backend.disposeData(result.dataId);
  tf.dispose(Object.values(inputs));
  return { shape: result.shape, bits: Array.from(bits) };
}

interface Given {
  shape: number[];
  values: Float32Array;
}

/** Floats of many sizes, zeros of both signs among them, from one integer. */
function floats(shape: number[], seed: number): Given {
  let state = seed | 1;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  const values = Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => {
    const kind = next();
    if (kind < 0.1) return 0;
    return (next() - 0.5) * (kind < 0.2 ? 1e-3 : 4);
  });
  return { shape, values };
}

function same(name: string, given: Record<string, Given>, attrs: object, expected = stock.get(name)!) {
  const own = ownKernels.find((kernel) => kernel.name === name)!;
  const tensors = Object.fromEntries(
    Object.entries(given).map(([key, { shape }]) => [key, { shape, dtype: 'float32' as const }]),
  );
  assert.ok(own.fits(tensors, attrs as Record<string, unknown>), 'the own kernel fits');
  const found = resultOf(tf.getKernel(name, 'wasm').kernelFunc, given, attrs);
  assert.deepEqual(found, resultOf(expected, given, attrs));
}

const length = (max: number) => fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max }));
const seed = fc.integer({ min: 1, max: 2 ** 31 - 1 });
const runs = { numRuns: 60 };

test('the table names each kernel once', () => {
  const names = ownKernels.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
});

test('BatchMatMul: the bits of the stock product of factors that are turned beforehand', () => {
  fc.assert(
    fc.property(
      length(70),
      length(900),
      length(40),
      fc.boolean(),
      fc.boolean(),
      seed,
      (m, k, n, transposeA, transposeB, from) => {
        const a = floats([m, k], from);
        const b = floats([k, n], from + 7);
        const turned = ({ shape: [rows, columns], values }: Given): Given => ({
          shape: [columns!, rows!],
          values: Float32Array.from(
            values,
            (_, at) => values[(at % rows!) * columns! + Math.floor(at / rows!)]!,
          ),
        });
        const plain = { transposeA: false, transposeB: false };
        const expected = resultOf(stock.get('BatchMatMul')!, { a, b }, plain);
        const given = { a: transposeA ? turned(a) : a, b: transposeB ? turned(b) : b };
        const found = resultOf(tf.getKernel('BatchMatMul', 'wasm').kernelFunc, given, {
          transposeA,
          transposeB,
        });
        assert.deepEqual(found, expected);
      },
    ),
    runs,
  );
});

test('a batch of products: the bits of each product alone, broadcast or not', () => {
  const shapes = [
    [
      [3, 5, 100],
      [3, 100, 7],
    ],
    [
      [2, 3, 4, 60],
      [2, 3, 60, 9],
    ],
    [
      [1, 4, 60],
      [3, 60, 9],
    ],
    [
      [2, 1, 4, 60],
      [3, 60, 9],
    ],
  ];
  for (const [index, [shapeA, shapeB]] of (shapes as number[][][]).entries()) {
    const a = floats(shapeA!, 5 + index);
    const b = floats(shapeB!, 50 + index);
    const found = resultOf(
      tf.getKernel('BatchMatMul', 'wasm').kernelFunc,
      { a, b },
      { transposeA: false, transposeB: false },
    );
    const batch = tf.broadcast_util.assertAndGetBroadcastShape(shapeA!.slice(0, -2), shapeB!.slice(0, -2));
    const expand = (x: Given) =>
      tf.tidy(() => {
        const matrix = x.shape.slice(-2);
        const wide = tf.broadcastTo(tf.tensor(x.values, x.shape), [...batch, ...matrix] as never);
        return { matrix, values: wide.dataSync<'float32'>() };
      });
    const [wideA, wideB] = [expand(a), expand(b)];
    const part = ({ matrix, values }: typeof wideA, at: number): Given => {
      const size = matrix[0]! * matrix[1]!;
      return { shape: matrix, values: values.slice(at * size, (at + 1) * size) };
    };
    const bits = Array.from(
      { length: tf.util.sizeFromShape(batch) },
      (_, at) =>
        resultOf(
          stock.get('BatchMatMul')!,
          { a: part(wideA, at), b: part(wideB, at) },
          { transposeA: false, transposeB: false },
        ).bits,
    ).flat();
    assert.deepEqual(found, { shape: [...batch, shapeA!.at(-2)!, shapeB!.at(-1)!], bits });
  }
});

test('_FusedMatMul', () => {
  fc.assert(
    fc.property(
      length(40),
      length(500),
      length(40),
      fc.boolean(),
      fc.constantFrom('linear', 'relu'),
      seed,
      (m, k, n, bias, activation, from) => {
        const given = {
          a: floats([1, m, k], from),
          b: floats([1, k, n], from + 7),
          ...(bias ? { bias: floats([n], from + 9) } : {}),
        };
        same('_FusedMatMul', given, { transposeA: false, transposeB: false, activation });
      },
    ),
    runs,
  );
});

test('Sum over leading axes', () => {
  fc.assert(
    fc.property(
      length(200),
      length(9),
      length(50),
      fc.boolean(),
      fc.boolean(),
      seed,
      (rows, middle, columns, both, keepDims, from) => {
        same('Sum', { x: floats([rows, middle, columns], from) }, { axis: both ? [0, 1] : [0], keepDims });
      },
    ),
    runs,
  );
});

const conv = fc.record({
  images: fc.integer({ min: 1, max: 3 }),
  rows: fc.integer({ min: 5, max: 14 }),
  columns: fc.integer({ min: 5, max: 14 }),
  channels: fc.oneof(fc.constantFrom(1, 3, 8), fc.integer({ min: 1, max: 20 })),
  n: fc.oneof(fc.constantFrom(1, 8, 16), fc.integer({ min: 1, max: 20 })),
  filter: fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 })),
  strides: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
  pad: fc.constantFrom('valid' as const, 'same' as const),
  seed,
});
type Conv = typeof conv extends fc.Arbitrary<infer T> ? T : never;

const shapesOf = (it: Conv) => {
  const x: [number, number, number, number] = [it.images, it.rows, it.columns, it.channels];
  const filter: [number, number, number, number] = [...it.filter, it.channels, it.n];
  const info = tf.backend_util.computeConv2DInfo(x, filter, it.strides, 1, it.pad);
  return {
    x,
    filter,
    y: info.outShape,
    info,
    attrs: { strides: it.strides, pad: it.pad, dilations: 1, dataFormat: 'NHWC' },
  };
};

/**
 * Stock convolutions fail with 'same' padding where a stride exceeds the filter, and go from one channel to one by a depthwise
 * kernel, which adds in another order.
 */
const comparable = ({ pad, strides, filter, channels, n }: Conv) =>
  (pad === 'valid' || (strides[0] <= filter[0] && strides[1] <= filter[1])) && (channels > 1 || n > 1);

test('Conv2D', () => {
  fc.assert(
    fc.property(conv.filter(comparable), (it) => {
      const { x, filter, attrs } = shapesOf(it);
      same('Conv2D', { x: floats(x, it.seed), filter: floats(filter, it.seed + 3) }, attrs);
    }),
    runs,
  );
});

test('FusedConv2D', () => {
  fc.assert(
    fc.property(conv.filter(comparable), fc.constantFrom('linear', 'relu'), (it, activation) => {
      const { x, filter, attrs } = shapesOf(it);
      const given = {
        x: floats(x, it.seed),
        filter: floats(filter, it.seed + 3),
        bias: floats([it.n], it.seed + 5),
      };
      same('FusedConv2D', given, { ...attrs, activation });
    }),
    runs,
  );
});

test('Conv2DBackpropInput: the bits of the stock loop', () => {
  fc.assert(
    fc.property(conv, (it) => {
      const { x, y, filter, attrs } = shapesOf(it);
      same(
        'Conv2DBackpropInput',
        { dy: floats(y, it.seed), filter: floats(filter, it.seed + 3) },
        { ...attrs, inputShape: x },
      );
    }),
    runs,
  );
});

/** What Conv2DBackpropFilter is defined as: one rounded multiplication and one rounded addition a pixel, in order. */
const filterGradientInOrder: tf.KernelFunc = ({ inputs, attrs, backend }) => {
  const { x, dy } = inputs as { x: tf.Tensor4D; dy: tf.Tensor4D };
  const { filterShape, strides, pad } = attrs as unknown as {
    filterShape: Conv['filter'] & number[];
    strides: [number, number];
    pad: 'same';
  };
  const info = tf.backend_util.computeConv2DInfo(x.shape, filterShape as never, strides, 1, pad);
  const [values, slopes] = [x.dataSync(), dy.dataSync()];
  const [tapRows, tapColumns, channels, n] = info.filterShape as [number, number, number, number];
  const to = new Float32Array(tapRows * tapColumns * channels * n);
  for (let at = 0; at < to.length; at++) {
    const column = at % n;
    const channel = Math.floor(at / n) % channels;
    const tapColumn = Math.floor(at / n / channels) % tapColumns;
    const tapRow = Math.floor(at / n / channels / tapColumns);
    let sum = 0;
    for (let pixel = 0; pixel < info.batchSize * info.outHeight * info.outWidth; pixel++) {
      const image = Math.floor(pixel / info.outWidth / info.outHeight);
      const r = (Math.floor(pixel / info.outWidth) % info.outHeight) * strides[0] + tapRow - info.padInfo.top;
      const c = (pixel % info.outWidth) * strides[1] + tapColumn - info.padInfo.left;
      if (r < 0 || r >= info.inHeight || c < 0 || c >= info.inWidth) continue;
      const value = values[((image * info.inHeight + r) * info.inWidth + c) * channels + channel]!;
      sum = Math.fround(sum + Math.fround(value * slopes[pixel * n + column]!));
    }
    to[at] = sum;
  }
  return {
    dataId: (backend as tf.KernelBackend).write(to, info.filterShape, 'float32'),
    shape: info.filterShape,
    dtype: 'float32',
  };
};

test('Conv2DBackpropFilter: the bits of sums in order', () => {
  fc.assert(
    fc.property(conv, (it) => {
      const { x, y, filter, attrs } = shapesOf(it);
      const given = { x: floats(x, it.seed), dy: floats(y, it.seed + 3) };
      same('Conv2DBackpropFilter', given, { ...attrs, filterShape: filter }, filterGradientInOrder);
    }),
    runs,
  );
});

test('Conv2DBackpropFilter: rows longer than a block, and several blocks of rows', () => {
  for (const [rows, columns] of [
    [3, 400],
    [60, 30],
  ]) {
    const x: [number, number, number, number] = [2, rows!, columns!, 2];
    const filter: [number, number, number, number] = [2, 3, 2, 5];
    const { outShape } = tf.backend_util.computeConv2DInfo(x, filter, 1, 1, 'same');
    const attrs = { strides: [1, 1], pad: 'same', dataFormat: 'NHWC', filterShape: filter };
    same('Conv2DBackpropFilter', { x: floats(x, 3), dy: floats(outShape, 4) }, attrs, filterGradientInOrder);
  }
});

test('MaxPool', () => {
  fc.assert(
    fc.property(conv, (it) => {
      const { x } = shapesOf(it);
      same('MaxPool', { x: floats(x, it.seed) }, { filterSize: it.filter, strides: it.strides, pad: it.pad });
    }),
    runs,
  );
});

test('MaxPoolGrad: the bits of the stock loop, where its windows have one largest, a positive one', () => {
  fc.assert(
    fc.property(conv, (it) => {
      const { x } = shapesOf(it);
      const attrs = { filterSize: it.filter, strides: it.strides, pad: it.pad };
      const input = floats(x, it.seed);
      input.values = input.values.map((_, at) => 1 + ((at * 0.618034) % 1));
      const pooled = resultOf(stock.get('MaxPool')!, { x: input }, attrs);
      const output = { shape: pooled.shape, values: new Float32Array(Int32Array.from(pooled.bits).buffer) };
      same('MaxPoolGrad', { input, output, dy: floats(pooled.shape, it.seed + 3) }, attrs);
    }),
    runs,
  );
});
