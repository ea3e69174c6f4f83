// Made-up models of five outputs for the tests of verdicts: probabilities or plain numbers that scatter around one truth, as retrains of
// one recipe do; held-out records in three slices.
import type { RecipeModel } from '../src/recipe/recipe.ts';
import { type EvidenceSet, labelledSets } from '../src/verdict/evidence.ts';
import type { JudgedFile, JudgedRun } from '../src/verdict/judged.ts';
import { ProbeStream } from '../src/verdict/probe-stream.ts';
import { digestOf, sampleModel } from './judged.ts';

const rows = 60;
const outputs = 5;
const slices = Float32Array.from({ length: rows }, (_, row) => row % 3);

export type OutputTask = 'regression' | 'probability-vector';

export const outputModel = (task: OutputTask): RecipeModel =>
  sampleModel({
    name: 'race',
    task,
    metric: task === 'regression' ? 'mean-squared-error' : 'cross-entropy',
    margin: 0.05,
  });

/** What makes a sample unlike its peers. */
export interface OutputTraits {
  /** Added to one output before it is squashed, in one slice of the test data only. */
  bias?: { output: number; slice: number; by: number };
  /** Factor on its scatter, by set. */
  scatter?: Partial<Record<EvidenceSet, number>>;
}

const truths = new Map<string, number[]>();

const truthOf = (label: string): number[] => {
  const stream = new ProbeStream('outputs', label);
  const known = truths.get(label) ?? Array.from({ length: rows * outputs }, () => stream.normal());
  truths.set(label, known);
  return known;
};

/** The `name`-th draw, with train, test and noise sets; `patch` too where asked for. Equal names give equal files. */
export const outputFile = (
  task: OutputTask,
  name: string,
  traits: OutputTraits = {},
  sets: readonly EvidenceSet[] = ['test', 'train', 'noise'],
): JudgedFile => {
  const own = new ProbeStream(name, task);
  const effect = Math.exp(0.08 * own.normal());
  const squash = task === 'regression' ? (x: number) => x : (x: number) => 1 / (1 + Math.exp(-x));
  const file: JudgedFile = {
    evidence: {
      evaluator: 'sample 1',
      file: { sha256: digestOf(`${name} file`), bytes: 1_000 },
      tensorSha256: digestOf(`${name} tensors`),
      sets: {},
      metric: { name: task === 'regression' ? 'mean-squared-error' : 'cross-entropy', value: 0 },
      logLoss: null,
      weightNorm: 9 * Math.exp(0.003 * own.normal()),
      faults: [],
    },
    predictions: {},
    targets: {},
    slices,
  };
  for (const set of sets) {
    const scatter = 0.2 * effect * (traits.scatter?.[set] ?? 1);
    const { bias } = traits;
    file.evidence.sets[set] = { sha256: digestOf(`${name} ${set}`), rows, columns: outputs };
    file.predictions[set] = Float32Array.from(truthOf(set), (truth, i) => {
      const isBiased =
        set === 'test' && i % outputs === bias?.output && slices[Math.floor(i / outputs)] === bias.slice;
      return squash(truth + scatter * own.normal() + (isBiased ? bias.by : 0));
    });
  }
  for (const set of labelledSets) {
    const errors = truthOf(`${set} errors`);
    file.targets![set] = Float32Array.from(truthOf(set), (truth, i) => squash(truth + 0.3 * errors[i]!));
  }
  file.evidence.metric!.value = 0.6 + 0.004 * own.normal();
  return file;
};

/** k retrains with seeds 101, 102 …, drawn under `name`. */
export const outputRuns = (
  task: OutputTask,
  name: string,
  k: number,
  sets?: readonly EvidenceSet[],
): JudgedRun[] =>
  Array.from({ length: k }, (_, i) => ({
    ...outputFile(task, `${name} run ${i + 1}`, {}, sets),
    seed: 101 + i,
    seedIndex: i + 1,
  }));
