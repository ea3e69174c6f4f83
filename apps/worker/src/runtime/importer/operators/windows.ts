// Windows over images: convolutions and pools. ONNX has channels after the batch, tfjs last: here they lie last.
import { permuted } from '@retraind/pipeline/onnx/permuted';
import * as tf from '@retraind/pipeline/tf';
import type { Call, Operator } from '../call.ts';
import { type Held, type Live, laid, live, shapeOf, sizeOf } from '../value.ts';

/** Order of an image that lies [N, height, width, channels]. */
const channelsLast = [0, 2, 3, 1];
/** Zeros before and after, of height and width. */
type Pads = [before: number, after: number][];
type Images = tf.Tensor4D;

interface Window {
  size: number[];
  strides: number[];
  dilations: number[];
  pads: Pads;
  /** Places of the output. */
  places: number[];
}

const pairOf = (call: Call, name: string): number[] => {
  const said = call.attributes.numbers(name) ?? [1, 1];
  if (said.length !== 2 || said.some((each) => !(Number.isInteger(each) && each >= 1 && each < 2 ** 16))) {
    throw call.refuse(`with ${name} ${said.join('x')}`);
  }
  return said;
};

/** How the window moves over places of `lengths`. `size`: of the window. */
const windowOf = (call: Call, lengths: readonly number[], size: readonly number[]): Window => {
  const { attributes } = call;
  const [strides, dilations] = [pairOf(call, 'strides'), pairOf(call, 'dilations')];
  const reach = size.map((length, axis) => (length - 1) * dilations[axis]! + 1);
  const auto = attributes.text('auto_pad', 'NOTSET');
  const said = attributes.numbers('pads') ?? [0, 0, 0, 0];
  const pads: Pads = lengths.map((length, axis) => {
    if (auto === 'VALID') return [0, 0];
    if (auto === 'NOTSET') return [said[axis]!, said[axis + 2]!];
    const places = Math.ceil(length / strides[axis]!);
    const all = Math.max(0, (places - 1) * strides[axis]! + reach[axis]! - length);
    const less = Math.floor(all / 2);
    return auto === 'SAME_LOWER' ? [all - less, less] : [less, all - less];
  });
  if (said.length !== 4 || pads.flat().some((pad) => !(Number.isInteger(pad) && pad >= 0 && pad < 2 ** 16))) {
    throw call.refuse(`with pads ${said.join(', ')}`);
  }
  if (!['NOTSET', 'VALID', 'SAME_UPPER', 'SAME_LOWER'].includes(auto))
    throw call.refuse(`with auto_pad ${auto}`);
  const places = lengths.map((length, axis) => {
    const room = length + pads[axis]![0] + pads[axis]![1] - reach[axis]!;
    const exact = room / strides[axis]!;
    if (attributes.number('ceil_mode', 0) !== 0 && !Number.isInteger(exact))
      throw call.refuse('with ceil_mode');
    return Math.floor(exact) + 1;
  });
  return { size: [...size], strides, dilations, pads, places };
};

const images = (call: Call): { x: Live; shape: number[] } => {
  const x = call.live(0);
  const shape = shapeOf(x);
  if (shape.length !== 4) throw call.refuse(`on ${shape.length} axes`);
  return { x, shape };
};

const padded = (x: tf.Tensor, pads: Pads, value: number): Images =>
  (pads.flat().every((pad) => pad === 0) ? x : tf.pad(x, [[0, 0], ...pads, [0, 0]], value)) as Images;

/** tfjs's padding by itself; `fits`: where it would be what ONNX asks for. */
const samePads = ({ size, strides }: Window, lengths: readonly number[]): Pads =>
  lengths.map((length, axis) => {
    const all = Math.max(0, (Math.ceil(length / strides[axis]!) - 1) * strides[axis]! + size[axis]! - length);
    return [Math.floor(all / 2), all - Math.floor(all / 2)];
  });

/**
 * The kernel [outputs, inputs of a group, height, width] with zeros between its taps where it is dilated: tfjs has no gradient of
 * dilated convolutions.
 */
const spread = (kernel: Held, dilations: readonly number[]): Held => {
  const [outputs, inputs, height, width] = kernel.shape as [number, number, number, number];
  const [down, across] = dilations as [number, number];
  if (down === 1 && across === 1) return kernel;
  const [rows, columns] = [(height - 1) * down + 1, (width - 1) * across + 1];
  const values = new Float32Array(outputs * inputs * rows * columns);
  for (let i = 0; i < kernel.values.length; i++) {
    const [row, column] = [Math.floor(i / width) % height, i % width];
    const plane = Math.floor(i / (width * height));
    values[(plane * rows + row * down) * columns + column * across] = kernel.values[i]!;
  }
  return { ...kernel, shape: [outputs, inputs, rows, columns], values };
};

/** Groups of a convolution that is neither whole nor a channel by itself: each is an operation of its own. */
const maxGroups = 64;

const conv: Operator = (call) => {
  const { x, shape } = images(call);
  const kernel = call.held(1);
  const [, channels, ...lengths] = shape as [number, number, number, number];
  const [outputs, own, ...size] = kernel.shape as [number, number, number, number];
  const group = call.attributes.number('group', 1);
  const declared = call.attributes.numbers('kernel_shape') ?? size;
  if (
    kernel.shape.length !== 4 ||
    kernel.type !== 1 ||
    `${declared}` !== `${size}` ||
    own * group !== channels ||
    outputs % group !== 0 ||
    sizeOf(kernel.shape) === 0
  ) {
    throw call.refuse(`with a kernel of ${kernel.shape.join('x')} in ${group} groups on ${shape.join('x')}`);
  }
  const window = windowOf(call, lengths, size);
  const reach = size.map((length, axis) => (length - 1) * window.dilations[axis]! + 1);
  call.claim([shape[0]!, outputs, ...window.places], own * sizeOf(reach));
  // The spread kernel and the padded image are made before the result.
  call.claim([outputs, own, ...reach], 0);
  call.claim(
    [
      shape[0]!,
      channels,
      ...lengths.map((length, axis) => length + window.pads[axis]![0] + window.pads[axis]![1]),
    ],
    0,
  );
  const strides = window.strides as [number, number];
  const lying = laid(x, channelsLast) as Images;
  const kernelOf = (
    form: string,
    order: number[],
    from: number,
    to: number,
    shapeTo: (rows: number, columns: number) => number[],
  ) =>
    call.session.constant(kernel, `${form} of node ${call.node}`, () => {
      const part = sizeOf(kernel.shape.slice(1));
      const values = Array.prototype.slice.call(kernel.values, from * part, to * part) as number[];
      const wide = spread(
        { ...kernel, shape: [to - from, ...kernel.shape.slice(1)], values },
        window.dilations,
      );
      return {
        shape: shapeTo(wide.shape[2]!, wide.shape[3]!),
        values: permuted(wide.values, wide.shape, order),
      };
    });
  const whole = (from: number, to: number) =>
    kernelOf(`outputs ${from}`, [2, 3, 1, 0], from, to, (rows, columns) => [
      rows,
      columns,
      own,
      to - from,
    ]) as tf.Tensor4D;

  let result: tf.Tensor;
  if (group === 1) {
    const pads: Pads = [[0, 0], ...window.pads, [0, 0]];
    const isPlain = window.pads.flat().every((pad) => pad === 0);
    result = tf.conv2d(
      lying,
      whole(0, outputs),
      strides,
      isPlain ? 'valid' : (pads as tf.backend_util.ExplicitPadding),
    );
  } else if (own === 1) {
    const each = outputs / group;
    const filter = kernelOf('by channel', [2, 3, 0, 1], 0, outputs, (rows, columns) => [
      rows,
      columns,
      group,
      each,
    ]);
    result = tf.depthwiseConv2d(padded(lying, window.pads, 0), filter as tf.Tensor4D, strides, 'valid');
  } else {
    if (group > maxGroups) throw call.refuse(`in ${group} groups`);
    const each = outputs / group;
    const parts = tf.split(padded(lying, window.pads, 0), group, 3) as Images[];
    result = tf.concat(
      parts.map((part, i) => tf.conv2d(part, whole(i * each, (i + 1) * each), strides, 'valid')),
      3,
    );
  }
  if (call.has(2)) {
    const bias = call.held(2);
    if (`${bias.shape}` !== `${outputs}`) throw call.refuse(`with a bias of ${bias.shape.join('x')}`);
    result = tf.add(result, call.constant(bias, [outputs]));
  }
  return [live(result, channelsLast)];
};

interface Pooled {
  call: Call;
  lying: Images;
  window: Window;
  lengths: number[];
}

const pool =
  (compute: (pooled: Pooled) => tf.Tensor): Operator =>
  (call) => {
    const { x, shape } = images(call);
    const size = call.attributes.numbers('kernel_shape') ?? [];
    if (
      size.length !== 2 ||
      size.some((length) => !(Number.isInteger(length) && length >= 1 && length < 2 ** 16))
    ) {
      throw call.refuse(`with a window of ${size.join('x')}`);
    }
    const lengths = shape.slice(2);
    const window = windowOf(call, lengths, size);
    if (window.dilations.some((each) => each !== 1)) throw call.refuse('with dilations');
    if (window.pads.some(([before, after], axis) => before >= size[axis]! || after >= size[axis]!)) {
      throw call.refuse('with pads as wide as its window');
    }
    call.claim([shape[0]!, shape[1]!, ...window.places], sizeOf(size));
    return [live(compute({ call, lying: laid(x, channelsLast) as Images, window, lengths }), channelsLast)];
  };

const isSame = ({ window, lengths }: Pooled): boolean => `${window.pads}` === `${samePads(window, lengths)}`;

/** What a padding holds for a maximum: below every value that a net gives. */
const lowest = -3.4028234663852886e38;

const maxPool = pool((pooled) => {
  const { lying, window } = pooled;
  const [size, strides] = [window.size, window.strides] as [[number, number], [number, number]];
  if (isSame(pooled)) return tf.maxPool(lying, size, strides, 'same');
  return tf.maxPool(padded(lying, window.pads, lowest), size, strides, 'valid');
});

/** Of each place: how much a mean over the whole window must grow to be one over the pixels under it. */
const growth = ({ size, strides, pads, places }: Window, lengths: readonly number[]): Float32Array => {
  const under = lengths.map((length, axis) =>
    Array.from({ length: places[axis]! }, (_, place) => {
      const begin = place * strides[axis]! - pads[axis]![0];
      return Math.min(length, begin + size[axis]!) - Math.max(0, begin);
    }),
  );
  return Float32Array.from(
    under[0]!.flatMap((rows) => under[1]!.map((columns) => sizeOf(size) / (rows * columns))),
  );
};

const averagePool = pool((pooled) => {
  const { call, lying, window, lengths } = pooled;
  const [size, strides] = [window.size, window.strides] as [[number, number], [number, number]];
  const counted = call.attributes.number('count_include_pad', 0) !== 0;
  const isPadded = window.pads.flat().some((pad) => pad > 0);
  if (!counted && isSame(pooled)) return tf.avgPool(lying, size, strides, 'same');
  const means = tf.avgPool(padded(lying, window.pads, 0), size, strides, 'valid');
  if (counted || !isPadded) return means;
  const [rows, columns] = window.places as [number, number];
  const factor = call.session.derived(`growth of node ${call.node}`, () => ({
    shape: [rows, columns, 1],
    values: growth(window, lengths),
  }));
  return tf.mul(means, factor);
});

const globalAveragePool: Operator = (call) => {
  const { x, shape } = images(call);
  call.claim(shape);
  return [live(tf.mean(laid(x, channelsLast), [1, 2], true), channelsLast)];
};

export const windows: Record<string, Operator> = {
  Conv: conv,
  MaxPool: maxPool,
  AveragePool: averagePool,
  GlobalAveragePool: globalAveragePool,
};
