// Compares two recordings of one function, the second with twice the learning rate: what differs otherwise cannot be replayed.

import { isDeepStrictEqual } from 'node:util';
import type * as tf from '@tensorflow/tfjs-core';
import { NotReplayable } from '../not-replayable.ts';
import type { CCall, KernelRun, Recording } from './recording.ts';

/** What both recordings agree on. */
export interface Agreement {
  recording: Recording;
  /** Constants that are the learning rate times 1 or -1: by data, the factor. */
  rates: Map<number, number>;
}

const float = (bytes: Uint8Array): number => new Float32Array(bytes.slice().buffer)[0]!;

/** -1 or 1 where two scalars are the rate times that, at `rate` and at twice the rate; else null. */
function rateFactor(first: Uint8Array, second: Uint8Array, rate: number): number | null {
  if (first.length !== 4) return null;
  for (const factor of [-1, 1]) {
    if (float(first) === Math.fround(factor * rate) && float(second) === Math.fround(factor * 2 * rate)) {
      return factor;
    }
  }
  return null;
}

/** Throws NotReplayable, naming the operation, where the recordings differ in more than the rate. */
export function agreement(first: Recording, second: Recording, rate: number): Agreement {
  for (const [at, run] of first.runs.entries()) {
    const other = second.runs[at];
    if (other?.name !== run.name) {
      throw new NotReplayable(
        `the step does other operations from run to run: ${run.name}, then ${other?.name ?? 'none'}`,
      );
    }
    compareRuns(run, other);
  }
  const extra = second.runs[first.runs.length];
  if (extra) throw new NotReplayable(`the step does other operations from run to run: ${extra.name}`);
  const rates = new Map<number, number>();
  for (const [data, { origin, size, dtype }] of first.stored.entries()) {
    const other = second.stored[data]!;
    if (size !== other.size || dtype !== other.dtype || origin.kind !== other.origin.kind) {
      throw new NotReplayable(`${userOf(first, data)} is given data of another kind from run to run`);
    }
    if (origin.kind !== 'constant' || other.origin.kind !== 'constant') {
      if (!isDeepStrictEqual(nameOf(first, data), nameOf(second, data))) {
        throw new NotReplayable(`${userOf(first, data)} is given other data from run to run`);
      }
      continue;
    }
    if (Buffer.compare(origin.bytes, other.origin.bytes) === 0) continue;
    const factor = dtype === 'float32' ? rateFactor(origin.bytes, other.origin.bytes, rate) : null;
    if (factor === null) {
      throw new NotReplayable(
        `${userOf(first, data)} is given a value that JavaScript makes anew at every run`,
      );
    }
    rates.set(data, factor);
  }
  if (!isDeepStrictEqual(writes(first), writes(second)) || first.result.data !== second.result.data) {
    throw new NotReplayable('the step assigns other values from run to run');
  }
  return { recording: second, rates };
}

function compareRuns(run: KernelRun, other: KernelRun): void {
  if (!isDeepStrictEqual(run.attrs, other.attrs)) {
    throw new NotReplayable(`${run.name} has other attributes from run to run`);
  }
  if (!isDeepStrictEqual([run.inputs, run.outputs, run.made], [other.inputs, other.outputs, other.made])) {
    throw new NotReplayable(`${run.name} is given other tensors, or makes others, from run to run`);
  }
  // Other arguments are no reason to refuse: the kernel itself can still be replayed.
  const same = (a: CCall[], b: CCall[]): boolean => isDeepStrictEqual(a, b);
  if (!same(run.calls, other.calls)) other.hostWork = true;
  if (run.hostWork) other.hostWork = true;
}

const nameOf = ({ stored }: Recording, data: number): string => {
  const { origin } = stored[data]!;
  if (origin.kind === 'input') return `input ${origin.name}`;
  return origin.kind === 'variable' ? `variable ${origin.variable.name}` : origin.kind;
};

const writes = ({ written }: Recording): [tf.Variable['name'], number][] =>
  [...written].map(([variable, data]) => [variable.name, data]);

/** The first operation that uses some data, for a refusal. */
function userOf({ runs }: Recording, data: number): string {
  const user = runs.find(({ inputs }) =>
    Object.values(inputs)
      .flat()
      .some((use) => use?.data === data),
  );
  return user?.name ?? 'the step';
}
