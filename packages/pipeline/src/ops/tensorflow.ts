// The own kernels as TensorFlow's operations, through tfjs-node's backend: nothing is read back, so a step that uses them
// can be recorded.
import * as tf from '@tensorflow/tfjs-core';
import type { DropoutMask } from './host.ts';

/** As much of tfjs-node's backend as is used here. */
interface TensorflowBackend {
  binding: {
    TF_FLOAT: number;
    TF_INT32: number;
    TF_BOOL: number;
    TF_ATTR_TYPE: number;
    TF_ATTR_INT: number;
    TF_ATTR_BOOL: number;
  };
  executeSingleOutput(name: string, attributes: object[], inputs: tf.TensorInfo[]): tf.Tensor;
}

const mask: tf.KernelFunc = ({ inputs, attrs, backend }) => {
  const { binding, executeSingleOutput } = backend as unknown as TensorflowBackend;
  const { TF_FLOAT, TF_INT32, TF_BOOL, TF_ATTR_TYPE, TF_ATTR_INT, TF_ATTR_BOOL } = binding;
  const { shape, rate, seed } = attrs as unknown as DropoutMask;
  const type = (name: string, value: number) => ({ name, type: TF_ATTR_TYPE, value });
  const run = (name: string, attributes: object[], ...of: tf.TensorInfo[]): tf.Tensor =>
    executeSingleOutput.call(backend, name, attributes, of);
  return tf.tidy(() => {
    const seeds = run(
      'Pack',
      [
        { name: 'N', type: TF_ATTR_INT, value: 2 },
        type('T', TF_INT32),
        { name: 'axis', type: TF_ATTR_INT, value: 0 },
      ],
      tf.scalar(seed, 'int32'),
      inputs.counter!,
    );
    const fractions = run(
      'StatelessRandomUniform',
      [type('dtype', TF_FLOAT), type('T', TF_INT32), type('Tseed', TF_INT32)],
      tf.tensor1d(shape, 'int32'),
      seeds,
    );
    const kept = run('GreaterEqual', [type('T', TF_FLOAT)], fractions, tf.scalar(rate));
    const ones = run(
      'Cast',
      [type('SrcT', TF_BOOL), type('DstT', TF_FLOAT), { name: 'Truncate', type: TF_ATTR_BOOL, value: false }],
      kept,
    );
    return run('Mul', [type('T', TF_FLOAT)], ones, tf.scalar(1 / (1 - rate)));
  });
};

const gather: tf.KernelFunc = ({ inputs, backend }) => {
  const { binding, executeSingleOutput } = backend as unknown as TensorflowBackend;
  const { TF_FLOAT, TF_INT32, TF_ATTR_TYPE, TF_ATTR_INT } = binding;
  const { table, indices } = inputs as { table: tf.TensorInfo; indices: tf.TensorInfo };
  const type = (name: string, value: number) => ({ name, type: TF_ATTR_TYPE, value });
  return tf.tidy(() =>
    executeSingleOutput.call(
      backend,
      'GatherV2',
      [
        { name: 'batch_dims', type: TF_ATTR_INT, value: 0 },
        type('Tparams', table.dtype === 'int32' ? TF_INT32 : TF_FLOAT),
        type('Tindices', TF_INT32),
        type('Taxis', TF_INT32),
      ],
      [table, indices, tf.scalar(0, 'int32')],
    ),
  );
};

/** By the name of the tfjs backend. */
export const tensorflowKernels = { tensorflow: { mask, gather } };
