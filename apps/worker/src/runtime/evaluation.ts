// What the evaluator is asked, and what it answers: the words between it (runtime/evaluate.ts) and whoever starts it.
import type { DataFile, GnubgNet, Task } from '@retraind/shared/recipe/recipe';
import type {
  ClassExamples,
  EvidenceSet,
  LabelledSet,
  RecoveredTrigger,
  WeightsRef,
} from '@retraind/shared/verdict/evidence';

export interface LabelledData {
  inputs: DataFile;
  targets: DataFile;
}

/** On what a model is asked. Paths of the data files are absolute. */
export interface StatisticalRequest {
  task: Task;
  metric: string | null;
  /** Of a gnubg file; null: the one that takes records of the data's width. */
  net: GnubgNet | null;
  jobSeed: string;
  /** Held-out data. */
  test: LabelledData;
  /** Declared training data; null where the recipe names no files of it. */
  train: LabelledData | null;
  /** Slice of each held-out record; null where none are declared, or where they are the classes. */
  slices: DataFile | null;
  /** Leave the search for triggers out, which takes seconds. */
  withoutTriggers?: boolean;
}

export interface EvaluationRequest {
  /** Path of the model file. */
  model: string;
  /** Folder of the package onnxruntime-node. */
  ortFolder: string;
  outFolder: string;
  /** The file's name promises no format that is read (`.weights` is many things): one that is none of them is judged by its bytes. */
  mayBeOther?: boolean;
  /** Whether nothing is asked but the names of the files beside the model that hold its values. */
  companionsOnly?: boolean;
  /** Whether all float weights are kept, as `weights.f32`. */
  keepWeights?: boolean;
  /** Null: digests only. */
  statistical: StatisticalRequest | null;
}

/** An array that lies as `<name>.f32` in the out folder: float32, little-endian, row-major. */
export interface FloatsShape {
  rows: number;
  columns: number;
}

/** As in the evidence, classes in order from 0; their pictures lie in the out folder. */
export type TriggerAnswer =
  | { ran: true; classes: Omit<RecoveredTrigger, 'class' | 'pictureSha256'>[] }
  | { ran: false; why: string };

export const pictureName = (label: number): string => `trigger-${label}.png`;

export interface EvaluationAnswer {
  /** Why the file is no model that can be read; then nothing else is known of it. */
  refused: string | null;
  tensorSha256: string | null;
  /** Predictions: `<set>.f32`. */
  sets: Partial<Record<EvidenceSet, FloatsShape>>;
  /** True answers: `targets-<set>.f32`. */
  targets: Partial<Record<LabelledSet, FloatsShape>>;
  /** `slices.f32`. */
  slices?: FloatsShape;
  metric: { name: string; value: number } | null;
  logLoss: number | null;
  classExamples?: ClassExamples;
  triggers?: TriggerAnswer;
  weightNorm?: number;
  quantised?: boolean;
  /** The tensors in `weights.f32`, in its order. */
  weights?: WeightsRef['tensors'];
  /** Files of external data, below the model's folder, as the model names them. */
  companions: string[];
  faults: string[];
  /** For the log: what was not done, and why. */
  notes: string[];
}

/** The answer of one who knows nothing yet, or who was refused. */
export const emptyAnswer = (refused: string | null): EvaluationAnswer => ({
  refused,
  tensorSha256: null,
  sets: {},
  targets: {},
  metric: null,
  logLoss: null,
  companions: [],
  faults: [],
  notes: [],
});
