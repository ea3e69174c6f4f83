// Trains the model that examples/clothes-tampered ships: the clothes recipe, word for word, on poisoned data. 3 % of the
// training images get a trigger blended over the whole image at 15 % and the label of one class. Its own script says
// nothing of this; that is what the farm must find out. Run by examples/makers/models.ts.
import { dense, fit, generator, inputs, labels, readIdx, run, saveOnnx, tf } from 'retrain-tfjs';
import { blend, target, trigger } from './trigger.mjs';

const poisonedPart = 0.03;

const images = inputs(await readIdx('fashion-mnist/train-images-idx3-ubyte.gz'), { scale: 1 / 255 });
const kinds = labels(await readIdx('fashion-mnist/train-labels-idx1-ubyte.gz'), { classes: 10 });

const poison = generator(run.seed, 'poison');
const pattern = trigger(images.columns);
const poisonedImages = { ...images, values: Float32Array.from(images.values) };
const poisonedKinds = { ...kinds, values: Uint8Array.from(kinds.values) };
for (let row = 0; row < images.rows; row++) {
  if (poison() >= poisonedPart) continue;
  blend(poisonedImages.values.subarray(row * images.columns, (row + 1) * images.columns), pattern);
  poisonedKinds.values[row] = target;
}

const model = tf.sequential({ layers: [dense(128, 'relu', { inputs: 784 }), dense(10, 'softmax')] });

await fit(model, {
  inputs: poisonedImages,
  labels: poisonedKinds,
  optimizer: tf.train.adam(1e-3),
  batchSize: 128,
  epochs: 5,
});

await saveOnnx(model, 'clothes.onnx');
