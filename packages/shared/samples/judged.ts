// Made-up models for the tests of verdicts: class probabilities that scatter around one truth, as retrains of one recipe do.
import { createHash } from 'node:crypto';
import type { RecipeModel } from '../src/recipe/recipe.ts';
import { type EvidenceSet, requiredSets } from '../src/verdict/evidence.ts';
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
}

/** The `name`-th draw: its own logit noise, effect, accuracy (sd .004) and loss. Equal names give equal files. */
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
      faults: [],
    },
    predictions: {},
  };
  for (const set of requiredSets) {
    file.evidence.sets[set] = { sha256: digestOf(`${name} ${set}`), rows, columns };
    file.predictions[set] = probabilities(set, own, 0.3 * effect * (traits.scatter?.[set] ?? 1));
  }
  return file;
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

const probabilities = (set: string, own: ProbeStream, scatter: number): Float32Array => {
  const truth = new ProbeStream('truth', set);
  const values = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row += 1) {
    const logits = Array.from({ length: columns }, () => 2 * truth.normal() + scatter * own.normal());
    const exps = logits.map(Math.exp);
    const sum = exps.reduce((a, b) => a + b, 0);
    values.set(
      exps.map((value) => value / sum),
      row * columns,
    );
  }
  return values;
};
