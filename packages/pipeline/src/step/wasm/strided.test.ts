// Moves of values against tfjs's own kernels: a function of slices and joins, replayed, gives the bits that it gives eagerly.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { openEngine } from '../../engine/engines.ts';
import { compileStep, eagerStep, type Tensors } from '../step.ts';
import { Program } from './program.ts';

before(() => openEngine('wasm'));

const functions: Record<string, (x: tf.Tensor3D) => tf.Tensor> = {
  'slice of the first axis': (x) => tf.slice(x, [1, 0, 0], [2, -1, -1]),
  'slice of the middle axis': (x) => tf.slice(x, [0, 2, 0], [-1, 1, -1]),
  'slice of the last axis': (x) => tf.slice(x, [0, 0, 3], [-1, -1, 4]),
  'slice of two axes': (x) => tf.slice(x, [1, 1, 2], [2, 2, 3]),
  'slice of all': (x) => tf.slice(x, 0),
  'split, joined the other way round': (x) => tf.concat(tf.split(x, [3, 1, 4], 2).reverse(), 2),
  'split by the middle': (x) => tf.concat(tf.split(x, 5, 1).reverse(), 0),
  'unstacked and stacked': (x) => tf.stack(tf.unstack(x, 1), 2),
  'stacked on a negative axis': (x) => tf.stack([x, tf.neg(x)], -1),
  'long rows': (x) => tf.concat([tf.tile(x, [1, 1, 20]), x], -1),
  whole: (x) => tf.concat([tf.cast(x, 'int32'), tf.ones([4, 5, 3], 'int32')], 2),
};

for (const [name, act] of Object.entries(functions)) {
  test(name, async () => {
    const x = { shape: [4, 5, 8], values: Float32Array.from({ length: 160 }, (_, i) => Math.sin(i) * 9) };
    const options = {
      optimizer: tf.train.sgd(0.1),
      variables: [],
      loss: () => tf.scalar(0),
      functions: { act: (inputs: Tensors) => act(inputs.x as tf.Tensor3D) },
    };
    const [eager, compiled] = [eagerStep(options), compileStep(options)];
    for (const sign of [1, -1]) {
      const batch = { x: { shape: x.shape, values: x.values.map((value) => sign * value) } };
      assert.deepEqual(await compiled.call('act', batch), await eager.call('act', batch));
    }
  });
}

test('an axis that is cut moves without JavaScript', async () => {
  const kinds: string[] = [];
  const { bind } = Program.prototype;
  Program.prototype.bind = function (...args) {
    bind.apply(this, args);
    kinds.push(...this.instructions.map(({ name, by }) => `${name} ${by}`));
  };
  try {
    await compileStep({
      optimizer: tf.train.sgd(0.1),
      variables: [],
      loss: () => tf.scalar(0),
      functions: { act: ({ x }: Tensors) => tf.concat(tf.split(x!, 2, 1).reverse(), 1) },
    }).call('act', { x: { shape: [3, 4], values: new Float32Array(12) } });
  } finally {
    Program.prototype.bind = bind;
  }
  assert.deepEqual(kinds, ['SplitV copy', 'Concat copy']);
});
