// What each task makes of a model's outputs: numbers that can be compared, checked answers, the declared metric and the loss.
import type { Task } from '@retraind/shared/recipe/recipe';
import {
  areProbabilities,
  bernoulliCrossEntropy,
  differences,
  measureClasses,
  probabilitySlack,
  softmaxRows,
} from './measure.ts';
import type { Outputs } from './predict.ts';

export interface Measured {
  /** The metrics that the task has, by name. */
  metrics: Record<string, number>;
  /** Mean negative log likelihood of the true answers, in nats; null where outputs are no probabilities. */
  logLoss: number | null;
}

export interface TaskMeasure {
  /** Turns outputs into what is compared, in place; `set` test comes first. What is wrong with them, or null. */
  settle(outputs: Outputs, set: string): string | null;
  /** Columns of the true answers. */
  targetColumns(outputs: Outputs): number;
  /** Why this is no true answer, or null. */
  targetFault(value: number, outputs: Outputs): string | null;
  /** Of finite outputs and as many rows of checked answers. */
  measure(outputs: Outputs, targets: Float32Array): Measured;
}

const classification = (): TaskMeasure => {
  let scores = false;
  return {
    settle(outputs, set) {
      // Whether a model gives scores or probabilities is seen on the test set, and holds for all.
      if (set === 'test') scores = !areProbabilities(outputs);
      if (scores) softmaxRows(outputs);
      return null;
    },
    targetColumns: () => 1,
    targetFault: (label, { columns }) =>
      Number.isInteger(label) && label >= 0 && label < columns ? null : `the model has ${columns} classes`,
    measure(outputs, labels) {
      const { accuracy, logLoss } = measureClasses(outputs, labels);
      return { metrics: { accuracy }, logLoss };
    },
  };
};

const probabilityVector = (): TaskMeasure => ({
  settle({ values }) {
    const wrong = values.find((value) => value < -probabilitySlack || value > 1 + probabilitySlack);
    return wrong === undefined ? null : `gives ${wrong}, which is no probability (let it end in a sigmoid),`;
  },
  targetColumns: ({ columns }) => columns,
  targetFault: (value) => (value >= 0 && value <= 1 ? null : 'probabilities lie within 0..1'),
  measure(outputs, targets) {
    const loss = bernoulliCrossEntropy(outputs.values, targets);
    return { metrics: { 'cross-entropy': loss }, logLoss: loss };
  },
});

const regression = (): TaskMeasure => ({
  settle: () => null,
  targetColumns: ({ columns }) => columns,
  targetFault: (value) => (Number.isFinite(value) ? null : 'numbers are finite'),
  measure({ values }, targets) {
    const { squared, absolute } = differences(values, targets);
    return {
      metrics: {
        'mean-squared-error': squared,
        'mean-absolute-error': absolute,
        'root-mean-squared-error': Math.sqrt(squared),
      },
      logLoss: null,
    };
  },
});

/** How a task is measured, anew for each model; null for tasks whose outputs are not. */
export const measureOf = (task: Task): TaskMeasure | null => {
  switch (task) {
    case 'classification':
      return classification();
    case 'probability-vector':
      return probabilityVector();
    case 'regression':
      return regression();
    default:
      return null;
  }
};
