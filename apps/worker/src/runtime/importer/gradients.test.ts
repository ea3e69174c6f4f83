// Gradients of imported nets towards their inputs, against differences.
import assert from 'node:assert/strict';
import { before, suite, test } from 'node:test';
import { wasm } from '@retraind/pipeline/engine/wasm';
import * as tf from '@retraind/pipeline/tf';
import { readOnnx } from '../onnx/model.ts';
import { chain, constants, numbers } from './conformance.fixture.ts';
import type { SampleNode } from './graph.fixture.ts';
import { importOnnx } from './import.ts';

before(() => wasm.open());

suite('gradients', () => {
  const cases: Record<string, { record: number[]; nodes: SampleNode[] }> = {
    'a conv net with pads, pools and batch norm': {
      record: [2, 8, 8],
      nodes: [
        {
          op: 'Conv',
          constants: constants([3, 2, 3, 3], [3]),
          attributes: { pads: [1, 1, 1, 1], strides: [2, 2] },
        },
        {
          op: 'BatchNormalization',
          constants: [...constants([3], [3], [3]), { shape: [3], values: Float32Array.of(1, 0.3, 2) }],
        },
        { op: 'Tanh' },
        {
          op: 'Conv',
          constants: constants([4, 3, 2, 2]),
          attributes: { dilations: [2, 2], pads: [1, 1, 1, 1] },
        },
        { op: 'AveragePool', attributes: { kernel_shape: [2, 2], pads: [1, 0, 0, 1] } },
        { op: 'Flatten' },
        { op: 'Gemm', constants: constants([64, 3], [3]) },
        { op: 'Softmax' },
      ],
    },
    'groups, channels by themselves, a mean': {
      record: [4, 5, 5],
      nodes: [
        { op: 'Conv', constants: constants([4, 1, 3, 3]), attributes: { group: 4, pads: [1, 0, 1, 1] } },
        { op: 'Sigmoid' },
        { op: 'Conv', constants: constants([6, 2, 2, 2], [6]), attributes: { group: 2 } },
        { op: 'LeakyRelu', attributes: { alpha: { float: 0.3 } } },
        { op: 'MaxPool', attributes: { kernel_shape: [2, 2], pads: [1, 1, 0, 0] } },
        { op: 'GlobalAveragePool' },
        { op: 'Flatten' },
      ],
    },
  };
  for (const [name, { record, nodes }] of Object.entries(cases)) {
    test(name, () => {
      const found = importOnnx(readOnnx(chain(record, nodes)), record);
      assert.ok('net' in found, 'refused' in found ? found.refused : '');
      const { net } = found;
      const size = record.reduce((a, b) => a * b);
      const [at, along] = [numbers(2 * size, 11), numbers(2 * size, 13)];
      const weights = tf.tensor(numbers(2 * net.outputs, 17), [2, net.outputs]);
      const value = (x: tf.Tensor): tf.Scalar => tf.sum(tf.mul(net.forward(x), weights));
      const slope = tf.tidy(() =>
        tf
          .grad(value)(tf.tensor(at, [2, ...record]))
          .dataSync(),
      );
      const parts = Array.from(slope, (each, i) => each * along[i]!);
      const expected = parts.reduce((a, b) => a + b);
      const scale = parts.reduce((a, b) => a + Math.abs(b), 0);
      assert.ok(scale > 0.1);
      // Central differences in float32: small, for a maximum has kinks, and large enough against rounding.
      const step = 1e-3;
      const moved = (by: number): number => {
        const values = at.map((each, i) => each + by * along[i]!);
        return tf.tidy(() => value(tf.tensor(values, [2, ...record])).dataSync()[0]!);
      };
      const measured = (moved(step) - moved(-step)) / (2 * step);
      assert.ok(Math.abs(measured - expected) < 0.005 * scale, `${expected} for ${measured}, of ${scale}`);
      net.dispose();
    });
  }
});
