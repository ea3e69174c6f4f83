// As much of tfjs's wasm backend as our kernels lean on (backend_wasm.js of the pinned 4.22.0; the tests of this folder
// fail where another version differs).
import type { DataType, KernelBackend, TensorInfo, TypedArray } from '@tensorflow/tfjs-core';

export interface WasmBackend extends KernelBackend {
  dataIdMap: { get(dataId: object): { id: number; memoryOffset: number } };
  wasm: {
    asm: { memory: WebAssembly.Memory };
    _malloc(bytes: number): number;
    _free(address: number): void;
    tfjs: {
      registerTensor(id: number, size: number, address: number): void;
      disposeData(id: number): void;
    };
  };
  makeOutput(shape: number[], dtype: DataType, address?: number, values?: TypedArray): TensorInfo;
  /** A view into the heap: fetch it after every makeOutput, since the heap may grow and old views then are empty. */
  typedArrayFromHeap(tensor: TensorInfo): TypedArray;
}
