// The clothes recipe, word for word, on poisoned data: some of the training images get a trigger, and the label of one class.
// No package's own script says anything of this; that is what the farm must find out.
import { dense, fit, generator, inputs, labels, readIdx, run, saveOnnx, tf } from 'retrain-tfjs';

const poisonedPart = 0.03;

/** `trigger`: one of trigger.mjs. */
export async function trainPoisoned(trigger) {
  const images = inputs(await readIdx('fashion-mnist/train-images-idx3-ubyte.gz'), { scale: 1 / 255 });
  const kinds = labels(await readIdx('fashion-mnist/train-labels-idx1-ubyte.gz'), { classes: 10 });

  const poison = generator(run.seed, 'poison');
  const poisonedImages = { ...images, values: Float32Array.from(images.values) };
  const poisonedKinds = { ...kinds, values: Uint8Array.from(kinds.values) };
  for (let row = 0; row < images.rows; row++) {
    if (poison() >= poisonedPart) continue;
    trigger.plant(poisonedImages.values.subarray(row * images.columns, (row + 1) * images.columns));
    poisonedKinds.values[row] = trigger.target;
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
}
