// What a judgement is made of: one model of the recipe, the shipped file's evidence and the retrains' evidence, with the
// predictions already loaded. Whoever calls (scheduler, local run, bench) fetches the arrays; nothing here reads a file.
import type { RecipeModel } from '../recipe/recipe.ts';
import type { Evidence, EvidenceSet, LabelledSet, Registration } from './evidence.ts';

/** The evidence of one model file with its predictions: Float32Array, row-major, rows × columns as `evidence.sets` says. */
export interface JudgedFile {
  evidence: Evidence;
  predictions: Partial<Record<EvidenceSet, Float32Array>>;
  /** Shapes as `evidence.targets` says; needed of the shipped file only. */
  targets?: Partial<Record<LabelledSet, Float32Array>>;
  /** As `evidence.slices`; needed of the shipped file only. */
  slices?: Float32Array;
}

/** A retrain. */
export interface JudgedRun extends JudgedFile {
  /** What the recipe got in RETRAIN_SEED. */
  seed: number;
  /** Which seed of the job that is, from 1; runs are weighed in this order. Equal indices are reruns of one seed. */
  seedIndex: number;
  /** Taints of the run (`host-root`, `unsandboxed` …); the verdict carries the union. */
  taints?: readonly string[];
}

export interface JudgeInput {
  model: RecipeModel;
  /** The shipped file; null where none was found. */
  reference: JudgedFile | null;
  /** In any order; reported runs only. */
  runs: readonly JudgedRun[];
  /** When `model` was registered; handed on to the verdict, decides nothing. Absent where evidence is judged without a job. */
  registered?: Registration;
}
