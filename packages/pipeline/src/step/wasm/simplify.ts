// Takes out of a recording what need not run: copies, what follows from constants, what nobody uses.
import type * as tf from '@tensorflow/tfjs-core';
import { NotReplayable } from '../not-replayable.ts';
import type { Agreement } from './agreement.ts';
import { inputsOf, type KernelRun, type Recording, type Stored, type TensorUse } from './recording.ts';

/** What is left to do, over data by number: aliases are resolved, constants known. */
export interface Work {
  runs: KernelRun[];
  stored: Stored[];
  /** Data that is the same as other data. */
  root(data: number): number;
  rates: Map<number, number>;
  result: TensorUse;
  /** What each variable holds after the function. */
  written: Map<tf.Variable, number>;
}

/** Kernels that only hand their input on, and the index of the input; by attributes where those decide. */
const copies: Record<string, (run: KernelRun) => boolean> = {
  Identity: () => true,
  Cast: ({ inputs, outputs }) => (inputs as Record<string, TensorUse>).x!.dtype === outputs[0]!.dtype,
  Transpose: ({ inputs, attrs }) => {
    // A transpose that moves only axes of length 1 is a copy.
    const { shape } = (inputs as Record<string, TensorUse>).x!;
    const moved = (attrs.perm as number[]).filter((axis) => shape[axis] !== 1);
    return moved.every((axis, i) => i === 0 || moved[i - 1]! < axis);
  },
};

/** `fixed` of both recordings is compared here: a kernel whose values come from nowhere must give the same ones. */
export function simplify({ recording, rates }: Agreement, first: Recording): Work {
  const stored = recording.stored.map((each) => ({ ...each }));
  const roots = new Map<number, number>();
  const root = (data: number): number => {
    const above = roots.get(data);
    return above === undefined ? data : root(above);
  };
  const moving = new Set(rates.keys());
  const runs: KernelRun[] = [];
  for (const [at, run] of recording.runs.entries()) {
    const inputs = inputsOf(run).map(({ data }) => data);
    const fixed = run.fixed !== null && !inputs.some((data) => moving.has(data));
    if (fixed) {
      run.fixed!.forEach((bytes, i) => {
        if (Buffer.compare(bytes, first.runs[at]!.fixed![i]!) !== 0) {
          throw new NotReplayable(`${run.name} makes other values from run to run`);
        }
        const { data } = run.outputs[i]!;
        if (stored[data]!.origin.kind === 'made') stored[data]!.origin = { kind: 'constant', bytes };
      });
      continue;
    }
    for (const { data } of run.outputs) if (run.fixed) moving.add(data);
    // A reshape answers the data that it was given.
    if (run.outputs.every(({ data }) => inputs.includes(data))) continue;
    if (run.outputs.length === 1 && run.inputs && copies[run.name]?.(run)) {
      roots.set(run.outputs[0]!.data, inputs[0]!);
      continue;
    }
    runs.push(run);
  }
  const written = new Map(
    [...recording.written]
      .map(([variable, data]) => [variable, root(data)] as const)
      // A variable that was given its own value.
      .filter(([variable, data]) => {
        const { origin } = stored[data]!;
        return !(origin.kind === 'variable' && origin.variable === variable);
      }),
  );
  const result = { ...recording.result, data: root(recording.result.data) };
  return {
    runs: needed(runs, [result.data, ...written.values()], root),
    stored,
    root,
    rates,
    result,
    written,
  };
}

/** The runs that the wanted data need. */
function needed(runs: KernelRun[], wanted: number[], root: (data: number) => number): KernelRun[] {
  const live = new Set(wanted);
  return runs
    .toReversed()
    .filter((run) => {
      if (!run.outputs.some(({ data }) => live.has(root(data)))) return false;
      for (const { data } of inputsOf(run)) live.add(root(data));
      return true;
    })
    .toReversed();
}
