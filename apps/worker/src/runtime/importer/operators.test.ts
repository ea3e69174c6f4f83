// Operators of ONNX that the pipeline writes otherwise or not at all, against onnxruntime.
import assert from 'node:assert/strict';
import { before, suite, test } from 'node:test';
import { wasm } from '@retraind/pipeline/engine/wasm';
import { assertSame, chain, constants } from './conformance.fixture.ts';
import type { SampleNode } from './graph.fixture.ts';

before(() => wasm.open());

suite('operators', () => {
  const image = [4, 7, 6];
  const cases: Record<string, { record: number[]; nodes: SampleNode[]; opset?: number }> = {
    'convolution with pads of its own, strides': {
      record: image,
      nodes: [
        {
          op: 'Conv',
          constants: constants([5, 4, 3, 3], [5]),
          attributes: { pads: [1, 2, 0, 1], strides: [2, 1] },
        },
      ],
    },
    'dilated convolution': {
      record: image,
      nodes: [
        {
          op: 'Conv',
          constants: constants([5, 4, 2, 3], [5]),
          attributes: { dilations: [2, 2], pads: [1, 2, 1, 2] },
        },
      ],
    },
    'convolution in groups': {
      record: image,
      nodes: [
        {
          op: 'Conv',
          constants: constants([6, 2, 3, 3], [6]),
          attributes: { group: 2, pads: [1, 1, 1, 1], strides: [2, 2] },
        },
      ],
    },
    'depthwise, two outputs a channel': {
      record: image,
      nodes: [
        {
          op: 'Conv',
          constants: constants([8, 1, 3, 3]),
          attributes: { group: 4, pads: [1, 0, 1, 2], dilations: [1, 2] },
        },
      ],
    },
    'convolution, auto_pad upper': {
      record: image,
      nodes: [
        {
          op: 'Conv',
          constants: constants([2, 4, 2, 2]),
          attributes: { auto_pad: 'SAME_UPPER', strides: [2, 2] },
        },
      ],
    },
    'convolution, auto_pad lower': {
      record: image,
      nodes: [{ op: 'Conv', constants: constants([2, 4, 2, 4]), attributes: { auto_pad: 'SAME_LOWER' } }],
    },
    'a stride larger than the window': {
      record: image,
      nodes: [
        {
          op: 'Conv',
          constants: constants([2, 4, 2, 2]),
          attributes: { auto_pad: 'VALID', strides: [3, 3] },
        },
      ],
    },
    'maximum with pads': {
      record: image,
      nodes: [{ op: 'MaxPool', attributes: { kernel_shape: [3, 2], pads: [2, 0, 1, 1], strides: [2, 2] } }],
    },
    'means over the pixels under the window': {
      record: image,
      nodes: [
        { op: 'AveragePool', attributes: { kernel_shape: [3, 3], pads: [2, 1, 0, 1], strides: [2, 2] } },
      ],
    },
    'means over the padding too': {
      record: image,
      nodes: [
        { op: 'AveragePool', attributes: { kernel_shape: [3, 2], pads: [1, 0, 1, 1], count_include_pad: 1 } },
        { op: 'GlobalAveragePool' },
      ],
    },
    'arithmetic beside an image, lying turned': {
      record: image,
      nodes: [
        { op: 'Conv', constants: constants([3, 4, 1, 1]) },
        { op: 'Mul', constants: constants([3, 1, 1]) },
        { op: 'Sub', constants: constants([7, 1]) },
        { op: 'Add', constants: constants([1, 3, 7, 6]) },
        { op: 'Div', constants: [{ shape: [], values: Float32Array.of(3) }] },
        { op: 'Sub', constants: constants([]), first: true },
      ],
    },
    'LeakyRelu, Sigmoid, Tanh, Clip': {
      record: [9],
      nodes: [
        { op: 'LeakyRelu', attributes: { alpha: { float: 0.2 } } },
        {
          op: 'Clip',
          constants: [
            { shape: [], values: Float32Array.of(-0.15) },
            { shape: [], values: Float32Array.of(0.7) },
          ],
        },
        { op: 'Sigmoid' },
        { op: 'Tanh' },
      ],
    },
    'relu6 of opset 10': {
      record: [9],
      opset: 10,
      nodes: [
        { op: 'Mul', constants: [{ shape: [1], values: Float32Array.of(20) }] },
        { op: 'Clip', attributes: { min: { float: 0 }, max: { float: 6 } } },
      ],
    },
    'Gemm with factors, turned weights': {
      record: [5],
      nodes: [
        {
          op: 'Gemm',
          constants: constants([4, 5], [1, 4]),
          attributes: { transB: 1, alpha: { float: 0.5 }, beta: { float: 2 } },
        },
      ],
    },
    'batch normalisation of rows and images': {
      record: image,
      nodes: [
        {
          op: 'BatchNormalization',
          constants: [...constants([4], [4], [4]), { shape: [4], values: Float32Array.of(1, 0.3, 2, 0.01) }],
        },
        { op: 'GlobalAveragePool' },
        { op: 'Flatten' },
        {
          op: 'BatchNormalization',
          constants: [...constants([4], [4], [4]), { shape: [4], values: Float32Array.of(1, 0.3, 2, 0.01) }],
        },
      ],
    },
    shapes: {
      record: image,
      nodes: [
        { op: 'Transpose', attributes: { perm: [0, 2, 3, 1] } },
        { op: 'Unsqueeze', constants: [{ shape: [1], integers: [1] }] },
        { op: 'Squeeze', constants: [{ shape: [1], integers: [-4] }] },
        {
          op: 'Pad',
          constants: [
            { shape: [8], integers: [0, 1, 0, 0, 0, 0, 2, 1] },
            { shape: [], values: Float32Array.of(0.5) },
          ],
        },
        { op: 'Identity' },
        { op: 'Dropout' },
        { op: 'Cast', attributes: { to: 1 } },
        { op: 'Concat', constants: [], attributes: { axis: 1 } },
        { op: 'Reshape', constants: [{ shape: [3], integers: [0, -1, 4] }] },
        { op: 'ReduceMean', attributes: { axes: [1], keepdims: 0 } },
      ],
    },
    'softmax over the channels, then log': {
      record: image,
      nodes: [
        { op: 'Softmax', attributes: { axis: 1 } },
        { op: 'Transpose', attributes: { perm: [0, 3, 1, 2] } },
        { op: 'LogSoftmax', attributes: { axis: -1 } },
      ],
    },
    'softmax of opset 11: all axes from the first on': {
      record: [3, 4],
      opset: 11,
      nodes: [{ op: 'Softmax' }],
    },
    'a softmax at the end': {
      record: [6],
      nodes: [{ op: 'Gemm', constants: constants([6, 3]) }, { op: 'Softmax' }],
    },
  };
  for (const [name, { record, nodes, opset }] of Object.entries(cases)) {
    test(name, async () => {
      const ends = await assertSame(chain(record, nodes, opset), 3, record);
      assert.equal(ends, name === 'a softmax at the end');
    });
  }
});
