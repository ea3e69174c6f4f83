// Value by value: activations, arithmetic with broadcasting, batch normalisation in inference.
import * as tf from '@retraind/pipeline/tf';
import type { Call, Operator } from '../call.ts';
import { type Held, type Live, laid, live, plain, shapeOf } from '../value.ts';

const unary =
  (compute: (x: tf.Tensor, call: Call) => tf.Tensor): Operator =>
  (call) => {
    const x = call.live(0);
    call.claim(x.tensor.shape);
    return [live(compute(x.tensor, call), x.order)];
  };

/** A constant beside a value, lying as that does. */
const beside = (call: Call, of: Held, { order }: Live): tf.Tensor => {
  const full = [...Array(order.length - of.shape.length).fill(1), ...of.shape];
  const lying = order.map((axis) => full[axis]!);
  const first = lying.findIndex((length) => length !== 1);
  const shape = first < 0 ? [] : lying.slice(first);
  return call.constant(of, shape, { shape: full, order });
};

const binary =
  (compute: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor): Operator =>
  (call) => {
    const [a, b] = [call.value(0), call.value(1)];
    const shapes = [shapeOf(a), shapeOf(b)];
    call.claim(tf.broadcast_util.assertAndGetBroadcastShape(shapes[0]!, shapes[1]!));
    const [rankA, rankB] = shapes.map(({ length }) => length) as [number, number];
    if (a.kind === 'live' && b.kind === 'held' && rankB <= rankA) {
      return [live(compute(a.tensor, beside(call, b, a)), a.order)];
    }
    if (a.kind === 'held' && b.kind === 'live' && rankA <= rankB) {
      return [live(compute(beside(call, a, b), b.tensor), b.order)];
    }
    const [left, right] = [call.live(0), call.live(1)];
    if (rankA === rankB) return [live(compute(left.tensor, laid(right, left.order)), left.order)];
    return [live(compute(plain(left), plain(right)))];
  };

/** Up to opset 10 the bounds were attributes. */
const clip: Operator = (call) => {
  const bound = (name: string, index: number, otherwise: number): number =>
    call.has(index) ? call.scalar(index) : call.attributes.number(name, otherwise);
  const low = bound('min', 1, -3.4028234663852886e38);
  const high = bound('max', 2, 3.4028234663852886e38);
  const x = call.live(0);
  call.claim(x.tensor.shape);
  return [live(tf.clipByValue(x.tensor, low, high), x.order)];
};

/** x · scale / √(variance + ε) + (bias - mean · scale / √(variance + ε)), its factors made in double precision. */
const batchNormalization: Operator = (call) => {
  if (call.attributes.number('training_mode', 0) !== 0) throw call.refuse('in training mode');
  const [scale, bias, mean, variance] = [1, 2, 3, 4].map((index) => call.held(index)) as [
    Held,
    Held,
    Held,
    Held,
  ];
  const x = call.live(0);
  const shape = shapeOf(x);
  if (shape.length < 2) throw call.refuse(`on ${shape.length} axes`);
  for (const { shape: own } of [scale, bias, mean, variance]) {
    if (own.length !== 1 || own[0] !== shape[1])
      throw call.refuse(`of ${own.join('x')} on ${shape.join('x')}`);
  }
  const epsilon = call.attributes.number('epsilon', 1e-5);
  const factor = Float64Array.from(
    scale.values,
    (value, i) => value / Math.sqrt(variance.values[i]! + epsilon),
  );
  const shift = Float64Array.from(bias.values, (value, i) => value - mean.values[i]! * factor[i]!);
  const along = shape.map((length, axis) => (axis === 1 ? length : 1));
  const lying = x.order.map((axis) => along[axis]!);
  const constant = (form: string, values: Float64Array): tf.Tensor =>
    call.session.constant(scale, `${form} of node ${call.node}`, () => ({
      shape: lying,
      values: Float32Array.from(values),
    }));
  call.claim(x.tensor.shape, 2);
  return [live(tf.add(tf.mul(x.tensor, constant('factor', factor)), constant('shift', shift)), x.order)];
};

export const elementwise: Record<string, Operator> = {
  Relu: unary((x) => tf.relu(x)),
  LeakyRelu: unary((x, { attributes }) => tf.leakyRelu(x, attributes.number('alpha', 0.01))),
  Sigmoid: unary((x) => tf.sigmoid(x)),
  Tanh: unary((x) => tf.tanh(x)),
  Sqrt: unary((x) => tf.sqrt(x)),
  Add: binary(tf.add),
  Sub: binary(tf.sub),
  Mul: binary(tf.mul),
  Div: binary(tf.div),
  Clip: clip,
  BatchNormalization: batchNormalization,
};
