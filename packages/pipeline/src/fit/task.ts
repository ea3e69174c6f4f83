// What a net is trained for: classes by cross entropy, two classes by one probability, or numbers by squared error.
import * as tf from '@tensorflow/tfjs-core';
import type { RecordSet } from '../data/record-set.ts';
import { type Labels, oneHot } from '../data/records.ts';
import { RecipeFault } from '../fault.ts';
import type { Net } from '../layers/net.ts';

/** Records and what a net is to answer to them: class numbers, or numbers. */
export interface Sets {
  inputs: RecordSet;
  labels?: Labels;
  targets?: RecordSet;
}

export interface Task {
  kind: 'classes' | 'two classes' | 'numbers';
  /** Whether the net's outputs are asked for without their activation. */
  logits: boolean;
  /** The mean loss of a batch: nats, or squared units of the targets. */
  loss(outputs: tf.Tensor, answers: tf.Tensor): tf.Scalar;
  /** Over a batch, [2]: the sum of the records' losses, and that of what `measure` names. */
  sums(outputs: tf.Tensor, answers: tf.Tensor): tf.Tensor;
  /** `accuracy`: share of records whose most probable class is their label; or the mean absolute error. */
  measure: 'accuracy' | 'meanAbsoluteError';
}

/** Mean cross entropy in nats, from logits: exact where probabilities round to 0. */
const crossEntropy = (logits: tf.Tensor, oneHotLabels: tf.Tensor): tf.Scalar =>
  tf.neg(tf.mean(tf.sum(tf.mul(oneHotLabels, tf.logSoftmax(logits)), -1))) as tf.Scalar;

const classSums = (logits: tf.Tensor, oneHotLabels: tf.Tensor): tf.Tensor => {
  const losses = tf.neg(tf.sum(tf.mul(oneHotLabels, tf.logSoftmax(logits))));
  const right = tf.equal(tf.argMax(logits, -1), tf.argMax(oneHotLabels, -1));
  return tf.stack([losses, tf.sum(tf.cast(right, 'float32'))]);
};

/** One logit as two: softmax of (0, x) is (1 - sigmoid(x), sigmoid(x)). */
const two = (logits: tf.Tensor): tf.Tensor => tf.concat([tf.zerosLike(logits), logits], 1);

const tasks: Record<Task['kind'], Task> = {
  classes: { kind: 'classes', logits: true, loss: crossEntropy, sums: classSums, measure: 'accuracy' },
  'two classes': {
    kind: 'two classes',
    logits: true,
    loss: (logits, answers) => crossEntropy(two(logits), answers),
    sums: (logits, answers) => classSums(two(logits), answers),
    measure: 'accuracy',
  },
  numbers: {
    kind: 'numbers',
    logits: false,
    loss: (outputs, answers) => tf.mean(tf.square(tf.sub(outputs, answers))) as tf.Scalar,
    sums(outputs, answers) {
      const errors = tf.reshape(tf.sub(outputs, answers), [outputs.shape[0]!, -1]);
      return tf.stack([tf.sum(tf.mean(tf.square(errors), 1)), tf.sum(tf.mean(tf.abs(errors), 1))]);
    },
    measure: 'meanAbsoluteError',
  },
};

const product = (shape: readonly number[]): number => shape.reduce((size, length) => size * length, 1);

/** The task that net and sets are for. Throws a RecipeFault where they do not fit each other. */
export function taskOf(net: Net, { inputs, labels, targets }: Sets): Task {
  const answers = labels ?? targets;
  if (!answers || (labels && targets)) {
    throw new RecipeFault(
      labels ? 'there are labels and targets' : 'there are neither labels nor targets',
      'give class numbers as `labels`, or numbers as `targets`',
    );
  }
  if (inputs.rows !== answers.rows) {
    const what = labels ? 'labels' : 'targets';
    throw new RecipeFault(
      `there are ${inputs.rows} inputs and ${answers.rows} ${what}`,
      'give files of one set',
    );
  }
  const taken = product(net.inputShape);
  if (taken !== inputs.columns) {
    throw new RecipeFault(
      `layer '${net.layers[0]!.layer.name}' takes ${taken} inputs, a record has ${inputs.columns}`,
      `say { inputs: ${inputs.columns} } at the first layer`,
    );
  }
  const { name, activation } = net.last;
  const given = net.outputShape.join('x');
  if (targets) {
    if (activation === 'softmax' || product(net.outputShape) !== targets.columns) {
      throw new RecipeFault(
        `layer '${name}' gives ${given} values by ${activation}, a target has ${targets.columns}`,
        `end the net with dense(${targets.columns}, 'linear')`,
      );
    }
    return tasks.numbers;
  }
  const { classes } = labels!;
  if (activation === 'softmax' && given === String(classes)) return tasks.classes;
  if (activation === 'sigmoid' && given === '1' && classes === 2) return tasks['two classes'];
  const or = classes === 2 ? `, or with dense(1, 'sigmoid')` : '';
  throw new RecipeFault(
    `layer '${name}' gives ${given} values by ${activation}, there are ${classes} classes`,
    `end the net with dense(${classes}, 'softmax')${or}`,
  );
}

/** What the net is to answer to the records of these rows, rows.length × answerColumns. */
export const answersOf = (
  { labels, targets }: Sets,
  rows: Int32Array,
  next?: Int32Array,
): Float32Array | Promise<Float32Array> => (labels ? oneHot(labels, rows) : targets!.gather(rows, next));

/** Shape of one answer. */
export const answerShape = ({ labels }: Sets, net: Net): number[] =>
  labels ? [labels.classes] : net.outputShape;
