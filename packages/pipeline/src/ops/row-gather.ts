// Rows of a table by number, as an embedding needs it. tfjs's own gather reads the row numbers back on TensorFlow, to check
// them, and so cannot be recorded.
import * as tf from '@tensorflow/tfjs-core';
import { registerOwnKernels, rowGatherKernel } from './kernels.ts';

/**
 * The named rows of `table`, [rows, …]: […indices, …row]. `indices`: int32. The gradient adds up what each row was used for.
 * Throws where a row does not exist: a RecipeFault on cpu, wasm and webgpu, TensorFlow's own error there (0 on a GPU).
 */
export function rowGather(table: tf.Tensor, indices: tf.Tensor): tf.Tensor {
  registerOwnKernels();
  if (indices.dtype !== 'int32') throw new TypeError(`row numbers are int32, not ${indices.dtype}`);
  return tf.customGrad((x) => {
    const rows = (x as tf.Tensor).shape[0]!;
    const value: tf.Tensor = tf.engine().runKernel(rowGatherKernel, { table: x as tf.Tensor, indices });
    return {
      value,
      gradFunc: (dy: tf.Tensor) =>
        tf.unsortedSegmentSum(
          tf.reshape(dy, [indices.size, ...(x as tf.Tensor).shape.slice(1)]),
          tf.reshape(indices, [indices.size]),
          rows,
        ),
    };
  })(table);
}
