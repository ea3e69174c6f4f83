// What a judgement is made of: one model of the recipe, the shipped file's evidence and the retrains' evidence, with the
// predictions already loaded. Whoever calls (scheduler, local run, bench) fetches the arrays; nothing here reads a file.
import type { Purpose, RunPlace } from '../job/run-place.ts';
import type { RecipeModel } from '../recipe/recipe.ts';
import type { Evidence, EvidenceSet, LabelledSet, Registration, WithheldRecords } from './evidence.ts';
import type { WeightComparison } from './weight-distances.ts';

/** The evidence of one model file with its predictions: Float32Array, row-major, rows × columns as `evidence.sets` says. */
export interface JudgedFile {
  evidence: Evidence;
  predictions: Partial<Record<EvidenceSet, Float32Array>>;
  /** Shapes as `evidence.targets` says; needed of the shipped file only. */
  targets?: Partial<Record<LabelledSet, Float32Array>>;
  /** As `evidence.slices`; needed of the shipped file only. */
  slices?: Float32Array;
}

/** A run that reported. */
export interface JudgedRun extends JudgedFile {
  /** What the recipe got in RETRAIN_SEED. */
  seed: number;
  /** Which seed of the job that is, from 1; runs are weighed in this order. 0: the seed that the recipe declares. */
  seedIndex: number;
  /** `retrain` where absent. */
  purpose?: Purpose;
  /** RETRAIN_NUMERICS; 0 where absent. */
  numerics?: number;
  /** What a dependence run was not given. */
  withheld?: readonly WithheldRecords[];
  /** Taints of the run (`host-root`, `unsandboxed` …); the verdict carries the union. */
  taints?: readonly string[];
}

/** A run that was tried and cannot be made: no fault of the recipe where it is no retrain (job/failure). */
export interface UnmadeRun extends RunPlace {
  /** One sentence. */
  why: string;
}

export interface JudgeInput {
  model: RecipeModel;
  /** The shipped file; null where none was found. */
  reference: JudgedFile | null;
  /** In any order; reported runs only. */
  runs: readonly JudgedRun[];
  /** When `model` was registered; handed on to the verdict, decides nothing. Absent where evidence is judged without a job. */
  registered?: Registration;
  /** Reruns and dependence runs that broke. */
  unmade?: readonly UnmadeRun[];
  /** The weights of the shipped file and of the reruns of its declared seed, where both were kept. */
  weights?: WeightComparison;
}
