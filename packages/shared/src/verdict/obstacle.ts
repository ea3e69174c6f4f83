// What stands in the way of a statistical comparison. Each is a stated outcome: without this check a NaN or a missing set
// would become a verdict by accident.
import type { RecipeModel } from '../recipe/recipe.ts';
import { seedIgnored } from './bytes.ts';
import { type EvidenceSet, evidenceSets, requiredSets } from './evidence.ts';
import { distanceFor } from './hellinger.ts';
import type { JudgedFile, JudgedRun } from './judged.ts';
import { marginFault } from './margin.ts';
import { Measures } from './measures.ts';
import { meanOf } from './moments.ts';
import { answersFault, outputsFault } from './value-faults.ts';

/** Sets that a task cannot do without; others are compared where they were made. */
export const neededSets = (task: RecipeModel['task']): readonly EvidenceSet[] =>
  task === 'classification' ? requiredSets : requiredSets.filter((set) => set !== 'patch');

/**
 * Why these files cannot be compared statistically, in one sentence without a full stop; null where they can. Each array is looked
 * through once, whatever the number of looks (`measures`).
 */
export const statisticalObstacle = (
  model: RecipeModel,
  reference: JudgedFile,
  runs: readonly JudgedRun[],
  measures: Measures,
): string | null => {
  if (distanceFor(model.task) === null) {
    return `outputs of task ${model.task} are compared by their bytes only`;
  }
  const margin = marginFault(model);
  if (margin !== null) return margin;
  const sets = neededSets(model.task);
  for (const { who, file } of namedFiles(reference, runs)) {
    const fault =
      outputsFaultOf(model, file, sets, measures) ??
      metricFault(reference, file) ??
      outputsMismatch(reference, file);
    if (fault !== null) return `${who} ${fault}`;
  }
  const present = reference.evidence.classExamples?.present ?? 2;
  if (present === 0) return 'the held-out set has no example of any class';
  if (present === 1) return 'the held-out set has examples of 1 class only: an accuracy on it says nothing';
  const answers = answersFault(model.task, reference);
  if (answers !== null) return answers;
  const pair = seedIgnored(runs);
  if (pair) return `the recipe ignores its seed: seeds ${pair[0]} and ${pair[1]} give the same bytes`;
  return quantisedOtherwise(model, reference, runs);
};

/** As `statisticalObstacle`, where nothing but outputs is compared: no margin, metric or spread of classes is needed. */
export const evaluationObstacle = (
  model: RecipeModel,
  reference: JudgedFile,
  runs: readonly JudgedRun[],
  measures = new Measures(),
): string | null => {
  if (distanceFor(model.task) === null) {
    return `outputs of task ${model.task} are compared by their bytes only`;
  }
  for (const { who, file } of namedFiles(reference, runs)) {
    const fault = outputsFaultOf(model, file, requiredSets, measures) ?? outputsMismatch(reference, file);
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

const outputsFaultOf = (
  { task }: RecipeModel,
  { evidence, predictions }: JudgedFile,
  sets: readonly EvidenceSet[],
  measures: Measures,
): string | null => {
  if (evidence.faults.length > 0) return `cannot be judged: ${evidence.faults.join('; ').replace(/\.$/, '')}`;
  for (const set of evidenceSets) {
    const shape = evidence.sets[set];
    const values = predictions[set];
    if (!shape || !values) {
      if (shape || sets.includes(set)) return `was not evaluated on the ${set} set`;
      continue;
    }
    if (shape.rows < 1 || shape.columns < 1 || values.length !== shape.rows * shape.columns) {
      return `has ${values.length} outputs on the ${set} set where ${shape.rows} × ${shape.columns} were said`;
    }
    const fault = measures.of(values, `fault/${task}/${shape.columns}`, () =>
      outputsFault(task, values, shape.columns),
    );
    if (fault !== null) return `${fault} on the ${set} set`;
  }
  return null;
};

const outputsMismatch = (reference: JudgedFile, file: JudgedFile): string | null => {
  if (file.evidence.evaluator !== reference.evidence.evaluator) {
    return `was evaluated by ${file.evidence.evaluator}, the shipped file by ${reference.evidence.evaluator}`;
  }
  for (const set of evidenceSets) {
    const mine = file.evidence.sets[set];
    const theirs = reference.evidence.sets[set];
    if (!mine && !theirs) continue;
    if (!mine) return `was not evaluated on the ${set} set, the shipped file was`;
    if (!theirs) return `was evaluated on the ${set} set, the shipped file was not`;
    if (mine.rows !== theirs.rows || mine.columns !== theirs.columns) {
      const shapes = `${mine.rows} × ${mine.columns} outputs on the ${set} set, the shipped file ${theirs.rows} × ${theirs.columns}`;
      return `has ${shapes}`;
    }
  }
  return null;
};

/** A quantised file differs from one that is not, honest or not: 57 % of honest int8 nets were called different (measured). */
const quantisedOtherwise = (
  { converter, margin }: RecipeModel,
  { evidence }: JudgedFile,
  runs: readonly JudgedRun[],
): string | null => {
  const other = runs.find(
    (run) => evidence.quantised !== undefined && run.evidence.quantised === !evidence.quantised,
  );
  if (!other) return null;
  const which = evidence.quantised
    ? `the shipped file is quantised and the retrain with seed ${other.seed} is not`
    : `the retrain with seed ${other.seed} is quantised and the shipped file is not`;
  const declared =
    converter === null ? 'the recipe declares no Converter' : `although the Converter ${converter} has run`;
  const { name, value } = evidence.metric!;
  const mean = meanOf(runs.map((run) => run.evidence.metric!.value));
  return `${which}, ${declared}: beyond the metric nothing can be compared (${name} ${value.toFixed(4)} against ${mean.toFixed(4)}, margin ${margin})`;
};
