// From what the evaluator left in a folder to evidence: its answer says shapes, the files are weighed and digested here, outside of
// the sandbox. Whoever uploads or loads them asks here which they are.
import { join } from 'node:path';
import {
  type Evidence,
  evidenceSets,
  labelledSets,
  type PredictionsRef,
  type RecoveredTrigger,
  type TriggerSearch,
} from '@retraind/shared/verdict/evidence';
import { broken } from './breakage.ts';
import { digestOf } from './compression.ts';
import {
  type EvaluationAnswer,
  type FloatsShape,
  pictureName,
  type TriggerAnswer,
} from './runtime/evaluation.ts';

const sizeOf = (shape: readonly number[]): number => shape.reduce((size, length) => size * length, 1);

/** The evidence of a file of which nothing is known but its bytes. */
export const bareEvidence = (evaluator: string, file: Evidence['file']): Evidence => ({
  evaluator,
  file,
  tensorSha256: null,
  sets: {},
  metric: null,
  logLoss: null,
  faults: [],
});

/** The evidence that `answer` is, with the files beside it. Breaks with blame `farm` where they are not as it says. */
export const collectEvidence = async (
  folder: string,
  answer: EvaluationAnswer,
  bare: Evidence,
): Promise<Evidence> => {
  const refOf = async (name: string, { rows, columns }: FloatsShape): Promise<PredictionsRef> => {
    const { sha256, bytes } = await digestOf(join(folder, `${name}.f32`), 'plain');
    if (bytes === rows * columns * 4) return { sha256, rows, columns };
    throw broken(
      'farm',
      'internal',
      `The evaluator left ${bytes} bytes for ${name}, not ${rows} × ${columns} float32.`,
    );
  };
  const { tensorSha256, metric, logLoss, classExamples, faults, slices } = answer;
  const evidence: Evidence = { ...bare, tensorSha256, metric, logLoss, faults };
  for (const set of evidenceSets) {
    const shape = answer.sets[set];
    if (shape) evidence.sets = { ...evidence.sets, [set]: await refOf(set, shape) };
  }
  for (const set of labelledSets) {
    const shape = answer.targets[set];
    if (shape) evidence.targets = { ...evidence.targets, [set]: await refOf(`targets-${set}`, shape) };
  }
  if (classExamples) evidence.classExamples = classExamples;
  if (slices) evidence.slices = await refOf('slices', slices);
  if (answer.weightNorm !== undefined) evidence.weightNorm = answer.weightNorm;
  if (answer.quantised !== undefined) evidence.quantised = answer.quantised;
  if (answer.weights) {
    const columns = answer.weights.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
    const { sha256 } = await refOf('weights', { rows: 1, columns });
    evidence.weights = { sha256, tensors: answer.weights };
  }
  if (answer.triggers) evidence.triggers = await triggersOf(folder, answer.triggers);
  return evidence;
};

const triggersOf = async (folder: string, answer: TriggerAnswer): Promise<TriggerSearch> => {
  if (!answer.ran) return answer;
  const classes: RecoveredTrigger[] = [];
  for (const [i, { maskL1, reached }] of answer.classes.entries()) {
    const { sha256 } = await digestOf(join(folder, pictureName(i)), 'plain');
    classes.push({ class: i, maskL1, reached, pictureSha256: sha256 });
  }
  return { ran: true, classes };
};

/** The files in the evaluator's folder that the evidence names by digest. */
export const evidenceFiles = (
  folder: string,
  { sets, targets = {}, slices, weights, triggers }: Evidence,
): string[] => {
  const floats = [
    ...evidenceSets.filter((set) => sets[set]),
    ...labelledSets.filter((set) => targets[set]).map((set) => `targets-${set}`),
    ...(slices ? ['slices'] : []),
    ...(weights ? ['weights'] : []),
  ];
  const pictures = triggers?.ran
    ? triggers.classes.filter(({ pictureSha256 }) => pictureSha256 !== null)
    : [];
  return [...floats.map((name) => `${name}.f32`), ...pictures.map((found) => pictureName(found.class))].map(
    (name) => join(folder, name),
  );
};
