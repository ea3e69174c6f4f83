// The parsed form of debian/retrain/control (docs/reference/recipe.md, Retrain-Format 1.0). Plain JSON values: a recipe is
// kept as its text and parsed wherever it is needed, by the same pure parser.
import type { AcceleratorWish } from '../gpu/accelerator.ts';

export const policies = ['never', 'on-upload', 'per-release', 'on-demand', 'on-data-change'] as const;
export type RetrainPolicy = (typeof policies)[number];

export const comparisons = ['bitwise', 'numerical', 'statistical'] as const;
export type Comparison = (typeof comparisons)[number];

export const tasks = ['classification', 'regression', 'probability-vector', 'embedding', 'opaque'] as const;
export type Task = (typeof tasks)[number];

export const transports = [
  'in-source',
  'orig-component',
  'package',
  'git-annex',
  'git-lfs',
  'url',
  'generated',
] as const;
export type Transport = (typeof transports)[number];

/** The nets in a file of GNU Backgammon, in its order. */
export const gnubgNets = [
  'contact',
  'race',
  'crashed',
  'pruning-contact',
  'pruning-crashed',
  'pruning-race',
] as const;
export type GnubgNet = (typeof gnubgNets)[number];

/** Where the shipped file lies: a path in the source tree, or an absolute path in a binary package of the same source version. */
export type ModelFile =
  | { kind: 'tree'; path: string }
  | { kind: 'package'; packageName: string; path: string };

/** One file of a dataset as a tensor: `train-images-idx3-ubyte.gz (idx, scale=1/255, shape=Nx784)`. */
export interface DataFile {
  /** Path below the dataset's folder. */
  path: string;
  format: 'idx' | 'csv' | 'npy';
  /** Each value is multiplied by this; 1 where the recipe says nothing. */
  scale: number;
  /** Shape without the leading N (number of records); null where the recipe says nothing. */
  recordShape: number[] | null;
}

/** A model stanza. */
export interface RecipeModel {
  name: string;
  file: ModelFile;
  /** Which net is judged of a file that holds several; null: the one that takes records of the data's width. */
  net: GnubgNet | null;
  /** Path below $RETRAIN_OUT that the target must leave. */
  output: string;
  comparison: Comparison;
  /** The seed of the shipped file, where upstream published it. */
  seed: number | null;
  readsShipped: boolean;
  license: string;
  task: Task;
  trainingData: string | null;
  trainingInputs: DataFile | null;
  trainingTargets: DataFile | null;
  evaluationData: string | null;
  evaluationInputs: DataFile | null;
  evaluationTargets: DataFile | null;
  /** Name of the declared metric, e.g. `accuracy`. */
  metric: string | null;
  /** Registered before any run is made; in units of the metric. */
  margin: number | null;
  claimedMetric: number | null;
  /** The rules target that turns what the recipe's target leaves into the shipped form. */
  converter: string | null;
  /** The classes themselves, or a file below the folder of Evaluation-Data: a whole number a record. */
  slices: 'label' | DataFile | null;
  securityCritical: boolean;
  runs: { min: number; max: number };
}

/** One pinned file of a dataset. */
export interface PinnedFile {
  path: string;
  sha256: string;
  bytes: number;
  /** Whether digest and size are those of the decompressed bytes. */
  uncompressed: boolean;
}

export interface RecipeDataset {
  name: string;
  /** Any that yields the pinned digests serves, in this order. */
  locations: { transport: Transport; location: string }[];
  license: string;
  /** Folder inside the package or tree in which the files lie; '' for its root. */
  directory: string;
  files: PinnedFile[];
}

export interface Recipe {
  format: '1.0';
  /** The rules target, `bootstrap` unless said otherwise. */
  target: string;
  policy: RetrainPolicy;
  /** Relations as written; @builddeps@ is kept and expanded by the worker. */
  buildDepends: string;
  accelerators: AcceleratorWish[];
  gpus: number;
  gpuMemoryBytes: number;
  memoryBytes: number;
  diskBytes: number;
  /** Debian's names of the machines that will do; [] for any. */
  machines: string[];
  /** Tags that the node must have. */
  tags: string[];
  timeLimitSeconds: number;
  silenceLimitSeconds: number;
  models: RecipeModel[];
  datasets: RecipeDataset[];
}

/** The converters that a run calls, each once, in the order of the models. */
export const convertersOf = ({ models }: Pick<Recipe, 'models'>): string[] => [
  ...new Set(models.flatMap(({ converter }) => converter ?? [])),
];

/** A fault in a control file: where it is, what is wrong, and the cure. */
export interface Fault {
  file: string;
  line: number;
  field: string | null;
  severity: 'error' | 'warning';
  message: string;
  cure: string;
}
