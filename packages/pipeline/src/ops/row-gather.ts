// Rows of a table by number, as an embedding needs it. tfjs's own gather reads the row numbers back on TensorFlow, to check
// them, and so cannot be recorded.
import * as tf from '@tensorflow/tfjs-core';
import { registerOperations, rowGatherKernel } from './kernels.ts';

/**
 * The named rows of `table`, [rows, …]: […indices, …row]. `indices`: int32. The gradient adds up what each row was used for.
 * Throws where a row does not exist: a RecipeFault on cpu, wasm and webgpu, TensorFlow's own error there (0 on a GPU).
 */
export function rowGather(table: tf.Tensor, indices: tf.Tensor): tf.Tensor {
  registerOperations();
  if (indices.dtype !== 'int32') throw new TypeError(`row numbers are int32, not ${indices.dtype}`);
  // The row numbers are kept for the gradient: by then the caller has tidied its own away.
  return tf.customGrad((x, save) => {
    const { shape } = x as tf.Tensor;
    const value: tf.Tensor = tf.engine().runKernel(rowGatherKernel, { table: x as tf.Tensor, indices });
    (save as tf.GradSaveFunc)([indices]);
    return {
      value,
      gradFunc: (dy: tf.Tensor, [used]: tf.Tensor[]) =>
        tf.unsortedSegmentSum(
          tf.reshape(dy, [used!.size, ...shape.slice(1)]),
          tf.reshape(used!, [used!.size]),
          shape[0]!,
        ),
    };
  })(table);
}
