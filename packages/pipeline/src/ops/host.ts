// The own kernels in plain code on the host: for backends whose tensors JavaScript can read, and as the fallback of webgpu,
// where the mask is made here and uploaded.
import type { DataType, KernelFunc, TensorInfo, TypedArray } from '@tensorflow/tfjs-core';
import { RecipeFault } from '../fault.ts';
import { fillMask } from './philox.ts';

export interface DropoutMask {
  shape: number[];
  /** Share of zeros, 0 … 1. */
  rate: number;
  /** int32 */
  seed: number;
}

/** How a backend's tensors are read, and made from what `fill` writes. */
interface Host {
  read(backend: unknown, tensor: TensorInfo): TypedArray;
  make(backend: unknown, shape: number[], dtype: DataType, fill: (values: TypedArray) => void): TensorInfo;
}

interface ArrayBackend {
  readSync(dataId: object): TypedArray;
  makeTensorInfo(shape: number[], dtype: DataType, values: TypedArray): TensorInfo;
}

const sizeOf = (shape: number[]): number => shape.reduce((product, length) => product * length, 1);

const arrays: Host = {
  read: (backend, { dataId }) => (backend as ArrayBackend).readSync(dataId),
  make(backend, shape, dtype, fill) {
    const values = dtype === 'int32' ? new Int32Array(sizeOf(shape)) : new Float32Array(sizeOf(shape));
    fill(values);
    return (backend as ArrayBackend).makeTensorInfo(shape, dtype, values);
  },
};

interface HeapBackend {
  makeOutput(shape: number[], dtype: DataType): TensorInfo;
  /** A view, to be fetched after makeOutput: the heap may grow under an older one. */
  typedArrayFromHeap(tensor: TensorInfo): TypedArray;
}

const heap: Host = {
  read: (backend, tensor) => (backend as HeapBackend).typedArrayFromHeap(tensor),
  make(backend, shape, dtype, fill) {
    const wasm = backend as HeapBackend;
    const output = wasm.makeOutput(shape, dtype);
    fill(wasm.typedArrayFromHeap(output));
    return output;
  },
};

const mask =
  (host: Host): KernelFunc =>
  ({ inputs, attrs, backend }) => {
    const { shape, rate, seed } = attrs as unknown as DropoutMask;
    const counter = host.read(backend, inputs.counter!)[0]!;
    return host.make(backend, shape, 'float32', (values) =>
      fillMask(values as Float32Array, [seed, counter], rate, 1 / (1 - rate)),
    );
  };

const gather =
  (host: Host): KernelFunc =>
  ({ inputs, backend }) => {
    const { table, indices } = inputs as { table: TensorInfo; indices: TensorInfo };
    const [rows, ...row] = table.shape as [number, ...number[]];
    const size = sizeOf(row);
    return host.make(backend, [...indices.shape, ...row], table.dtype, (values) => {
      const from = host.read(backend, table);
      for (const [at, index] of host.read(backend, indices).entries()) {
        if (!(index >= 0 && index < rows)) {
          throw new RecipeFault(
            `row ${index} of a table of ${rows} was asked for`,
            `rows go from 0 to ${rows - 1}`,
          );
        }
        values.set(from.subarray(index * size, (index + 1) * size), at * size);
      }
    });
  };

/** By the name of the tfjs backend. */
export const hostKernels = Object.fromEntries(
  Object.entries({ cpu: arrays, webgpu: arrays, wasm: heap }).map(([backend, host]) => [
    backend,
    { mask: mask(host), gather: gather(host) },
  ]),
);
