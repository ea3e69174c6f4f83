// Training of a sequential net of dense layers by minibatches, in an order that is a function of seed and epoch only.
import * as tf from '@tensorflow/tfjs-core';
import type { Sequential } from '@tensorflow/tfjs-layers';
import { gather, type Inputs, type Labels, oneHot } from './data/records.ts';
import { RecipeFault } from './fault.ts';
import { forward, type Net, netOf } from './layers/net.ts';
import { writeMetrics } from './metrics.ts';
import { epochOrder } from './random.ts';
import { run } from './run.ts';

export interface FitOptions {
  inputs: Inputs;
  labels: Labels;
  optimizer: tf.Optimizer;
  /** Records a step; the last batch of an epoch may be smaller. */
  batchSize: number;
  epochs: number;
}

export interface FitResult {
  steps: number;
  /** Mean loss of each epoch: cross entropy in nats, as it was while the weights moved. */
  epochLosses: number[];
}

/** At most so many {"step", "loss", "epoch"} lines a fit: a curve needs no more, and the file has a limit. */
const curvePoints = 500;
/** Milliseconds between two lines of talk on stderr within an epoch, far under any silence limit. */
const talkEvery = 10_000;

const positive = (name: string, value: number): void => {
  if (!(Number.isInteger(value) && value > 0)) {
    throw new RecipeFault(`${name} is ${value}`, `give ${name} as a whole number above 0`);
  }
};

/**
 * Trains `model` to the labels by softmax cross entropy (its last layer is `softmax`). Writes {"step", "loss", "epoch"} and
 * {"progress"} lines, and an epoch a line on stderr. A loss that is not finite stops it with a RecipeFault naming the step.
 */
export async function fit(model: Sequential, options: FitOptions): Promise<FitResult> {
  const { inputs, labels, optimizer, batchSize, epochs } = options;
  positive('batchSize', batchSize);
  positive('epochs', epochs);
  const net = netOf(model);
  checkShapes(net, inputs, labels);
  const stepsAnEpoch = Math.ceil(inputs.rows / batchSize);
  const steps = stepsAnEpoch * epochs;
  const curveEvery = Math.ceil(steps / curvePoints);
  const epochLosses: number[] = [];
  let step = 0;
  let percent = 0;
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const order = epochOrder(inputs.rows, run.seed, epoch);
    const startedAt = performance.now();
    let talkedAt = startedAt;
    let sum = 0;
    for (let at = 0; at < inputs.rows; at += batchSize) {
      const rows = order.subarray(at, at + batchSize);
      const x = tf.tensor(gather(inputs, rows), [rows.length, ...net.inputShape]);
      const y = tf.tensor2d(oneHot(labels, rows), [rows.length, labels.classes]);
      const cost = optimizer.minimize(
        () => crossEntropy(forward(net, x, { training: true, logits: true }) as tf.Tensor2D, y),
        true,
        net.trainable,
      )!;
      const loss = (await cost.data())[0]!;
      tf.dispose([x, y, cost]);
      step += 1;
      if (!Number.isFinite(loss)) {
        throw new RecipeFault(
          `the loss is ${loss} at step ${step} of ${steps} (epoch ${epoch})`,
          'lower the learning rate, or look for broken values in the data',
        );
      }
      sum += loss * rows.length;
      if (step % curveEvery === 0 || step === steps) writeMetrics({ step, loss, epoch });
      if (Math.floor((100 * step) / steps) > percent) {
        percent = Math.floor((100 * step) / steps);
        writeMetrics({ progress: percent / 100 });
      }
      if (performance.now() - talkedAt > talkEvery) {
        talkedAt = performance.now();
        process.stderr.write(`epoch ${epoch}/${epochs}  step ${step}/${steps}  loss ${loss.toFixed(4)}\n`);
      }
    }
    epochLosses.push(sum / inputs.rows);
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    process.stderr.write(`epoch ${epoch}/${epochs}  loss ${(sum / inputs.rows).toFixed(4)}  ${seconds} s\n`);
  }
  return { steps, epochLosses };
}

/** Mean cross entropy in nats, from logits: exact where probabilities round to 0. */
function crossEntropy(logits: tf.Tensor2D, oneHotLabels: tf.Tensor2D): tf.Scalar {
  return tf.neg(tf.mean(tf.sum(tf.mul(oneHotLabels, tf.logSoftmax(logits)), -1))) as tf.Scalar;
}

/** Fraction of records whose most probable class is their label (the lowest one among equals). */
export async function accuracy(model: Sequential, inputs: Inputs, labels: Labels): Promise<number> {
  const net = netOf(model);
  checkShapes(net, inputs, labels);
  let right = 0;
  for (let at = 0; at < inputs.rows; at += 1024) {
    const rows = Int32Array.from({ length: Math.min(1024, inputs.rows - at) }, (_, i) => at + i);
    const best = tf.tidy(() =>
      tf.argMax(
        forward(net, tf.tensor(gather(inputs, rows), [rows.length, ...net.inputShape]), {
          training: false,
          logits: true,
        }),
        -1,
      ),
    );
    const classes = await best.data();
    best.dispose();
    right += rows.filter((row, i) => classes[i] === labels.values[row]).length;
  }
  return right / inputs.rows;
}

function checkShapes(net: Net, inputs: Inputs, labels: Labels): void {
  if (inputs.rows !== labels.rows) {
    throw new RecipeFault(
      `there are ${inputs.rows} inputs and ${labels.rows} labels`,
      'give files of one set',
    );
  }
  const taken = net.inputShape.reduce((product, length) => product * length, 1);
  if (taken !== inputs.columns) {
    throw new RecipeFault(
      `layer '${net.layers[0]!.layer.name}' takes ${taken} inputs, a record has ${inputs.columns}`,
      `say { inputs: ${inputs.columns} } at the first layer`,
    );
  }
  const { name, activation } = net.last;
  const given = net.outputShape.join('x');
  if (activation !== 'softmax' || given !== String(labels.classes)) {
    throw new RecipeFault(
      `layer '${name}' gives ${given} values by ${activation}, there are ${labels.classes} classes`,
      `end the net with dense(${labels.classes}, 'softmax')`,
    );
  }
}
