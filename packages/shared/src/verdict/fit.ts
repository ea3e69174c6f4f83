// How well a model fits data whose true answers are known: from its predictions alone, so that a verdict can be redone without the
// data's inputs.
import type { Task } from '../recipe/recipe.ts';

/** A probability of 0 for what is true would make a loss infinite; of classes as the evaluator has it. */
const leastClassProbability = 1e-12;
/** Of Bernoulli outputs: 1 - p is no finer than this in float32. */
const leastProbability = 1e-7;

export interface Fit {
  /**
   * Mean loss over rows: negative log likelihood of the true class in nats; the same of each output as a Bernoulli probability, mean over
   * outputs; or the mean squared error.
   */
  loss: number;
  /** Share of rows whose most probable class (the lowest of equals) is the true one; null for other tasks. */
  accuracy: number | null;
  /** Mean loss of the rows of each true class, null for a class without rows; empty for other tasks. */
  classLosses: (number | null)[];
}

/** `values` row-major, rows × columns; `targets` rows × 1 (class) for classifiers, else rows × columns. */
export const fitOf = (task: Task, values: Float32Array, columns: number, targets: Float32Array): Fit => {
  if (task === 'classification') return fitOfClasses(values, columns, targets);
  const lossOf = task === 'probability-vector' ? bernoulliLoss : squaredError;
  let sum = 0;
  for (let i = 0; i < values.length; i += 1) sum += lossOf(values[i]!, targets[i]!);
  return { loss: sum / values.length, accuracy: null, classLosses: [] };
};

const squaredError = (value: number, target: number): number => (value - target) ** 2;

const bernoulliLoss = (value: number, target: number): number => {
  const p = Math.min(1 - leastProbability, Math.max(leastProbability, value));
  return -target * Math.log(p) - (1 - target) * Math.log(1 - p);
};

const fitOfClasses = (values: Float32Array, columns: number, targets: Float32Array): Fit => {
  const sums = new Float64Array(columns);
  const counts = new Float64Array(columns);
  let right = 0;
  for (let row = 0, at = 0; row < targets.length; row += 1, at += columns) {
    const label = targets[row]!;
    let best = 0;
    for (let column = 1; column < columns; column += 1) {
      if (values[at + column]! > values[at + best]!) best = column;
    }
    if (best === label) right += 1;
    sums[label]! -= Math.log(Math.max(leastClassProbability, values[at + label]!));
    counts[label]! += 1;
  }
  return {
    loss: sums.reduce((a, b) => a + b, 0) / targets.length,
    accuracy: right / targets.length,
    classLosses: Array.from(sums, (sum, label) => (counts[label]! > 0 ? sum / counts[label]! : null)),
  };
};
