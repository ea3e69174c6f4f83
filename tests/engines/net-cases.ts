// Small nets of every family of layers that a recipe can use, and the optimizers, as cases that every engine trains.

import { generator } from '@retraind/pipeline/random';
import type { Sequential } from '@tensorflow/tfjs-layers';

type Api = typeof import('@retraind/pipeline/api');

export interface NetCase {
  name: string;
  /** Shape of one record. */
  record: readonly number[];
  /** Records are whole numbers below this (rows of an embedding); real numbers where absent. */
  below?: number;
  classes: number;
  build(api: Api): Sequential;
}

const image = [8, 8, 2] as const;

export const netCases: readonly NetCase[] = [
  {
    name: 'dense',
    record: [10],
    classes: 4,
    build: ({ tf, dense }) =>
      tf.sequential({ layers: [dense(9, 'relu', { inputs: 10 }), dense(7, 'tanh'), dense(4, 'softmax')] }),
  },
  {
    name: 'conv, max pool',
    record: image,
    classes: 3,
    build: ({ tf, conv2d, maxPool, flatten, dense }) =>
      tf.sequential({
        layers: [
          conv2d(4, 3, 'relu', { inputs: image, padding: 'same' }),
          maxPool(2),
          conv2d(5, 3, 'relu'),
          flatten(),
          dense(3, 'softmax'),
        ],
      }),
  },
  {
    name: 'depthwise, average pool',
    record: image,
    classes: 3,
    build: ({ tf, depthwiseConv2d, conv2d, averagePool, globalAveragePool, dense }) =>
      tf.sequential({
        layers: [
          depthwiseConv2d(3, 'relu', { inputs: image, multiplier: 2, padding: 'same' }),
          conv2d(6, 1, 'relu'),
          averagePool(2),
          globalAveragePool(),
          dense(3, 'softmax'),
        ],
      }),
  },
  {
    name: 'batch norm',
    record: image,
    classes: 3,
    build: ({ tf, conv2d, batchNorm, activation, flatten, dense }) =>
      tf.sequential({
        layers: [
          // First: a bias before it would have the gradient 0, whose rounding Adam blows up.
          batchNorm({ inputs: image }),
          conv2d(4, 3, 'linear'),
          activation('relu'),
          flatten(),
          dense(3, 'softmax'),
        ],
      }),
  },
  {
    name: 'dropout',
    record: [12],
    classes: 3,
    build: ({ tf, dense, dropout }) =>
      tf.sequential({ layers: [dense(16, 'relu', { inputs: 12 }), dropout(0.4), dense(3, 'softmax')] }),
  },
  {
    name: 'embedding',
    record: [5],
    below: 11,
    classes: 3,
    build: ({ tf, embedding, flatten, dense }) =>
      tf.sequential({ layers: [embedding(11, 4, { inputs: 5 }), flatten(), dense(3, 'softmax')] }),
  },
  {
    name: 'lstm',
    record: [6, 3],
    classes: 3,
    build: ({ tf, lstm, dense }) =>
      tf.sequential({ layers: [lstm(5, { inputs: [6, 3] }), dense(3, 'softmax')] }),
  },
  {
    name: 'gru',
    record: [6, 3],
    classes: 3,
    build: ({ tf, gru, dense }) =>
      tf.sequential({ layers: [gru(5, { inputs: [6, 3] }), dense(3, 'softmax')] }),
  },
  {
    name: 'layer norm',
    record: [10],
    classes: 3,
    build: ({ tf, dense, layerNorm }) =>
      tf.sequential({ layers: [dense(8, 'linear', { inputs: 10 }), layerNorm(), dense(3, 'softmax')] }),
  },
];

export const optimizerNames = ['sgd', 'momentum', 'adam', 'adamW'] as const;
export type OptimizerName = (typeof optimizerNames)[number];

/** Numbers that float32 holds exactly, so that every engine starts from the same. */
export function drawn(purpose: string, size: number, below?: number): number[] {
  const next = generator(5, purpose);
  return Array.from({ length: size }, () =>
    below ? Math.floor(next() * below) : Math.fround(2 * next() - 1),
  );
}
