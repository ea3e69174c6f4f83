// As much of tfjs-node's backend (nodejs_kernel_backend.js of 4.22) as recording leans on: which of the binding's ids holds
// a tensor.
import type * as tf from '@tensorflow/tfjs-core';
import type { OpOutput, TensorflowBinding } from '../../engine/tensorflow/binding.ts';

export interface TensorflowBackend {
  binding: TensorflowBinding;
  tensorMap: { get(dataId: object): { id: number; dtype: number; values: unknown } };
  /** Hands values over to TensorFlow that were not yet. */
  getInputTensorIds(tensors: tf.TensorInfo[]): number[];
  createOutputTensor(output: OpOutput): tf.Tensor;
}

/** The binding's id of a tensor, and TensorFlow's number of its dtype. */
export function held(backend: TensorflowBackend, tensor: tf.TensorInfo): { id: number; dtype: number } {
  const [id] = backend.getInputTensorIds([tensor]) as [number];
  return { id, dtype: backend.tensorMap.get(tensor.dataId).dtype };
}

/** Gives a variable an id of its own where it shares its values with another tensor: one id must stand for one variable. */
export function separate(backend: TensorflowBackend, variable: tf.Variable): void {
  const [copy] = backend.binding.executeOp('Identity', [], [held(backend, variable).id], 1) as [OpOutput];
  const tensor = backend.createOutputTensor(copy);
  variable.assign(tensor);
  tensor.dispose();
}
