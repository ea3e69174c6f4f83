// The whole environment of a recipe's target (docs/reference/recipe.md, "Running"): fixed by us, nothing inherited, the same on
// every machine but for where the folders lie.

export interface RunPlaces {
  /** Folders and files as the target sees them. */
  data: string;
  out: string;
  home: string;
  metricsFile: string;
  checkpoint: string;
  /** Value of PATH. */
  path: string;
  /** Folder of TensorFlow for retrain-tfjs, null where the node gives none. */
  tfjsNode: string | null;
}

export interface RunValues {
  /** From job/seed, 1 to 2^31 - 2. */
  seed: number;
  /** 0 is the recipe's own. */
  numerics: number;
  /** The alternative that the slot gave, as printWish writes it. */
  accelerator: string;
  /** By which the vendors' libraries find the devices that were given, and no other. */
  deviceVariables: Readonly<Record<string, string>>;
  /** Of the newest changelog entry, seconds since 1970. */
  sourceDateEpoch: number;
  /** N of DEB_BUILD_OPTIONS=parallel=N. */
  parallel: number;
}

/** All variables that the target gets. */
export function runEnvironment(places: RunPlaces, values: RunValues): Record<string, string> {
  return {
    PATH: places.path,
    HOME: places.home,
    LC_ALL: 'C.UTF-8',
    TZ: 'UTC',
    SOURCE_DATE_EPOCH: String(values.sourceDateEpoch),
    DEB_BUILD_OPTIONS: `parallel=${values.parallel}`,
    RETRAIN_DATA: places.data,
    RETRAIN_OUT: places.out,
    RETRAIN_SEED: String(values.seed),
    RETRAIN_NUMERICS: String(values.numerics),
    RETRAIN_METRICS: places.metricsFile,
    RETRAIN_CHECKPOINT: places.checkpoint,
    RETRAIN_ACCELERATOR: values.accelerator,
    ...(places.tfjsNode === null ? {} : { RETRAIN_TFJS_NODE: places.tfjsNode }),
    ...values.deviceVariables,
  };
}

/** Variables that a record may show: what changes bytes, and nothing that tells of the machine or could hold a secret. */
export const recordedVariables = [
  'CUDA_DEVICE_ORDER',
  'CUDA_VISIBLE_DEVICES',
  'DEB_BUILD_OPTIONS',
  'LC_ALL',
  'RETRAIN_ACCELERATOR',
  'RETRAIN_NUMERICS',
  'RETRAIN_SEED',
  'RETRAIN_TFJS_NODE',
  'ROCR_VISIBLE_DEVICES',
  'SOURCE_DATE_EPOCH',
  'TZ',
  'ZE_AFFINITY_MASK',
] as const;

/** The part of an environment that goes into records, in order of names. */
export const recordedEnvironment = (environment: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    recordedVariables.flatMap((name) =>
      Object.hasOwn(environment, name) ? [[name, environment[name]!]] : [],
    ),
  );
