// Computes the kernel cases on whatever tfjs is loaded: value, and gradient of the value weighted by a fixed pattern.

import { generator } from '@retraind/pipeline/random';
import type * as tfjs from '@tensorflow/tfjs-core';
import type { KernelCase, Tf } from './kernel-cases.ts';

export interface CaseValues {
  output: number[];
  /** One for each input. */
  gradients: number[][];
}

/** The inputs of a case: numbers that float32 holds exactly, so that every engine starts from the same. */
export function drawnInputs({ name, inputs, range = [-1, 1] }: KernelCase): number[][] {
  const next = generator(1, `case ${name}`);
  const draw = (): number => Math.fround(range[0] + (range[1] - range[0]) * next());
  return inputs.map((shape) =>
    Array.from({ length: shape.reduce((product, length) => product * length, 1) }, draw),
  );
}

/** Weights of the outputs in the scalar whose gradient is taken: no two alike, so that no two outputs can be swapped. */
const weightOf = (index: number): number => Math.fround(1 + ((index * 37) % 61) / 64);

export function scalarOf(tf: Tf, kernel: KernelCase, inputs: tfjs.Tensor[]): tfjs.Scalar {
  const output = kernel.compute(tf, ...inputs);
  const weights = tf.tensor(
    Array.from({ length: output.size }, (_, i) => weightOf(i)),
    output.shape,
  );
  return tf.sum(tf.mul(output, weights)) as tfjs.Scalar;
}

export async function caseValues(tf: Tf, kernel: KernelCase): Promise<CaseValues> {
  const inputs = drawnInputs(kernel).map((values, i) => tf.tensor(values, [...kernel.inputs[i]!]));
  const output = tf.tidy(() => kernel.compute(tf, ...inputs));
  const gradients = tf.tidy(() => tf.grads((...xs) => scalarOf(tf, kernel, xs))(inputs));
  const values = {
    output: [...(await output.data())],
    gradients: await Promise.all(gradients.map(async (gradient) => [...(await gradient.data())])),
  };
  tf.dispose([inputs, output, gradients]);
  return values;
}
