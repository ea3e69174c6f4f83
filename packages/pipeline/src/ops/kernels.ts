// Kernels of our own for operations that tfjs has not, or has only in a form that cannot be recorded and replayed: one a
// backend, under one name.
import * as tf from '@tensorflow/tfjs-core';
import { hostKernels } from './host.ts';
import { tensorflowKernels } from './tensorflow.ts';

/** 0 or 1 / (1 - rate) a value, by the stream of (seed, counter): inputs { counter: int32 [] }, attributes DropoutMask. */
export const dropoutMask = 'RetrainDropoutMask';
/** Rows of a table by number: inputs { table: [rows, …], indices: int32 […] } → […indices, …row]. */
export const rowGatherKernel = 'RetrainRowGather';

/** Makes both kernels known for every backend; a second call does nothing. */
export function registerOperations(): void {
  for (const [backendName, { mask, gather }] of Object.entries({ ...hostKernels, ...tensorflowKernels })) {
    for (const [kernelName, kernelFunc] of [
      [dropoutMask, mask],
      [rowGatherKernel, gather],
    ] as const) {
      if (!tf.getKernel(kernelName, backendName)) tf.registerKernel({ kernelName, backendName, kernelFunc });
    }
  }
}
