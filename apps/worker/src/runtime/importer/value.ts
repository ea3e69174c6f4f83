// What flows between the nodes of an imported graph.
import * as tf from '@retraind/pipeline/tf';
import type { Tensor } from '../onnx/tensor.ts';
import { Unimportable } from './unimportable.ts';

/** Known without asking the net: weights, shapes. */
export interface Held {
  kind: 'held';
  shape: number[];
  /** Number of ONNX's TensorProto.DataType. */
  type: number;
  /** Row-major. */
  values: ArrayLike<number>;
}

/**
 * Depends on the net's input; float32. It may lie otherwise than ONNX says: image operators want channels last, and a
 * transposition then is a matter of book-keeping.
 */
export interface Live {
  kind: 'live';
  tensor: tf.Tensor;
  /** `order[j]`: the axis, as ONNX counts, that lies at place j of the tensor. */
  order: number[];
  /** Of a softmax over the last axis: what it was taken of. */
  scores?: Live;
}

export type Value = Held | Live;

export const floatType = 1;
export const int64Type = 7;

export const sizeOf = (shape: readonly number[]): number => shape.reduce((size, length) => size * length, 1);

const inOrder = (rank: number): number[] => Array.from({ length: rank }, (_, axis) => axis);

export const live = (tensor: tf.Tensor, order: number[] = inOrder(tensor.rank)): Live => ({
  kind: 'live',
  tensor,
  order,
});

export const held = (shape: number[], type: number, values: ArrayLike<number>): Held => ({
  kind: 'held',
  shape,
  type,
  values,
});

export const shapeOf = (value: Value): number[] => {
  if (value.kind === 'held') return value.shape;
  const shape: number[] = [];
  value.order.forEach((axis, place) => {
    shape[axis] = value.tensor.shape[place]!;
  });
  return shape;
};

/** The tensor lying in the given order. What moves no value is a reshape. */
export const laid = ({ tensor, order }: Live, wanted: readonly number[]): tf.Tensor => {
  const from = wanted.map((axis) => order.indexOf(axis));
  const moved = from.filter((place) => tensor.shape[place] !== 1);
  if (moved.every((place, i) => i === 0 || moved[i - 1]! < place)) {
    const shape = from.map((place) => tensor.shape[place]!);
    return from.every((place, i) => place === i) ? tensor : tf.reshape(tensor, shape);
  }
  return tf.transpose(tensor, from);
};

/** The tensor as ONNX has it. */
export const plain = (value: Live): tf.Tensor => laid(value, inOrder(value.order.length));

/** Float16 as IEEE 754 has it. */
const half = (bits: number): number => {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
};

/** Readers by ONNX's DataType: width in bytes, one element. */
const elements: Record<number, [width: number, read: (view: DataView, at: number) => number]> = {
  1: [4, (view, at) => view.getFloat32(at, true)],
  2: [1, (view, at) => view.getUint8(at)],
  3: [1, (view, at) => view.getInt8(at)],
  4: [2, (view, at) => view.getUint16(at, true)],
  5: [2, (view, at) => view.getInt16(at, true)],
  6: [4, (view, at) => view.getInt32(at, true)],
  7: [8, (view, at) => Number(view.getBigInt64(at, true))],
  9: [1, (view, at) => view.getUint8(at)],
  10: [2, (view, at) => half(view.getUint16(at, true))],
  11: [8, (view, at) => view.getFloat64(at, true)],
  12: [4, (view, at) => view.getUint32(at, true)],
  13: [8, (view, at) => Number(view.getBigUint64(at, true))],
};

/** A tensor of the file as numbers. Throws Unimportable for types that are none (texts, complex, 4 bits). */
export const heldOf = ({ name, shape, type, bytes }: Tensor): Held => {
  const reader = elements[type];
  if (!reader) throw new Unimportable(`tensor ${JSON.stringify(name)} of ONNX type ${type}`);
  const [width, read] = reader;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const values = new (type === floatType || type === 10 ? Float32Array : Float64Array)(sizeOf(shape));
  for (let i = 0; i < values.length; i++) values[i] = read(view, i * width);
  return held(shape, type, values);
};
