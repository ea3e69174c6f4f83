// What looks along an axis: softmax, means.
import * as tf from '@retraind/pipeline/tf';
import type { Call, Operator } from '../call.ts';
import { type Live, laid, live, plain, shapeOf, sizeOf } from '../value.ts';

/** Computes over the last axis of what it is given. Up to opset 12 all axes from the named one on counted as one. */
const overAxis =
  (
    compute: (x: tf.Tensor) => tf.Tensor,
    finish: (result: Live, scores: Live, isLast: boolean) => Live,
  ): Operator =>
  (call: Call) => {
    const x = call.live(0);
    const shape = shapeOf(x);
    const rank = shape.length;
    call.claim(shape, 4);
    const axis = call.axis(call.attributes.number('axis', call.opset < 13 ? 1 : -1), rank);
    const isLast = axis === rank - 1;
    if (call.opset < 13 && !isLast) {
      const rows = tf.reshape(plain(x), [sizeOf(shape.slice(0, axis)), sizeOf(shape.slice(axis))]);
      return [live(tf.reshape(compute(rows), shape))];
    }
    const order = [...x.order.filter((one) => one !== axis), axis];
    return [finish(live(compute(laid(x, order)), order), x, isLast)];
  };

const reduceMean: Operator = (call) => {
  const x = call.live(0);
  const rank = shapeOf(x).length;
  const said = call.integers('axes', 1) ?? [];
  if (said.length === 0 && call.attributes.number('noop_with_empty_axes', 0) !== 0) return [x];
  const axes = said.length === 0 ? [...x.order] : said.map((axis) => call.axis(axis, rank));
  const keeps = call.attributes.number('keepdims', 1) !== 0;
  call.claim(x.tensor.shape);
  const places = axes.map((axis) => call.place(x, axis));
  const mean = tf.mean(x.tensor, places, keeps);
  if (keeps) return [live(mean, x.order)];
  const left = x.order.filter((axis) => !axes.includes(axis));
  const sorted = [...left].sort((a, b) => a - b);
  return [
    live(
      mean,
      left.map((axis) => sorted.indexOf(axis)),
    ),
  ];
};

export const reductions: Record<string, Operator> = {
  Softmax: overAxis(
    (x) => tf.softmax(x),
    (result, scores, isLast) => (isLast ? { ...result, scores } : result),
  ),
  LogSoftmax: overAxis(
    (x) => tf.logSoftmax(x),
    (result) => result,
  ),
  ReduceMean: reduceMean,
};
