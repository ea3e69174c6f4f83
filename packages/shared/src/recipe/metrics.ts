// The metrics that the evaluator computes, by task: what a recipe may declare is what can be measured.
import type { Task } from './recipe.ts';

/** By name: the width of the metric's range, null where it has no upper end. All begin at 0. */
type Metrics = Readonly<Record<string, number | null>>;

/** No metrics: the outputs of such models are not compared. */
const none: Metrics = {};

export const metricsOfTask: Record<Task, Metrics> = {
  classification: { accuracy: 1 },
  // Mean over records and outputs, in nats, each output taken as a Bernoulli probability of its own.
  'probability-vector': { 'cross-entropy': null },
  // Means over records and outputs, in the unit of the outputs (squared: in its square).
  regression: { 'mean-squared-error': null, 'mean-absolute-error': null, 'root-mean-squared-error': null },
  embedding: none,
  opaque: none,
};

/** The metrics of all tasks. */
export const metricNames: readonly string[] = Object.values(metricsOfTask).flatMap((metrics) =>
  Object.keys(metrics),
);
