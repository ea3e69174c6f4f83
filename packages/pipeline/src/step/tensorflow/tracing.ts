// One function of a step, recorded: run twice as it is written, with two learning rates, and rolled back each time.
import * as tf from '@tensorflow/tfjs-core';
import { setLearningRate } from '../learning-rate.ts';
import { NotReplayable } from '../not-replayable.ts';
import { registeredVariables, rolledBack } from '../rollback.ts';
import type { Tensors } from '../step.ts';
import { held, separate, type TensorflowBackend } from './backend.ts';
import type { Pass } from './lowering.ts';
import { recorded } from './recorder.ts';

/** The rates to record with: no multiple of each other that a count of steps could be mistaken for. */
export const recordingRates = [0.0123, 0.0217] as const;

/** Names of the graph's outputs for what a function starts from. */
export interface Sources {
  input(name: string): string;
  variable(variable: tf.Variable): string;
  /** Of a variable that is assigned to. */
  index(variable: tf.Variable): number;
}

/** What a function answered while it was recorded. */
export interface Answer {
  dtype: number;
  shape: number[];
  values: ArrayLike<number>;
}

export function pass(
  backend: TensorflowBackend,
  optimizer: tf.Optimizer,
  tensors: Tensors,
  sources: Sources,
  rate: number,
  act: () => tf.Tensor,
): { pass: Pass; answer: Answer } {
  const ids = new Map<number, string>();
  for (const [name, tensor] of Object.entries(tensors))
    ids.set(held(backend, tensor).id, sources.input(name));
  const variables = Object.values(registeredVariables()).filter(({ dtype }) => dtype !== 'string');
  const before = new Map<tf.Variable, number>();
  for (const variable of variables) {
    if (ids.has(held(backend, variable).id)) separate(backend, variable);
    const { id } = held(backend, variable);
    before.set(variable, id);
    ids.set(id, sources.variable(variable));
  }
  setLearningRate(optimizer, rate);
  const { result } = rolledBack(() =>
    recorded(backend.binding, new Set(ids.keys()), (see) => {
      const answer = tf.tidy(act);
      const after = Object.values(registeredVariables());
      const made = after.find((variable) => !before.has(variable) && variable.dtype !== 'string');
      if (made) throw new NotReplayable(`the step makes the variable '${made.name}' at each call`);
      const written = new Map<number, number>();
      for (const [variable, id] of before) {
        const now = held(backend, variable).id;
        if (now === id) continue;
        see(now);
        written.set(sources.index(variable), now);
      }
      const { id, dtype } = held(backend, answer);
      see(id);
      return { answer, id, dtype, written };
    }),
  );
  const { answer, id, dtype, written } = result.result;
  const values = answer.dataSync();
  answer.dispose();
  return {
    pass: { recording: result.recording, sources: ids, answer: id, written, rate },
    answer: { dtype, shape: answer.shape, values },
  };
}
