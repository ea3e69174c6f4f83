// Made-up reruns of one declared seed: weights and outputs that scatter around one run by what arithmetic alone changes.
import type { JudgedFile, JudgedRun } from '../src/verdict/judged.ts';
import { ProbeStream } from '../src/verdict/probe-stream.ts';
import { TensorSums, type WeightDistances } from '../src/verdict/weight-distances.ts';
import { digestOf, sampleFile } from './judged.ts';

export const declaredSeed = 77;
const shapes = { kernel: [40, 5], bias: [5], gain: [] as number[] };

export interface WeightedFile {
  file: JudgedFile;
  weights: Float32Array[];
}

/** How a file departs from the run: `noise` in units of the reruns' own; the edits are added on top. */
export interface Departure {
  noise?: number;
  /** Added to every bias. */
  bias?: number;
  /** Factor on the noise of its outputs on noise probes. */
  scatter?: number;
  /** Factor on all weights. */
  scale?: number;
}

/** A file of the run `run`; `name` draws its own noise. */
export const weightedFile = (
  name: string,
  { noise = 1, bias = 0, scatter = 1, scale = 1 }: Departure = {},
  run = 'run',
): WeightedFile => {
  const truth = new ProbeStream(run, 'weights');
  const own = new ProbeStream(name, 'weights');
  const weights = Object.entries(shapes).map(([tensor, shape]) => {
    const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
    for (let i = 0; i < values.length; i++) {
      const value = truth.normal() + 0.1 * noise * own.normal() + (tensor === 'bias' ? bias : 0);
      values[i] = scale * value;
    }
    return values;
  });
  const file = sampleFile(name, { scatter: { test: noise, noise: noise * scatter, patch: noise } });
  file.evidence.weights = {
    sha256: digestOf(weights.map((values) => values.join()).join('/')),
    tensors: Object.entries(shapes).map(([tensor, shape]) => ({ name: tensor, shape })),
  };
  return { file, weights };
};

/** m reruns, numerics 0 … m - 1. */
export const sampleReruns = (m: number, name = 'rerun'): (WeightedFile & { run: JudgedRun })[] =>
  Array.from({ length: m }, (_, numerics) => {
    const made = weightedFile(`${name} ${numerics}`);
    return {
      ...made,
      run: { ...made.file, purpose: 'rerun', seed: declaredSeed, seedIndex: 0, numerics },
    };
  });

export const distancesOf = (files: readonly WeightedFile[]): WeightDistances => ({
  files: files.map(({ file }) => file.evidence.weights!.sha256),
  tensors: Object.entries(shapes).map(([name, shape], t) => {
    const sums = new TensorSums(files.length);
    sums.add(files.map(({ weights }) => weights[t]!));
    return sums.result({ name, shape });
  }),
});
