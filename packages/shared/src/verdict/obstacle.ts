// What stands in the way of a statistical comparison. Each is a stated outcome: without this check a NaN or a missing set
// would become a verdict by accident.
import type { RecipeModel } from '../recipe/recipe.ts';
import { seedIgnored } from './bytes.ts';
import { requiredSets } from './evidence.ts';
import { distanceFor } from './hellinger.ts';
import type { JudgedFile, JudgedRun } from './judged.ts';

/** Class probabilities of a row may miss the sum 1 by this much (float32, 1,000 classes). */
const sumTolerance = 1e-3;

/** Why these files cannot be compared statistically, in one sentence without a full stop; null where they can. */
export const statisticalObstacle = (
  model: RecipeModel,
  reference: JudgedFile,
  runs: readonly JudgedRun[],
): string | null => {
  if (distanceFor(model.task) === null) {
    return `outputs of task ${model.task} are compared by their bytes only`;
  }
  if (model.margin === null) return 'the recipe registers no Margin';
  for (const { who, file } of namedFiles(reference, runs)) {
    const fault =
      outputsFault(model, file) ?? metricFault(reference, file) ?? outputsMismatch(reference, file);
    if (fault !== null) return `${who} ${fault}`;
  }
  const present = reference.evidence.classExamples?.present ?? 2;
  if (present === 0) return 'the held-out set has no example of any class';
  if (present === 1) return 'the held-out set has examples of 1 class only: an accuracy on it says nothing';
  const pair = seedIgnored(runs);
  if (pair) return `the recipe ignores its seed: seeds ${pair[0]} and ${pair[1]} give the same bytes`;
  return null;
};

/** As `statisticalObstacle`, where nothing but outputs is compared: no margin, metric or spread of classes is needed. */
export const evaluationObstacle = (
  model: RecipeModel,
  reference: JudgedFile,
  runs: readonly JudgedRun[],
): string | null => {
  if (distanceFor(model.task) === null) {
    return `outputs of task ${model.task} are compared by their bytes only`;
  }
  for (const { who, file } of namedFiles(reference, runs)) {
    const fault = outputsFault(model, file) ?? outputsMismatch(reference, file);
    if (fault !== null) return `${who} ${fault}`;
  }
  return null;
};

const namedFiles = (
  reference: JudgedFile,
  runs: readonly JudgedRun[],
): { who: string; file: JudgedFile }[] => [
  { who: 'the shipped file', file: reference },
  ...runs.map((run) => ({ who: `the retrain with seed ${run.seed}`, file: run as JudgedFile })),
];

const metricFault = (reference: JudgedFile, { evidence }: JudgedFile): string | null => {
  if (evidence.metric === null) return 'has no metric';
  if (!Number.isFinite(evidence.metric.value)) return `has no number for its ${evidence.metric.name}`;
  if (evidence.metric.name !== reference.evidence.metric!.name) {
    return `was measured by ${evidence.metric.name}, the shipped file by ${reference.evidence.metric!.name}`;
  }
  return null;
};

const outputsFault = (model: RecipeModel, { evidence, predictions }: JudgedFile): string | null => {
  if (evidence.faults.length > 0) return `cannot be judged: ${evidence.faults.join('; ').replace(/\.$/, '')}`;
  for (const set of requiredSets) {
    const shape = evidence.sets[set];
    const values = predictions[set];
    if (!shape || !values) return `was not evaluated on the ${set} set`;
    if (shape.rows < 1 || shape.columns < 1 || values.length !== shape.rows * shape.columns) {
      return `has ${values.length} outputs on the ${set} set where ${shape.rows} × ${shape.columns} were said`;
    }
    const broken = values.reduce((count, value) => count + (Number.isFinite(value) ? 0 : 1), 0);
    if (broken > 0) return `gives NaN or infinity in ${broken} of ${values.length} outputs on the ${set} set`;
    const range = rangeFault(model, values, shape.columns);
    if (range !== null) return `${range} on the ${set} set`;
  }
  return null;
};

const rangeFault = (model: RecipeModel, values: Float32Array, columns: number): string | null => {
  if (model.task === 'regression') return null;
  for (const value of values) {
    if (value < -sumTolerance || value > 1 + sumTolerance) return `gives ${value}, which is no probability,`;
  }
  if (model.task !== 'classification') return null;
  for (let row = 0; row < values.length; row += columns) {
    let sum = 0;
    for (let column = 0; column < columns; column += 1) sum += values[row + column]!;
    if (Math.abs(sum - 1) > sumTolerance) return `gives class probabilities that sum to ${sum}`;
  }
  return null;
};

const outputsMismatch = (reference: JudgedFile, file: JudgedFile): string | null => {
  if (file.evidence.evaluator !== reference.evidence.evaluator) {
    return `was evaluated by ${file.evidence.evaluator}, the shipped file by ${reference.evidence.evaluator}`;
  }
  for (const set of requiredSets) {
    const mine = file.evidence.sets[set]!;
    const theirs = reference.evidence.sets[set]!;
    if (mine.rows !== theirs.rows || mine.columns !== theirs.columns) {
      const shapes = `${mine.rows} × ${mine.columns} outputs on the ${set} set, the shipped file ${theirs.rows} × ${theirs.columns}`;
      return `has ${shapes}`;
    }
  }
  return null;
};
