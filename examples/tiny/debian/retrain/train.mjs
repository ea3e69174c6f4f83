// Trains the glyph classifier: 64-48-6, ReLU, Adam, twelve epochs: under a second.
// Run by `debian/rules bootstrap`, that is: retrain-tfjs debian/retrain/train.mjs
import { accuracy, dense, fit, inputs, labels, readIdx, saveOnnx, tf } from 'retrain-tfjs';

const images = inputs(await readIdx('glyphs/train-images-idx3-ubyte.gz'), { scale: 1 / 255 });
const kinds = labels(await readIdx('glyphs/train-labels-idx1-ubyte.gz'), { classes: 6 });

const model = tf.sequential({ layers: [dense(48, 'relu', { inputs: 64 }), dense(6, 'softmax')] });

await fit(model, {
  inputs: images,
  labels: kinds,
  optimizer: tf.train.adam(3e-3),
  batchSize: 64,
  epochs: 12,
});
console.log(`accuracy on the training set: ${(await accuracy(model, images, kinds)).toFixed(4)}`);

await saveOnnx(model, 'tiny.onnx');
