// The same values in another shape or order, and what nets compute their shapes with.
import { permuted } from '@retraind/pipeline/onnx/permuted';
import * as tf from '@retraind/pipeline/tf';
import type { Call, Operator } from '../call.ts';
import {
  type Held,
  held,
  heldOf,
  int64Type,
  type Live,
  laid,
  live,
  plain,
  shapeOf,
  sizeOf,
  type Value,
} from '../value.ts';

const identity: Operator = (call) => [call.value(0)];

const shaped = (call: Call, value: Value, shape: number[]): Value[] => {
  if (sizeOf(shape) !== sizeOf(shapeOf(value))) {
    throw call.refuse(`of ${shapeOf(value).join('x')} to ${shape.join('x')}`);
  }
  if (value.kind === 'held') return [held(shape, value.type, value.values)];
  return [live(tf.reshape(plain(value), shape))];
};

const reshape: Operator = (call) => {
  const value = call.value(0);
  const own = shapeOf(value);
  const wanted = call.integers('shape', 1) ?? [];
  const keepsZero = call.attributes.number('allowzero', 0) !== 0;
  const shape = wanted.map((length, axis) => (length === 0 && !keepsZero ? (own[axis] ?? 0) : length));
  const free = shape.indexOf(-1);
  if (free >= 0) shape[free] = sizeOf(own) / sizeOf(shape.filter((_, axis) => axis !== free));
  if (!shape.every((length) => Number.isInteger(length) && length >= 0))
    throw call.refuse(`to ${wanted.join('x')}`);
  return shaped(call, value, shape);
};

const flatten: Operator = (call) => {
  const value = call.value(0);
  const own = shapeOf(value);
  const given = call.attributes.number('axis', 1);
  const axis = given === own.length ? given : call.axis(given, own.length);
  return shaped(call, value, [sizeOf(own.slice(0, axis)), sizeOf(own.slice(axis))]);
};

const transpose: Operator = (call) => {
  const value = call.value(0);
  const rank = shapeOf(value).length;
  const order = call.attributes.numbers('perm') ?? Array.from({ length: rank }, (_, axis) => rank - 1 - axis);
  const isOrder =
    order.length === rank && new Set(order).size === rank && order.every((axis) => axis >= 0 && axis < rank);
  if (!isOrder) throw call.refuse(`of ${rank} axes by ${order.join(', ')}`);
  if (value.kind === 'live')
    return [
      live(
        value.tensor,
        value.order.map((axis) => order.indexOf(axis)),
      ),
    ];
  return [
    held(
      order.map((axis) => value.shape[axis]!),
      value.type,
      permuted(value.values, value.shape, order),
    ),
  ];
};

const squeeze: Operator = (call) => {
  const value = call.value(0);
  const own = shapeOf(value);
  const axes = call.integers('axes', 1)?.map((axis) => call.axis(axis, own.length));
  const gone = (length: number, axis: number): boolean => (axes ? axes.includes(axis) : length === 1);
  return shaped(
    call,
    value,
    own.filter((length, axis) => !gone(length, axis)),
  );
};

const unsqueeze: Operator = (call) => {
  const value = call.value(0);
  const own = [...shapeOf(value)];
  const given = call.integers('axes', 1) ?? [];
  const rank = own.length + given.length;
  if (rank > 8) throw call.refuse(`to ${rank} axes`);
  const axes = new Set(given.map((axis) => call.axis(axis, rank)));
  if (axes.size !== given.length) throw call.refuse(`at the axes ${given.join(', ')}`);
  return shaped(
    call,
    value,
    Array.from({ length: rank }, (_, axis) => (axes.has(axis) ? 1 : own.shift()!)),
  );
};

const joined = (parts: readonly Held[], axis: number): Held => {
  const outer = sizeOf(parts[0]!.shape.slice(0, axis));
  const values: number[] = [];
  for (let i = 0; i < outer; i++) {
    for (const part of parts) {
      const each = sizeOf(part.shape.slice(axis));
      for (let j = 0; j < each; j++) values.push(part.values[i * each + j]!);
    }
  }
  const shape = [...parts[0]!.shape];
  shape[axis] = parts.reduce((sum, part) => sum + part.shape[axis]!, 0);
  return held(shape, parts[0]!.type, values);
};

const concat: Operator = (call) => {
  const values = call.inputs.map((_, index) => call.value(index));
  const shapes = values.map(shapeOf);
  const rank = shapes[0]?.length ?? 0;
  const axis = call.axis(call.attributes.number('axis', 0), rank);
  const fits = shapes.every(
    (shape) => shape.length === rank && shape.every((length, at) => at === axis || length === shapes[0]![at]),
  );
  if (!fits) throw call.refuse(`of ${shapes.map((shape) => shape.join('x')).join(' and ')}`);
  call.claim(
    shapes[0]!.map((length, at) =>
      at === axis ? shapes.reduce((sum, shape) => sum + shape[at]!, 0) : length,
    ),
  );
  if (values.every((value) => value.kind === 'held')) return [joined(values as Held[], axis)];
  const first = values.find((value) => value.kind === 'live') as Live;
  const tensors = values.map((_, index) => laid(call.live(index), first.order));
  return [live(tf.concat(tensors, call.place(first, axis)), first.order)];
};

const pad: Operator = (call) => {
  if (call.attributes.text('mode', 'constant') !== 'constant')
    throw call.refuse(`by ${call.attributes.text('mode', '')}`);
  const x = call.live(0);
  const shape = shapeOf(x);
  const said = call.integers('pads', 1) ?? [];
  const value = call.has(2) ? call.scalar(2) : call.attributes.number('value', 0);
  const axes = call.has(3)
    ? Array.from(call.held(3).values, (axis) => call.axis(axis, shape.length))
    : shape.map((_, axis) => axis);
  const known =
    said.length === 2 * axes.length &&
    said.every((zeros) => Number.isInteger(zeros) && zeros >= 0 && zeros < 2 ** 20);
  if (!known) throw call.refuse(`by ${said.join(', ')}`);
  const around = shape.map((_, axis): [number, number] => {
    const at = axes.indexOf(axis);
    return at < 0 ? [0, 0] : [said[at]!, said[at + axes.length]!];
  });
  call.claim(shape.map((length, axis) => length + around[axis]![0] + around[axis]![1]));
  return [
    live(
      tf.pad(
        x.tensor,
        x.order.map((axis) => around[axis]!),
        value,
      ),
      x.order,
    ),
  ];
};

const shapeIs: Operator = (call) => {
  const shape = shapeOf(call.value(0));
  const begin = call.attributes.number('start', 0);
  const end = call.attributes.number('end', shape.length);
  const part = shape.slice(begin, end);
  return [held([part.length], int64Type, part)];
};

/** Of constants: how exporters take one length out of a shape. */
const gather: Operator = (call) => {
  if (call.value(0).kind === 'live') throw call.refuse();
  const [data, indices] = [call.held(0), call.held(1)];
  const axis = call.axis(call.attributes.number('axis', 0), data.shape.length);
  const length = data.shape[axis]!;
  const inner = sizeOf(data.shape.slice(axis + 1));
  const outer = sizeOf(data.shape.slice(0, axis));
  const shape = [...data.shape.slice(0, axis), ...indices.shape, ...data.shape.slice(axis + 1)];
  call.claim(shape);
  const values: number[] = [];
  for (let i = 0; i < outer; i++) {
    for (const index of Array.from(indices.values)) {
      const row = call.axis(index, length);
      for (let j = 0; j < inner; j++) values.push(data.values[(i * length + row) * inner + j]!);
    }
  }
  return [held(shape, data.type, values)];
};

const cast: Operator = (call) => {
  const value = call.value(0);
  const to = call.attributes.number('to', 0);
  if (value.kind === 'live') {
    if (to !== 1) throw call.refuse(`to ONNX type ${to}`);
    return [value];
  }
  if (to === 1) return [held(value.shape, to, Float32Array.from(value.values))];
  if (to === 6 || to === int64Type) return [held(value.shape, to, Array.from(value.values, Math.trunc))];
  throw call.refuse(`to ONNX type ${to}`);
};

const constant: Operator = (call) => {
  const { attributes } = call;
  const tensor = attributes.tensor('value');
  if (tensor) return [heldOf(tensor)];
  for (const [name, type] of [
    ['value_float', 1],
    ['value_int', int64Type],
  ] as const) {
    if (attributes.has(name)) return [held([], type, [attributes.number(name, 0)])];
  }
  for (const [name, type] of [
    ['value_floats', 1],
    ['value_ints', int64Type],
  ] as const) {
    const values = attributes.numbers(name);
    if (values) return [held([values.length], type, values)];
  }
  throw call.refuse('of another kind than numbers');
};

/** (x - zero point) · scale, of weights; one pair for all, or one for each place of an axis. */
const dequantizeLinear: Operator = (call) => {
  if (call.value(0).kind === 'live') throw call.refuse('on what the net computes');
  const [x, scale] = [call.held(0), call.held(1)];
  if (call.attributes.number('block_size', 0) !== 0) throw call.refuse('by blocks');
  const zero = call.has(2) ? call.held(2) : null;
  const each = scale.values.length;
  const axis = each === 1 ? 0 : call.axis(call.attributes.number('axis', 1), x.shape.length);
  if (each !== 1 && x.shape[axis] !== each) throw call.refuse(`by ${each} scales on ${x.shape.join('x')}`);
  if (scale.type !== 1 || (zero && zero.values.length !== each))
    throw call.refuse('by scales of another kind');
  const inner = sizeOf(x.shape.slice(axis + 1));
  const values = Float32Array.from(x.values, (value, i) => {
    const at = each === 1 ? 0 : Math.floor(i / inner) % each;
    return (value - (zero?.values[at] ?? 0)) * scale.values[at]!;
  });
  return [held(x.shape, 1, values)];
};

export const shapes: Record<string, Operator> = {
  Identity: identity,
  // In inference it hands on what it gets.
  Dropout: identity,
  Reshape: reshape,
  Flatten: flatten,
  Transpose: transpose,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Concat: concat,
  Pad: pad,
  Shape: shapeIs,
  Gather: gather,
  Cast: cast,
  Constant: constant,
  DequantizeLinear: dequantizeLinear,
};
