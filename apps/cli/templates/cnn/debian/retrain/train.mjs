// Trains @NAME@ on Fashion-MNIST: two convolutions with pooling, one dense layer, Adam, two epochs: under a minute.
// Run by `debian/rules bootstrap`, that is: retrain-tfjs debian/retrain/train.mjs
import {
  accuracy,
  conv2d,
  cosineRate,
  dense,
  fit,
  flatten,
  inputs,
  labels,
  maxPool,
  readIdx,
  saveOnnx,
  tf,
} from 'retrain-tfjs';

const images = inputs(await readIdx('fashion-mnist/train-images-idx3-ubyte.gz'), {
  scale: 1 / 255,
  shape: [28, 28, 1],
});
const kinds = labels(await readIdx('fashion-mnist/train-labels-idx1-ubyte.gz'), { classes: 10 });

const model = tf.sequential({
  layers: [
    conv2d(8, 3, 'relu', { inputs: [28, 28, 1] }),
    maxPool(2),
    conv2d(16, 3, 'relu'),
    maxPool(2),
    flatten(),
    dense(10, 'softmax'),
  ],
});

await fit(model, {
  inputs: images,
  labels: kinds,
  optimizer: tf.train.adam(3e-3),
  // Down to 0 at the end: retrains from other seeds then agree more closely.
  schedule: cosineRate(3e-3),
  batchSize: 128,
  epochs: 2,
});
console.log(`accuracy on the training set: ${(await accuracy(model, images, kinds)).toFixed(4)}`);

await saveOnnx(model, '@NAME@.onnx');
