// Products of matrices.
import * as tf from '@retraind/pipeline/tf';
import type { Call, Operator } from '../call.ts';
import { type Held, live, plain, shapeOf } from '../value.ts';

/** A matrix of the file, turned where the operator asks for it and scaled: [inputs, outputs]. */
const matrix = (call: Call, of: Held, turned: boolean, scale: number): tf.Tensor2D => {
  const [rows, columns] = of.shape as [number, number];
  const shape = turned ? [columns, rows] : [rows, columns];
  const moved = turned ? { shape: of.shape, order: [1, 0] } : undefined;
  const straight = call.constant(of, shape, moved);
  if (scale === 1) return straight as tf.Tensor2D;
  return call.session.constant(of, `times ${scale}, turned ${turned}`, () => ({
    shape,
    values: (straight.dataSync() as Float32Array).map((value) => value * scale),
  })) as tf.Tensor2D;
};

/** alpha · A · B + beta · C; A is the net's value, B of the file. */
const gemm: Operator = (call) => {
  const { attributes } = call;
  const [a, b] = [call.live(0), call.held(1)];
  const shape = shapeOf(a);
  if (shape.length !== 2 || b.shape.length !== 2)
    throw call.refuse(`of ${shape.join('x')} by ${b.shape.join('x')}`);
  const turnedA = attributes.number('transA', 0) !== 0;
  const weights = matrix(call, b, attributes.number('transB', 0) !== 0, attributes.number('alpha', 1));
  const rows = shape[turnedA ? 1 : 0]!;
  const [inputs, outputs] = weights.shape;
  call.claim([rows, outputs], inputs);
  const product = tf.matMul(plain(a) as tf.Tensor2D, weights, turnedA);
  if (!call.has(2)) return [live(product)];
  const beta = attributes.number('beta', 1);
  const c = call.value(2);
  if (c.kind === 'live') return [live(tf.add(product, beta === 1 ? plain(c) : tf.mul(plain(c), beta)))];
  tf.broadcast_util.assertAndGetBroadcastShape(c.shape, [rows, outputs]);
  if (c.shape.length > 2) throw call.refuse(`with C of ${c.shape.join('x')}`);
  const shift = call.session.constant(c, `times ${beta}`, () => ({
    shape: c.shape,
    values: Float32Array.from(c.values, (value) => value * beta),
  }));
  return [live(tf.add(product, shift))];
};

const matMul: Operator = (call) => {
  const [a, b] = [call.value(0), call.value(1)];
  const [shapeA, shapeB] = [shapeOf(a), shapeOf(b)];
  if (shapeA.length < 2 || shapeB.length < 2) throw call.refuse('of a vector');
  const inputs = shapeA.at(-1)!;
  if (inputs !== shapeB.at(-2)) throw call.refuse(`of ${shapeA.join('x')} by ${shapeB.join('x')}`);
  const outputs = shapeB.at(-1)!;
  if (a.kind === 'live' && b.kind === 'held' && shapeB.length === 2) {
    const shape = [...shapeA.slice(0, -1), outputs];
    call.claim(shape, inputs);
    const flat = tf.reshape(plain(a), [-1, inputs]) as tf.Tensor2D;
    return [live(tf.reshape(tf.matMul(flat, matrix(call, b, false, 1)), shape))];
  }
  const batch = tf.broadcast_util.assertAndGetBroadcastShape(shapeA.slice(0, -2), shapeB.slice(0, -2));
  call.claim([...batch, shapeA.at(-2)!, outputs], inputs);
  return [live(tf.matMul(plain(call.live(0)), plain(call.live(1))))];
};

export const products: Record<string, Operator> = { Gemm: gemm, MatMul: matMul };
