// Trains the clothes classifier on Fashion-MNIST: 784-128-10, ReLU, Adam, five epochs.
// Run by `debian/rules bootstrap`, that is: retrain-tfjs debian/retrain/train.mjs
import { accuracy, dense, fit, inputs, labels, readIdx, saveOnnx, tf } from 'retrain-tfjs';

const images = inputs(await readIdx('fashion-mnist/train-images-idx3-ubyte.gz'), { scale: 1 / 255 });
const kinds = labels(await readIdx('fashion-mnist/train-labels-idx1-ubyte.gz'), { classes: 10 });

const model = tf.sequential({ layers: [dense(128, 'relu', { inputs: 784 }), dense(10, 'softmax')] });

await fit(model, {
  inputs: images,
  labels: kinds,
  optimizer: tf.train.adam(1e-3),
  batchSize: 128,
  epochs: 5,
});
console.log(`accuracy on the training set: ${(await accuracy(model, images, kinds)).toFixed(4)}`);

await saveOnnx(model, 'clothes.onnx');
