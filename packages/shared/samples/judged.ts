// Made-up models for the tests of verdicts: class probabilities that scatter around one truth, as retrains of one recipe do.
import { createHash } from 'node:crypto';
import type { RecipeModel } from '../src/recipe/recipe.ts';
import { type EvidenceSet, evidenceSets, labelledSets, requiredSets } from '../src/verdict/evidence.ts';
import type { JudgedFile, JudgedRun } from '../src/verdict/judged.ts';
import { ProbeStream } from '../src/verdict/probe-stream.ts';

const rows = 40;
const columns = 5;

export const sampleModel = (changes: Partial<RecipeModel> = {}): RecipeModel => ({
  name: 'clothes',
  file: { kind: 'tree', path: 'models/clothes.onnx' },
  net: null,
  output: 'clothes.onnx',
  comparison: 'statistical',
  seed: null,
  readsShipped: false,
  license: 'Expat',
  task: 'classification',
  trainingData: null,
  trainingInputs: null,
  trainingTargets: null,
  evaluationData: 'fashion-mnist',
  evaluationInputs: null,
  evaluationTargets: null,
  metric: 'accuracy',
  margin: 0.015,
  claimedMetric: null,
  converter: null,
  slices: null,
  securityCritical: false,
  runs: { min: 3, max: 10 },
  ...changes,
});

export const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex');

/** What makes a sample unlike its peers. */
export interface SampleTraits {
  /** Factor on the noise of its logits, by set. */
  scatter?: Partial<Record<EvidenceSet, number>>;
  accuracy?: number;
  /** Factor on what it has learned of the training labels; 0: trained on other data. */
  memory?: number;
  /** Factor on all its logits: how sure it is. */
  sureness?: number;
  /** Factor on the mask of its smallest trigger, by class. */
  masks?: Record<number, number>;
  weightNorm?: number;
}

/**
 * The `name`-th draw: its own logit noise, effect, accuracy (sd .004), loss, masks and weight norm, and what it has learned of the
 * training labels. Equal names give equal files.
 */
export const sampleFile = (name: string, traits: SampleTraits = {}): JudgedFile => {
  const own = new ProbeStream(name, 'sample');
  const effect = Math.exp(0.08 * own.normal());
  const accuracy = traits.accuracy ?? 0.866 + 0.004 * own.normal();
  const logLoss = Math.exp(-0.96 + 0.02 * own.normal());
  const file: JudgedFile = {
    evidence: {
      evaluator: 'sample 1',
      file: { sha256: digestOf(`${name} file`), bytes: 1_000 },
      tensorSha256: digestOf(`${name} tensors`),
      sets: {},
      metric: { name: 'accuracy', value: accuracy },
      logLoss,
      targets: {},
      faults: [],
    },
    predictions: {},
    targets: {},
  };
  const sureness = (traits.sureness ?? 1) * Math.exp(0.01 * own.normal());
  for (const set of [...requiredSets, ...evidenceSets.filter((set) => !isRequired(set))]) {
    file.evidence.sets[set] = { sha256: digestOf(`${name} ${set}`), rows, columns };
    const scatter = 0.3 * effect * (traits.scatter?.[set] ?? 1);
    const memory = set === 'train' ? 2 * (traits.memory ?? 1) : 0;
    file.predictions[set] = probabilities(set, own, scatter, memory, sureness);
  }
  for (const set of labelledSets) {
    file.evidence.targets![set] = { sha256: digestOf(`targets ${set}`), rows, columns: 1 };
    file.targets![set] = labelsOf(set).slice();
  }
  file.evidence.weightNorm = (traits.weightNorm ?? 1) * 14 * Math.exp(0.003 * own.normal());
  file.evidence.triggers = {
    ran: true,
    classes: Array.from({ length: columns }, (_, label) => ({
      class: label,
      maskL1: (traits.masks?.[label] ?? 1) * (30 + 5 * label) * Math.exp(0.1 * own.normal()),
      reached: 0.9,
      pictureSha256: digestOf(`${name} trigger ${label}`),
    })),
  };
  return file;
};

const isRequired = (set: EvidenceSet): boolean => (requiredSets as readonly EvidenceSet[]).includes(set);

const known = new Map<EvidenceSet, Float32Array>();

/** The true class of each record: the same for every file. */
const labelsOf = (set: EvidenceSet): Float32Array => {
  const labels = known.get(set) ?? drawLabels(set);
  known.set(set, labels);
  return labels;
};

const truths = new Map<EvidenceSet, number[][]>();

/** The logits that all files scatter around, by row. */
const truthOf = (set: EvidenceSet): number[][] => {
  const truth = new ProbeStream('truth', set);
  const logits =
    truths.get(set) ??
    Array.from({ length: rows }, () => Array.from({ length: columns }, () => 2 * truth.normal()));
  truths.set(set, logits);
  return logits;
};

const drawLabels = (set: EvidenceSet): Float32Array => {
  const labels = new ProbeStream('labels', set);
  return Float32Array.from(truthOf(set), (logits) => {
    const exps = logits.map(Math.exp);
    let rest = labels.uniform() * exps.reduce((a, b) => a + b, 0);
    const label = exps.findIndex((value) => {
      rest -= value;
      return rest < 0;
    });
    return Math.max(0, label);
  });
};

/** k retrains with seeds 101, 102 …, drawn under `name`. */
export const sampleRuns = (name: string, k: number): JudgedRun[] =>
  Array.from({ length: k }, (_, i) => ({
    ...sampleFile(`${name} run ${i + 1}`),
    seed: 101 + i,
    seedIndex: i + 1,
  }));

/** The run `of` again without a tenth of its records, with other bytes. */
export const sampleDependence = (of: JudgedRun): JudgedRun => ({
  ...of,
  ...sampleFile(`${of.evidence.file.sha256} without a tenth`),
  purpose: 'dependence',
  withheld: [{ dataset: 'fashion-mnist', path: 'train-images.gz', records: 8_000, withheld: 800 }],
});

/** `memory` is added to the logit of the true class. */
const probabilities = (
  set: EvidenceSet,
  own: ProbeStream,
  scatter: number,
  memory: number,
  sureness: number,
): Float32Array => {
  const labels = labelsOf(set);
  const values = new Float32Array(rows * columns);
  for (const [row, truth] of truthOf(set).entries()) {
    const logits = truth.map((logit) => logit + scatter * own.normal());
    logits[labels[row]!]! += memory;
    const exps = logits.map((logit) => Math.exp(sureness * logit));
    const sum = exps.reduce((a, b) => a + b, 0);
    values.set(
      exps.map((value) => value / sum),
      row * columns,
    );
  }
  return values;
};
