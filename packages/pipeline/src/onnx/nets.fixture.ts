// A net of each kind that is written as ONNX, for the tests of those who write and of those who read.
import { activation } from '../layers/activation.ts';
import { batchNorm } from '../layers/batch-norm.ts';
import { conv2d } from '../layers/conv2d.ts';
import { dense } from '../layers/dense.ts';
import { depthwiseConv2d } from '../layers/depthwise-conv2d.ts';
import { dropout } from '../layers/dropout.ts';
import { embedding } from '../layers/embedding.ts';
import { layerNorm } from '../layers/layer-norm.ts';
import { averagePool, globalAveragePool, maxPool } from '../layers/pooling.ts';
import { gru, lstm, simpleRnn } from '../layers/recurrent.ts';
import { flatten, reshape } from '../layers/reshape.ts';
import * as tf from '../tf.ts';

/** Gives every bias a value: zeros would hide a bias that is not written. */
export const stir = (model: tf.Sequential): tf.Sequential => {
  for (const layer of model.layers) {
    layer.setWeights(
      // Away from 0 for the variances of batch norm; biases of either sign come from the kernels before.
      layer.getWeights().map((weight) => tf.add(weight, tf.randomUniform(weight.shape, -0.4, 0.6))),
    );
  }
  return model;
};

/** tfjs's own is orthogonal, by a chained operation that only the package `@tensorflow/tfjs` registers. */
const recurrentInitializer = 'glorotUniform';

export const nets: Record<string, () => tf.Sequential> = {
  'relu, softmax': () =>
    tf.sequential({ layers: [dense(128, 'relu', { inputs: 784 }), dense(10, 'softmax')] }),
  'sigmoid, linear': () =>
    tf.sequential({ layers: [dense(9, 'sigmoid', { inputs: 20 }), dense(3, 'linear')] }),
  'tanh alone': () => tf.sequential({ layers: [dense(5, 'tanh', { inputs: 4 })] }),
  'no bias': () =>
    tf.sequential({
      layers: [
        tf.layers.dense({ units: 6, inputShape: [4], useBias: false, activation: 'relu' }),
        dense(2, 'softmax'),
      ],
    }),
  'an input layer of its own': () =>
    tf.sequential({ layers: [tf.layers.inputLayer({ inputShape: [4] }), dense(3, 'softmax')] }),
  'a conv net': () =>
    tf.sequential({
      layers: [
        conv2d(6, 3, 'relu', { inputs: [9, 8, 2] }),
        maxPool(),
        conv2d(4, [2, 3], 'tanh', { padding: 'same', stride: [2, 1] }),
        flatten(),
        dense(3, 'softmax'),
      ],
    }),
  'an image as flat records': () =>
    tf.sequential({
      layers: [reshape([6, 6, 1], { inputs: 36 }), conv2d(3, 3, 'relu'), flatten(), dense(2, 'softmax')],
    }),
  'images in, images out': () =>
    tf.sequential({ layers: [conv2d(2, 4, 'sigmoid', { inputs: [5, 7, 3], padding: 'same' })] }),
  'softmax over the channels of an image': () =>
    tf.sequential({ layers: [conv2d(3, 2, 'softmax', { inputs: [4, 4, 1] })] }),
  'softmax of its own': () =>
    tf.sequential({
      layers: [conv2d(3, 2, 'linear', { inputs: [4, 4, 1] }), activation('softmax'), activation('linear')],
    }),
  'depthwise, then pointwise': () =>
    tf.sequential({
      layers: [
        depthwiseConv2d(3, 'relu', { inputs: [7, 6, 3], multiplier: 2, padding: 'same', stride: 2 }),
        conv2d(5, 1, 'relu'),
        globalAveragePool(),
        dense(4, 'softmax'),
      ],
    }),
  'pools with padding': () =>
    tf.sequential({
      layers: [
        averagePool(3, { inputs: [7, 8, 2], stride: 2, padding: 'same' }),
        maxPool([2, 3], { stride: 1, padding: 'same' }),
        averagePool(2),
        flatten(),
      ],
    }),
  'the mean of images as they come': () =>
    tf.sequential({ layers: [globalAveragePool({ inputs: [3, 4, 5] })] }),
  'a dilated window, no bias': () =>
    tf.sequential({
      layers: [
        tf.layers.conv2d({
          filters: 3,
          kernelSize: 3,
          dilationRate: 2,
          padding: 'same',
          useBias: false,
          inputShape: [8, 9, 2],
        }),
      ],
    }),
  'batch norm of images and of rows': () =>
    tf.sequential({
      layers: [
        conv2d(3, 3, 'linear', { inputs: [6, 5, 2] }),
        batchNorm(),
        activation('relu'),
        globalAveragePool(),
        batchNorm({ epsilon: 0.1 }),
        tf.layers.batchNormalization({ scale: false, center: false }),
        tf.layers.batchNormalization({ center: false }),
      ],
    }),
  'batch norm of sequences': () => tf.sequential({ layers: [batchNorm({ inputs: [5, 3] })] }),
  'layer norm': () => tf.sequential({ layers: [layerNorm({ inputs: [5, 3] }), layerNorm({ epsilon: 0.1 })] }),
  'layer norm without weights': () =>
    tf.sequential({
      layers: [tf.layers.layerNormalization({ scale: false, center: false, inputShape: [4] })],
    }),
  'dropout is not written': () =>
    tf.sequential({
      layers: [dense(7, 'relu', { inputs: 4 }), dropout(0.5), dense(2, 'softmax'), dropout(0.1)],
    }),
  'dropout alone': () => tf.sequential({ layers: [dropout(0.5, { inputs: 4 })] }),
  'an LSTM, its last output': () =>
    tf.sequential({ layers: [lstm(5, { inputs: [6, 3] }), dense(2, 'softmax')] }),
  'LSTMs on each other, as tfjs makes them': () =>
    tf.sequential({
      layers: [
        lstm(5, { inputs: [6, 3], sequences: true }),
        tf.layers.lstm({ units: 4, returnSequences: true, useBias: false, recurrentInitializer }),
        tf.layers.lstm({ units: 3, activation: 'relu', recurrentInitializer }),
      ],
    }),
  GRUs: () => tf.sequential({ layers: [gru(5, { inputs: [6, 3], sequences: true }), gru(4)] }),
  'simple recurrent layers': () =>
    tf.sequential({ layers: [simpleRnn(5, { inputs: [6, 3], sequences: true }), simpleRnn(4)] }),
  'a dense layer at each place of a sequence': () =>
    tf.sequential({
      layers: [reshape([4, 5], { inputs: 20 }), dense(3, 'relu'), dense(6, 'softmax')],
    }),
};

/** Nets whose inputs are row numbers. */
export const tokenNets: Record<string, () => tf.Sequential> = {
  'an embedding, flat': () =>
    tf.sequential({ layers: [embedding(11, 3, { inputs: 4 }), flatten(), dense(2, 'softmax')] }),
  'an embedding before an LSTM': () =>
    tf.sequential({ layers: [embedding(11, 3, { inputs: 4 }), lstm(5), dense(2, 'softmax')] }),
};
