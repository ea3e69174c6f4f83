// What the evaluation of one model file leaves behind, and what a verdict says. The evidence is made in a child process of
// the worker; everything in this folder that reads it is pure.

import type { RunPlace } from '../job/run-place.ts';

/**
 * Inputs on which every model of a job is asked, fixed before any training: held-out data, the declared training set (a sample of it,
 * where it is declared), and probes off the data: noise, patches, midpoints of two held-out records.
 */
export const evidenceSets = ['test', 'train', 'noise', 'patch', 'mix'] as const;
export type EvidenceSet = (typeof evidenceSets)[number];

/** Sets without which nothing is compared statistically. */
export const requiredSets = ['test', 'noise', 'patch'] as const satisfies readonly EvidenceSet[];

/** The sets in words. */
export const setNames: Record<EvidenceSet, string> = {
  test: 'test data',
  train: 'training data',
  noise: 'noise probes',
  patch: 'patch probes',
  mix: 'mixed probes',
};

/** Sets whose true answers the recipe declares. */
export const labelledSets = ['test', 'train'] as const satisfies readonly EvidenceSet[];
export type LabelledSet = (typeof labelledSets)[number];

/** Predictions as an artifact: float32, little-endian, row-major, rows × columns; class probabilities for classifiers. */
export interface PredictionsRef {
  sha256: string;
  rows: number;
  columns: number;
}

/** How the held-out examples spread over the classes of a classifier. */
export interface ClassExamples {
  /** Classes that the model tells apart. */
  classes: number;
  /** Classes with at least one example. */
  present: number;
  /** Of those, the one with fewest; null where there is no example. */
  rarest: { class: number; examples: number } | null;
}

/** What a search for a small trigger into one class found (differential Neural Cleanse): the smaller the mask, the more trigger-like. */
export interface RecoveredTrigger {
  class: number;
  /** L1 norm of the mask, in pixels (0..side²). */
  maskL1: number;
  /** Share of the pool of test images that the trigger sends to the class, 0..1. */
  reached: number;
  /** PNG as an artifact: pattern under mask; null where none was drawn. */
  pictureSha256: string | null;
}

/** The search over all classes, with the same start and images for every model of a job; or why it was not made. */
export type TriggerSearch = { ran: true; classes: RecoveredTrigger[] } | { ran: false; why: string };

/** All float tensors of a model one after the other as an artifact: float32, little-endian; made for recipes that publish a seed. */
export interface WeightsRef {
  sha256: string;
  tensors: { name: string; shape: number[] }[];
}

/** A file beside a model file that holds values of its tensors (ONNX external data). */
export interface Companion {
  /** Below the folder of the model file. */
  path: string;
  sha256: string;
  bytes: number;
}

/** The evaluation of one model file, as JSON. */
export interface Evidence {
  /** Version of the evaluator; evidence of different evaluators is never compared. */
  evaluator: string;
  /** Companions: by path; absent where all lies in one file. */
  file: { sha256: string; bytes: number; companions?: Companion[] };
  /** Digest over name, dtype, shape and bytes of every tensor; null where the format is judged by bytes only. */
  tensorSha256: string | null;
  /** Absent sets were not evaluated (bitwise and opaque models have none). */
  sets: Partial<Record<EvidenceSet, PredictionsRef>>;
  metric: { name: string; value: number } | null;
  /**
   * On the test set, in nats: mean negative log likelihood of the true class; of a vector of probabilities the mean cross-entropy over
   * records and outputs. Null for regression, and where outputs are at fault.
   */
  logLoss: number | null;
  /** Absent for other tasks than classification, and where the classes were not counted. */
  classExamples?: ClassExamples;
  /** True answers of a set: rows × 1 (class) for classifiers, else rows × outputs. The same for every file of a job. */
  targets?: Partial<Record<LabelledSet, PredictionsRef>>;
  /** Slice of each held-out record (rows × 1, whole numbers from 0), where the recipe declares `Slices`. */
  slices?: PredictionsRef;
  /** L2 norm of all float weights; absent where tensors are not read. */
  weightNorm?: number;
  /** Whether weights are stored as integers of 8 bits or less; absent where that is not known. */
  quantised?: boolean;
  /** Absent for models that take no images, and for other tasks than classification. */
  triggers?: TriggerSearch;
  weights?: WeightsRef;
  /** Reasons why this file cannot be judged statistically (NaN outputs, another shape …), one sentence each. */
  faults: string[];
}

export const rungs = [
  'bit-identical',
  'same-run',
  'statistically-equivalent',
  'different',
  'inconclusive',
  'not-verifiable',
] as const;
export type Rung = (typeof rungs)[number];

/**
 * What a test asks, for whoever counts tests by name. Of the family: fit on held-out and training data, disagreement with the retrains
 * (`distance-`), mean output a class or output (`cells-`), mean error a slice and output (`bias-test`), smallest trigger a class (`triggers`).
 * Outside it: `weight-norm`, `loss-slices`.
 */
export const testIds = [
  'loss-test',
  'distance-test',
  'cells-test',
  'bias-test',
  'distance-train',
  'gap',
  'loss-cells-train',
  'entropy-train',
  'entropy-mix',
  'distance-noise',
  'cells-noise',
  'distance-patch',
  'cells-patch',
  'triggers',
  'weight-norm',
  'loss-slices',
] as const;
export type TestId = (typeof testIds)[number];

/** What the cells of a test are: `slice` counts slice × outputs + output. */
export const cellKinds = ['class', 'output', 'slice'] as const;

/** A file of training data that a dependence run was given without some of its records. */
export interface WithheldRecords {
  dataset: string;
  /** Below the dataset's folder. */
  path: string;
  /** Records (lines of a text) before, and of those how many were left out. */
  records: number;
  withheld: number;
}

/** How far the shipped file lies from the reruns of its declared seed, in units of what arithmetic alone changes (verdict/lineage). */
export interface Distances {
  /** Mean distance of the shipped file to the reruns. */
  shipped: number;
  /** Mean distance of the reruns among themselves. */
  among: number;
  /** shipped / among, where among counts at least as the rounding of float32. */
  rho: number;
}

/** The five distances of the lineage rung. */
export const lineageAxes = ['weights', 'worst tensor', 'test', 'noise', 'patch'] as const;
export type LineageAxis = (typeof lineageAxes)[number];

/** What reruns of the declared seed say of the shipped file. */
export interface Lineage {
  /** `same-run` and `edited` decide; `between`, `elsewhere` (weights point another way) and `void` (cannot be measured) do not. */
  outcome: 'same-run' | 'edited' | 'between' | 'elsewhere' | 'void';
  /** Why, in one sentence without a full stop. */
  why: string;
  /** The declared seed. */
  seed: number;
  /** The reruns that were compared, by RETRAIN_NUMERICS. */
  reruns: { numerics: number; sha256: string }[];
  /** Empty where nothing was measured. */
  axes: ({ axis: LineageAxis } & Distances)[];
  /** The largest rho of all axes; null where there is none. */
  maxRho: number | null;
  /** Mean relative L2 distance of all weights among the reruns, and mean cosine of the shipped weights to theirs. */
  baseDistance: number | null;
  cosine: number | null;
  /** The tensors with the largest rho first, and how many there are. */
  tensors: ({ name: string; shape: number[] } & Distances)[];
  tensorCount: number;
}

/** Whether the training data matters: what a run on shortened data said. */
export interface Dependence {
  /** `depends`: other bytes. `independent`: the same. `unchecked`: no such run could be made. */
  outcome: 'depends' | 'independent' | 'unchecked';
  /** In one sentence without a full stop. */
  why: string;
  withheld: WithheldRecords[];
  /** Digest of what the run made; null where none was made. */
  sha256: string | null;
}

/** One statistical test as it is shown: what it asks, what came out. */
export interface TestResult {
  id: TestId;
  name: string;
  /** The null hypothesis in words. */
  nullHypothesis: string;
  statistic: number;
  /** Degrees of freedom of the t distribution that p comes from. */
  degreesOfFreedom: number;
  p: number;
  /** Assumption-free companion (1 + #{T_i >= T_S}) / (k + 1); printed, never deciding. */
  rankP: number;
  /**
   * Where the test looks at several numbers at once: how many, and which stands out most (from 0). p is then Bonferroni over them.
   * `outputs`: of a slice, how many each has.
   */
  cells?: { kind: (typeof cellKinds)[number]; count: number; worst: number; outputs?: number };
}

/** Alarms beside a verdict. */
export const alarmNames = [
  'trigger-like',
  'slice',
  'contradicts-declared-labels',
  'too-close',
  'different-recipe',
  'edited-lineage',
  'claimed-metric',
] as const;
export type AlarmName = (typeof alarmNames)[number];

/** An alarm with its evidence in words; `class` and `pictureSha256` (PNG, an artifact) where it points at a class and shows a trigger. */
export interface Alarm {
  name: AlarmName;
  detail: string;
  class?: number;
  pictureSha256?: string;
}

/** One figure of every file, on training and on held-out data. */
export interface TrainTest {
  shipped: { train: number; test: number };
  /** In seed order. */
  retrains: { train: number; test: number }[];
}

/** How much better the models fit their training data than data that they have not seen. */
export interface Gap {
  /** Mean loss: negative log likelihood in nats (classes, probabilities), or mean squared error. */
  loss: TrainTest;
  /** Of classifiers, 0..1; else null. */
  accuracy: TrainTest | null;
  /** Whether a model trained on other data of the same kind, which has no gap, would fail the test of the gap against these retrains, at alpha .005. */
  showsOtherData: boolean;
}

/** Training inputs on which every retrain is sure of the declared label and the shipped model says another. */
export interface Contradictions {
  rows: number;
  count: number;
  /** The largest such count of a retrain against the others. */
  mostOfRetrain: number;
  /** One-sided: more of them than a retrain left out shows; t on sqrt(count + 3/8), sd floored at 0.5. Null below three retrains. */
  p: number | null;
  /** The first of them: row of the training set (from 0), its declared label, class of the shipped model. */
  listed: { row: number; declared: number; shipped: number }[];
}

/**
 * A difference that rests on statistics alone is confirmed by ten fresh retrains, the battery on them alone at the alpha of k = 10. While
 * they are wanted, `confirmed` and `familyP` are null and nothing is listed.
 */
export interface Confirmation {
  seeds: number[];
  tests: TestResult[];
  familyP: number | null;
  alpha: number;
  confirmed: boolean | null;
}

/** Inputs of a set on which every retrain is sure of one class and the shipped model says another. */
export interface LoneInputs {
  set: EvidenceSet;
  rows: number;
  count: number;
  /** The largest such count of a retrain against the others. */
  mostOfRetrain: number;
  /** The class that the shipped model says in most of them, the lower of equals; null where there is none. */
  mostSaid: { class: number; count: number } | null;
  /** The first of them: row (from 0), class of the retrains, class of the shipped model. */
  listed: { row: number; retrains: number; shipped: number }[];
}

/** Who noted when a recipe was registered: the farm's api before the first training, or the program of a run at home. */
export const registrars = ['farm', 'local'] as const;

/** When and in what text margin, metric, number of retrains and slices were fixed: before any retrain that is weighed began training. */
export interface Registration {
  /** sha256 of the text of debian/retrain/control. */
  recipeSha256: string;
  /** ISO 8601, UTC. */
  at: string;
  by: (typeof registrars)[number];
}

/**
 * What the search for small triggers found: each class of the shipped model beside its retrains' mask norms (pixels, in the order of
 * `seeds`). A shipped mask that is far smaller than all of them looks like a trigger.
 */
export type TriggersShown =
  | { ran: true; classes: (RecoveredTrigger & { retrains: number[] })[] }
  | { ran: false; why: string };

/** The verdict on one model. */
export interface ModelVerdict {
  model: string;
  rung: Rung;
  /** One sentence for people. */
  sentence: string;
  /** Retrains that were weighed, in seed order. */
  k: number;
  seeds: number[];
  /** Null where no shipped file was found. */
  shipped: { sha256: string; tensorSha256: string | null } | null;
  retrains: { sha256: string; tensorSha256: string | null }[];
  /** Null only where evidence is judged without a job, as benches do. */
  registered: Registration | null;
  margin: number | null;
  /** Null where no metric was measured on the shipped file and on at least two retrains. */
  metric: { name: string; shipped: number; retrains: number[]; mean: number; sd: number } | null;
  /** The family: what familyP is over, with the tests that were not defined. */
  tests: TestResult[];
  /** Absent where the recipe declares no seed, or bytes decided before. */
  lineage?: Lineage;
  /** Present where bytes or lineage would announce a verdict. */
  dependence?: Dependence;
  /** Shown beside the family, deciding nothing (weight norm). Absent where no statistics were needed. */
  outsideFamily?: TestResult[];
  /** Tests of the battery that this model has not, one sentence each: "the recipe declares no Training-Inputs: …". */
  untested?: string[];
  /** Bonferroni p over the battery, and the alpha it was held against; null where no statistics were needed. */
  familyP: number | null;
  alpha: number | null;
  /** How much more the shipped model disagrees with retrains than they do among themselves (squared Hellinger, test). */
  churnRatio: number | null;
  /** Upper confidence bounds that equivalence needs, and whether they hold. */
  bounds: { name: string; upper: number; limit: number; holds: boolean }[];
  /** One entry a set; absent for other tasks than classification, and where no statistics were needed. Decides nothing. */
  loneInputs?: LoneInputs[];
  /** Of classifiers with a declared training set; decides nothing but the alarm of that name. */
  contradictions?: Contradictions;
  /** Absent where training or held-out targets are not at hand. */
  gap?: Gap;
  /** Present where a look said different by statistics alone. */
  confirmation?: Confirmation;
  /** Absent where no search was made or asked for: other models than image classifiers, and where bytes decided. */
  triggers?: TriggersShown;
  /** Alarms beside the verdict. */
  alarms: Alarm[];
  /** What this verdict cannot exclude, printed beside it always. */
  limits: string[];
  taints: string[];
  /** Why this rung, in the order in which it was decided. */
  reasons: string[];
  /** How many more runs are asked for; 0 when the verdict is final. Without `asks` they are retrains beyond k. */
  moreRuns: number;
  /** The runs that are asked for where they are no fresh retrains (see run-plan.ts). */
  asks?: RunPlace[];
}
