// One look's files as every statistic takes them, and what a statistic answers.
import type { RecipeModel } from '../recipe/recipe.ts';
import type { EvidenceSet, LabelledSet, TestResult } from './evidence.ts';
import type { JudgedFile } from './judged.ts';
import type { Measures } from './measures.ts';

/** The shipped file and its k retrains, free of obstacles (obstacle.ts): every set that one has, all have, in one shape. */
export interface Compared {
  model: RecipeModel;
  shipped: JudgedFile;
  /** In seed order. */
  retrains: readonly JudgedFile[];
  measures: Measures;
}

/**
 * What asking for a test gives: its result; `why` where the numbers do not define it (it counts as p = 1 and forbids equivalence);
 * `untested` where this model has no such test, which is said beside the verdict. One sentence each, without a full stop.
 */
export type Outcome = { test: TestResult } | { why: string } | { untested: string };

/** Predictions on a set, rows × columns; null where the set was not evaluated. */
export const outputsOf = (
  file: JudgedFile,
  set: EvidenceSet,
): { values: Float32Array; columns: number; rows: number } | null => {
  const values = file.predictions[set];
  const shape = file.evidence.sets[set];
  return values && shape ? { values, columns: shape.columns, rows: shape.rows } : null;
};

/** Shipped file first, then the retrains: one figure of each on a set that all have. */
export const figuresOf = <T>(
  { shipped, retrains }: Pick<Compared, 'shipped' | 'retrains'>,
  set: EvidenceSet,
  figure: (outputs: { values: Float32Array; columns: number; rows: number }) => T,
): [T, ...T[]] => {
  const of = (file: JudgedFile): T => figure(outputsOf(file, set)!);
  return [of(shipped), ...retrains.map(of)];
};

/** Why the tests on a set cannot be made; null where they can. */
export const missingSet = ({ model, shipped }: Compared, set: EvidenceSet, what: string): string | null => {
  if (outputsOf(shipped, set)) return null;
  if (set === 'train' && model.trainingInputs === null) {
    return 'the recipe declares no Training-Inputs: train-fit was not tested';
  }
  if (set === 'train') return 'the training data was not evaluated: train-fit was not tested';
  return `the ${set} set was not evaluated: ${what} was not tested`;
};

/** True answers of a set (of the shipped file: they are the same for all), or why there are none. */
export const targetsOf = (
  compared: Compared,
  set: LabelledSet,
  what: string,
): { targets: Float32Array } | { untested: string } => {
  const untested = missingSet(compared, set, what);
  if (untested !== null) return { untested };
  const targets = compared.shipped.targets?.[set];
  return targets
    ? { targets }
    : { untested: `the true answers of the ${set} set are not at hand: ${what} was not tested` };
};
