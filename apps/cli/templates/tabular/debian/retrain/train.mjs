// Trains @NAME@ on a table: batch norm, 6-64-4, ReLU, Adam, twelve epochs: seconds.
// Run by `debian/rules bootstrap`, that is: retrain-tfjs debian/retrain/train.mjs
import {
  accuracy,
  batchNorm,
  cosineRate,
  dense,
  fit,
  inputs,
  labels,
  readCsv,
  saveOnnx,
  tf,
} from 'retrain-tfjs';

const kinds = ['oak', 'beech', 'birch', 'alder'];
const measures = ['length_mm', 'width_mm', 'stalk_mm', 'veins', 'teeth', 'mass_mg'];

const table = await readCsv('leaves/train.csv', { categories: { kind: kinds } });
const leaves = inputs(table.columns(measures));
const classes = labels(table.column('kind'), { classes: kinds.length });

// Batch norm learns the mean and the spread of each column, so that they may come in any unit.
const model = tf.sequential({
  layers: [batchNorm({ inputs: measures.length }), dense(64, 'relu'), dense(kinds.length, 'softmax')],
});

await fit(model, {
  inputs: leaves,
  labels: classes,
  optimizer: tf.train.adam(1e-2),
  // Down to 0 at the end: retrains from other seeds then agree more closely.
  schedule: cosineRate(1e-2),
  batchSize: 128,
  epochs: 12,
});
console.log(`accuracy on the training set: ${(await accuracy(model, leaves, classes)).toFixed(4)}`);

await saveOnnx(model, '@NAME@.onnx');
