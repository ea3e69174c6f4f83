// The depthwise gradients, that of average pooling and segment sums, bit for bit, against loops in the order that they promise.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import fc from 'fast-check';
import { generator } from '../../random.ts';
import * as tf from '../../tf.ts';
import { openEngine } from '../engines.ts';

before(() => openEngine('wasm'));

type Size4 = [number, number, number, number];
const windows = fc.record({
  images: fc.integer({ min: 1, max: 3 }),
  side: fc.tuple(fc.integer({ min: 5, max: 9 }), fc.integer({ min: 5, max: 9 })),
  channels: fc.integer({ min: 1, max: 9 }),
  each: fc.integer({ min: 1, max: 3 }),
  filter: fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })),
  strides: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
  pad: fc.constantFrom('valid' as const, 'same' as const),
});
const runs = { numRuns: 40 };

const next = generator(3, 'test');
const floats = (shape: number[]): Float32Array =>
  Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => 2 * next() - 1);
const add = (sums: Float32Array, at: number, value: number): void => {
  sums[at] = sums[at]! + Math.fround(value);
};

/** Visits input pixel, output pixel and tap wherever the three meet, output pixels first. */
function meetings(info: tf.backend_util.Conv2DInfo, visit: (x: number, y: number, tap: number) => void) {
  for (let y = 0; y < info.batchSize * info.outHeight * info.outWidth; y++) {
    const image = Math.floor(y / info.outWidth / info.outHeight);
    for (let tap = 0; tap < info.filterHeight * info.filterWidth; tap++) {
      const r =
        (Math.floor(y / info.outWidth) % info.outHeight) * info.strideHeight +
        Math.floor(tap / info.filterWidth) -
        info.padInfo.top;
      const c = (y % info.outWidth) * info.strideWidth + (tap % info.filterWidth) - info.padInfo.left;
      if (r < 0 || r >= info.inHeight || c < 0 || c >= info.inWidth) continue;
      visit((image * info.inHeight + r) * info.inWidth + c, y, tap);
    }
  }
}

function run(name: string, inputs: Record<string, [number[], Float32Array]>, attrs: object): Float32Array {
  return tf.tidy(() => {
    const tensors = Object.entries(inputs).map(([key, [shape, values]]) => [key, tf.tensor(values, shape)]);
    const result = tf.engine().runKernel(name, Object.fromEntries(tensors), attrs as tf.NamedAttrMap);
    return (result as tf.Tensor).dataSync<'float32'>();
  });
}

test('both gradients of a depthwise convolution', () => {
  fc.assert(
    fc.property(windows, ({ images, side, channels, each, filter: taps, strides, pad }) => {
      const x: Size4 = [images, ...side, channels];
      const filter: Size4 = [...taps, channels, each];
      const info = tf.backend_util.computeConv2DInfo(x, filter, strides, 1, pad, undefined, true);
      const [values, weights, slopes] = [x, filter, info.outShape].map(floats) as Float32Array[];
      const ofFilter = new Float32Array(weights!.length);
      const ofInput = new Float32Array(values!.length);
      const results = channels * each;
      meetings(info, (pixel, y, tap) => {
        for (let result = 0; result < results; result++) {
          const at = pixel * channels + Math.floor(result / each);
          const slope = slopes![y * results + result]!;
          add(ofFilter, tap * results + result, values![at]! * slope);
          add(ofInput, at, slope * weights![tap * results + result]!);
        }
      });
      const attrs = { strides, pad, dilations: [1, 1], filterShape: filter, inputShape: x };
      const dy: [number[], Float32Array] = [info.outShape, slopes!];
      const found = run('DepthwiseConv2dNativeBackpropFilter', { x: [x, values!], dy }, attrs);
      assert.deepEqual(found, ofFilter);
      const back = run('DepthwiseConv2dNativeBackpropInput', { dy, filter: [filter, weights!] }, attrs);
      assert.deepEqual(back, ofInput);
    }),
    runs,
  );
});

test('the gradient of average pooling', () => {
  fc.assert(
    fc.property(windows, ({ images, side, channels, filter: taps, strides, pad }) => {
      const x: Size4 = [images, ...side, channels];
      const info = tf.backend_util.computePool2DInfo(x, taps, strides, 1, pad);
      const [values, slopes] = [x, info.outShape].map(floats) as Float32Array[];
      const cells = new Float32Array(
        info.outShape.reduce((product, length) => product * length, 1) / channels,
      );
      meetings(info, (_, y) => add(cells, y, 1));
      const expected = new Float32Array(values!.length);
      meetings(info, (pixel, y) => {
        for (let channel = 0; channel < channels; channel++) {
          add(expected, pixel * channels + channel, slopes![y * channels + channel]! / cells[y]!);
        }
      });
      const inputs = { input: [x, values!], dy: [info.outShape, slopes!] } as Record<
        string,
        [number[], Float32Array]
      >;
      assert.deepEqual(run('AvgPoolGrad', inputs, { filterSize: taps, strides, pad }), expected);
    }),
    runs,
  );
});

test('segment sums', () => {
  const columns = 7;
  const ids = Int32Array.of(2, 0, 2, -1, 3, 2, 9);
  const values = floats([ids.length, columns]);
  const expected = new Float32Array(4 * columns);
  for (const [row, id] of ids.entries()) {
    if (id < 0 || id > 3) continue;
    for (let column = 0; column < columns; column++) {
      add(expected, id * columns + column, values[row * columns + column]!);
    }
  }
  const found = tf.tidy(() => {
    const x = tf.tensor(values, [ids.length, columns]);
    return tf.unsortedSegmentSum(x, tf.tensor1d(ids, 'int32'), 4).dataSync<'float32'>();
  });
  assert.deepEqual(found, expected);
});
