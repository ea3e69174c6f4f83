// Imported nets against onnxruntime, for the tests of this folder.
import assert from 'node:assert/strict';
import * as tf from '@retraind/pipeline/tf';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { askedInputs, readOnnx } from '../onnx/model.ts';
import { graphBytes, type SampleNode } from './graph.fixture.ts';
import { importOnnx } from './import.ts';

/** Numbers in [-1, 1), the same at each run. */
export const numbers = (count: number, seed = 1): Float32Array => {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  });
};

const onnxruntime = async (bytes: Uint8Array, x: Float32Array, shape: number[]): Promise<Float32Array> => {
  const session = await InferenceSession.create(bytes, { intraOpNumThreads: 1, logSeverityLevel: 4 });
  const answers = await session.run({ [session.inputNames[0]!]: new Tensor('float32', x, shape) });
  return answers[session.outputNames[0]!]!.data as Float32Array;
};

export const recordOf = (bytes: Uint8Array): number[] =>
  askedInputs(readOnnx(bytes))[0]!.shape!.slice(1) as number[];

/** Asserts that both give the same to 1e-5, relative where a value is above 1; answers whether it ends with a softmax. */
export const assertSame = async (bytes: Uint8Array, rows = 3, record = recordOf(bytes)): Promise<boolean> => {
  const found = importOnnx(readOnnx(bytes), record);
  assert.ok('net' in found, 'refused' in found ? found.refused : '');
  const { net } = found;
  const shape = [rows, ...record];
  const x = numbers(shape.reduce((a, b) => a * b));
  const expected = await onnxruntime(bytes, x, shape);
  const values = tf.tidy(() => net.forward(tf.tensor(x, shape)).dataSync());
  assert.equal(values.length, expected.length);
  values.forEach((value, at) => {
    const wanted = expected[at]!;
    assert.ok(
      Math.abs(value - wanted) <= 1e-5 * Math.max(1, Math.abs(wanted)),
      `value ${at}: ${value} for ${wanted}`,
    );
  });
  if (net.endsWithSoftmax) {
    const scores = tf.tidy(() => tf.softmax(net.forward(tf.tensor(x, shape), true)).dataSync());
    values.forEach((value, at) => {
      assert.ok(Math.abs(value - scores[at]!) < 1e-6);
    });
  }
  net.dispose();
  return net.endsWithSoftmax;
};

/** A graph of these nodes in a row on [N, …record]. */
export const chain = (record: number[], nodes: SampleNode[], opset = 14): Uint8Array =>
  graphBytes(record, nodes, opset);

export const constants = (...shapes: number[][]): { shape: number[]; values: Float32Array }[] =>
  shapes.map((shape, i) => ({
    shape,
    values: numbers(
      shape.reduce((a, b) => a * b, 1),
      5 + i,
    ),
  }));
