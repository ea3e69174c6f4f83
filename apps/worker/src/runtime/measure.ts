// Metrics and losses on a set, from outputs and true answers alone.
import type { ClassExamples } from '@retraind/shared/verdict/evidence';
import type { Outputs } from './predict.ts';

/** Rows that miss the sum 1 by more than this are no probabilities but scores. */
const sumTolerance = 1e-3;
/** A probability may leave 0..1 by so much: rounding of float32. */
export const probabilitySlack = 1e-3;
/** A probability of 0 for the true class would make the loss infinite. */
const leastProbability = 1e-12;

export const countNotFinite = (values: Float32Array): number =>
  values.reduce((count, value) => count + (Number.isFinite(value) ? 0 : 1), 0);

/** Whether every row is a distribution over classes. */
export const areProbabilities = ({ rows, columns, values }: Outputs): boolean => {
  for (let row = 0; row < rows; row++) {
    let sum = 0;
    for (let column = 0; column < columns; column++) {
      const value = values[row * columns + column]!;
      if (!(value >= 0 && value <= 1 + probabilitySlack)) return false;
      sum += value;
    }
    if (Math.abs(sum - 1) > sumTolerance) return false;
  }
  return true;
};

/** Softmax of each row, in double precision, in place. */
export const softmaxRows = ({ rows, columns, values }: Outputs): void => {
  for (let row = 0; row < rows; row++) {
    const scores = values.subarray(row * columns, (row + 1) * columns);
    const top = scores.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    const powers = Float64Array.from(scores, (score) => Math.exp(score - top));
    const sum = powers.reduce((a, b) => a + b, 0);
    for (let column = 0; column < columns; column++) scores[column] = powers[column]! / sum;
  }
};

/** Accuracy (0..1, ties to the lower class) and mean negative log likelihood (nats) of class probabilities. */
export const measureClasses = (
  { rows, columns, values }: Outputs,
  labels: ArrayLike<number>,
): { accuracy: number; logLoss: number } => {
  let right = 0;
  let loss = 0;
  for (let row = 0; row < rows; row++) {
    const at = row * columns;
    let best = 0;
    for (let column = 1; column < columns; column++)
      if (values[at + column]! > values[at + best]!) best = column;
    if (best === labels[row]) right++;
    loss -= Math.log(Math.max(leastProbability, values[at + labels[row]!]!));
  }
  return { accuracy: right / rows, logLoss: loss / rows };
};

/** How the labels (each 0..columns-1) spread over the classes; of several rarest classes the lowest is named. */
export const countClasses = (labels: ArrayLike<number>, columns: number): ClassExamples => {
  const counts = new Float64Array(columns);
  for (let row = 0; row < labels.length; row++) counts[labels[row]!]!++;
  let present = 0;
  let rarest = -1;
  for (const [label, count] of counts.entries()) {
    if (count === 0) continue;
    present++;
    if (rarest < 0 || count < counts[rarest]!) rarest = label;
  }
  return {
    classes: columns,
    present,
    rarest: rarest < 0 ? null : { class: rarest, examples: counts[rarest]! },
  };
};

/**
 * Mean cross-entropy, in nats, of probabilities q that each are a Bernoulli variable's of its own, against true probabilities p of the
 * same shape: -(p ln q + (1-p) ln(1-q)), q held within 1e-12..1-1e-12.
 */
export const bernoulliCrossEntropy = (values: Float32Array, targets: Float32Array): number => {
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    const q = Math.min(1 - leastProbability, Math.max(leastProbability, values[i]!));
    sum -= targets[i]! * Math.log(q) + (1 - targets[i]!) * Math.log1p(-q);
  }
  return sum / values.length;
};

/** Mean squared and mean absolute difference over all values of two arrays of the same shape. */
export const differences = (
  values: Float32Array,
  targets: Float32Array,
): { squared: number; absolute: number } => {
  let squared = 0;
  let absolute = 0;
  for (let i = 0; i < values.length; i++) {
    const gap = values[i]! - targets[i]!;
    squared += gap * gap;
    absolute += Math.abs(gap);
  }
  return { squared: squared / values.length, absolute: absolute / values.length };
};
