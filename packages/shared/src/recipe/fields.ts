// Every field of debian/retrain/control and of the tag: the parser refuses what is not here, `retrain lint` guesses what was
// meant from here, and docs/reference/recipe.md is compared with this table by a test.

export const stanzaKinds = ['recipe', 'model', 'dataset'] as const;
export type StanzaKind = (typeof stanzaKinds)[number];

export interface FieldRow {
  name: string;
  /** `yes`, `no`, or the case in which it must be there. */
  required: string;
  /** What it holds, in the words of the reference page. */
  form: string;
}

const row = (name: string, required: string, form: string): FieldRow => ({ name, required, form });

/** The first field of each stanza kind says which kind it is. */
export const fieldTable: Record<StanzaKind, readonly FieldRow[]> = {
  recipe: [
    row('Retrain-Format', 'yes', '`1.0`'),
    row('Target', 'no', 'the rules target; default: the tag’s, else `bootstrap`'),
    row(
      'Policy',
      'no',
      'never, on-upload, per-release, on-demand or on-data-change; default: the tag’s, else `on-demand`',
    ),
    row(
      'Build-Depends',
      'no',
      'relations (Policy 7.1) that the target needs beyond make and dpkg-dev; `@builddeps@` stands for the source’s own',
    ),
    row(
      'Accelerator',
      'no',
      'alternatives, best first: `cuda:sm_80 | rocm:gfx90a | vulkan | none`; default: the tag’s, else `none`',
    ),
    row('Gpus', 'no', 'devices at once; default 1'),
    row('Gpu-Memory', 'no', 'memory that each device must have; default `0 B`'),
    row('Memory', 'no', 'a size; default `2 GiB`'),
    row('Disk', 'no', 'a size; default `1 GiB`'),
    row('Architecture', 'no', 'machines that will do, e.g. `amd64 arm64`; default: any'),
    row('Tags', 'no', 'tags that the node must have, e.g. `big-memory`; default: none'),
    row('Time-Limit', 'no', 'a duration; default `4 h`'),
    row(
      'Silence-Limit',
      'no',
      'a duration without a line of log or metrics; default `30 min`, or the time limit where that is less',
    ),
  ],
  model: [
    row('Model', 'yes', 'the name of the model'),
    row(
      'File',
      'yes',
      'the shipped file: a path in the source tree, or `PACKAGE:/path` for a file of a binary package',
    ),
    row('Output', 'yes', 'path below `$RETRAIN_OUT` that the target leaves'),
    row(
      'Net',
      'no',
      'the net that is judged, of a gnubg file: contact, race, crashed, pruning-contact, pruning-crashed or pruning-race; default: the one that takes records of the data’s width',
    ),
    row(
      'Comparison',
      'yes',
      'bitwise, numerical or statistical: the strongest claim that the recipe aims at',
    ),
    row(
      'Seed',
      'numerical',
      'the seed of the shipped file, where upstream published it, 0 to 2147483647: the target gets it in `$RETRAIN_SEED`, in several arithmetics',
    ),
    row(
      'Reads-Shipped',
      'no',
      'yes or no (default): whether the target reads the shipped file; yes is a taint, and never bit-identical',
    ),
    row('License', 'yes', 'short name of the licence of the weights'),
    row(
      'Task',
      'statistical',
      'classification, probability-vector, regression, embedding (not yet supported) or opaque (default, bitwise only)',
    ),
    row('Training-Data', 'with Training-Inputs', 'name of a dataset'),
    row('Training-Inputs', 'no', 'a data file'),
    row('Training-Targets', 'with Training-Inputs', 'a data file'),
    row('Evaluation-Data', 'statistical', 'name of a dataset'),
    row('Evaluation-Inputs', 'statistical', 'a data file'),
    row('Evaluation-Targets', 'statistical', 'a data file'),
    row(
      'Metric',
      'statistical',
      'of classification: accuracy; of probability-vector: cross-entropy; of regression: mean-squared-error, mean-absolute-error or root-mean-squared-error',
    ),
    row(
      'Margin',
      'statistical',
      'a number above 0 and below the range of the metric (accuracy: 1), registered before any run',
    ),
    row('Claimed-Metric', 'no', 'what README or model card claims'),
    row(
      'Converter',
      'no',
      'a rules target that turns what the target left into the shipped form, e.g. `int8`; run after the target',
    ),
    row(
      'Slices',
      'no',
      'how errors are cut up: `label` (by class), or a data file with a whole number a held-out record',
    ),
    row('Security-Critical', 'no', 'yes or no (default): equivalent only from 10 runs'),
    row('Runs', 'no', '`3..10`, both ends one of 3, 5, 10; bitwise: `1`'),
  ],
  dataset: [
    row('Dataset', 'yes', 'the name of the dataset, and of its folder in `$RETRAIN_DATA`'),
    row(
      'Transport',
      'yes',
      'package or in-source; orig-component, git-annex, git-lfs, url and generated are not yet supported',
    ),
    row(
      'Location',
      'package',
      'a relation such as `name (>= 1.0)`, one a line: any that yields the pinned digests serves; none for in-source',
    ),
    row('License', 'yes', 'short name of the licence of the data'),
    row(
      'Directory',
      'no',
      'folder of the package or of the source tree in which the files lie; default its root',
    ),
    row('Checksums-Sha256', 'one of the two', 'lines `sha256 bytes path` that pin the files as they are'),
    row(
      'Checksums-Sha256-Uncompressed',
      'one of the two',
      'lines `sha256 bytes path` that pin the decompressed bytes',
    ),
  ],
};

/** Fields of the source stanza of debian/control; the archive’s Sources index has them without `XS-` (Policy 5.7). */
export const tagFields: readonly FieldRow[] = [
  row('XS-Retrain', 'yes', 'the rules target; its presence is the tag'),
  row('XS-Retrain-Accelerator', 'no', 'as Accelerator below'),
  row('XS-Retrain-Policy', 'no', 'as Policy below'),
];
