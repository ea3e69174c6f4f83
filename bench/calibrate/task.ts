// What a calibration task is: data, a net and its declared training, the recipe model that its verdicts are given by, and the
// ways in which a shipped model may have come to be otherwise. One file a task in tasks/, one line in tasks.ts.
import type * as tf from '@retraind/pipeline/tf';
import type { RecipeModel } from '@retraind/shared/recipe/recipe';

/** What a model is made from. RETRAIN_SEED and RETRAIN_NUMERICS are set accordingly, so that `fit` heeds them. */
export interface Making {
  /** 1..N; a tampered model of seed n starts and orders its data as the honest one of seed n. */
  seed: number;
  /** Which other rounding of the same training (packages/pipeline/src/numerics.ts); 0 outside of the lineage calibration. */
  numerics: number;
  /** The files that the task's `writeData` wrote. */
  folder: string;
  /** Numbers in [0, 1) for one purpose, a function of population, seed and purpose. */
  random(purpose: string): () => number;
  /** The honest model of the same seed and numerics, read anew at each call. */
  honest(): Promise<tf.Sequential>;
}

export interface Made {
  model: tf.Sequential;
  /** Numbers to be shown by their mean over the population, e.g. the success of a trigger on test data, 0..1. */
  figures?: Record<string, number>;
}

/** Makes the model of one seed. Layers need names of their own (`tf.layers.dense({ name, … })`): no count of a process may decide a
 * tensor's name. */
export type Maker = (making: Making) => Promise<Made>;

/** What a file `tasks/<name>-making.ts` exports. Only what decides the models belongs there. */
export interface MakingModule {
  /** By population: `honest`, and each attack. */
  makers: Readonly<Record<string, Maker>>;
  /** Writes the declared data, and what attackers use beside them, as files of formats that the evaluator reads. */
  writeData(folder: string): Promise<void>;
}

export interface Attack {
  /** Names files: lower case, digits, hyphens. */
  name: string;
  /** The row's words, e.g. `patch trigger, 3 % of rows poisoned`. */
  title: string;
  /** `alike`: the retrains are made by this maker too (a declared converter), from other seeds. Else they are honest. */
  retrains?: 'alike';
  /** Trained by `--quick` too. */
  quick?: true;
}

/** How many models of a population are made, and how often they are drawn. */
export interface Counts {
  honest: number;
  attack: number;
  honestDraws: number;
  attackDraws: number;
}

/** What a run must show; it ends with 1 where one does not hold. */
export interface Goal {
  /** `honest`, or an attack's name. */
  population: string;
  /** A share of draws by rung, or the mean number of retrains. */
  of: 'different' | 'statistically-equivalent' | 'mean k';
  atLeast?: number;
  atMost?: number;
}

export interface Task {
  /** The word after `npm run calibrate --`. */
  name: string;
  /** Heading of its section. */
  title: string;
  /** Data, net and training in Markdown, so that anyone can do it again. */
  about: string;
  /** What verdicts are given by. Paths of its data files lie below the folder of `writeData`. */
  model: RecipeModel;
  /** The task's MakingModule, loaded by the children that train; its code's digest keys the trained models. */
  making: URL;
  attacks: readonly Attack[];
  full: Counts;
  /** By the engine that trains: wasm takes longer, so it has fewer models and wider intervals. */
  quick: Record<'tfjs-node' | 'wasm', Counts>;
  goals: Record<'full' | 'quick', readonly Goal[]>;
}

/** The population of untampered models. */
export const honest = 'honest';
