// As much of tfjs's wasm backend as recording and replaying lean on (backend_wasm.js of the pinned 4.22.0).
import type { DataType, KernelBackend, TensorInfo, TypedArray } from '@tensorflow/tfjs-core';

/** What the backend knows of one tensor's data. `id` names it towards the C++ side, which maps it to an address. */
export interface HeapEntry {
  id: number;
  memoryOffset: number;
  shape: number[];
  dtype: DataType;
  refCount: number;
}

export interface HeapBackend extends Omit<KernelBackend, 'write'> {
  dataIdMap: { get(dataId: object): HeapEntry; has(dataId: object): boolean };
  dataIdNextNumber: number;
  wasm: {
    /** The instance's exports; read-only. */
    asm: Record<string, (...args: number[]) => number | undefined> & { memory: WebAssembly.Memory };
    /** A view of the whole heap; emscripten replaces it when the heap grows. */
    HEAPU8: Uint8Array;
    _malloc(bytes: number): number;
    _free(address: number): void;
    cwrap(name: string, result: string | null, types: unknown[], options?: unknown): Cfunction;
    tfjs: {
      registerTensor(id: number, size: number, address: number): void;
      disposeData(id: number): void;
    };
  };
  makeOutput(shape: number[], dtype: DataType, address?: number, values?: TypedArray): TensorInfo;
  typedArrayFromHeap(tensor: TensorInfo): TypedArray;
  write(values: TypedArray | null, shape: number[], dtype: DataType): object;
}

export type Cfunction = (...args: unknown[]) => unknown;

const widths: Partial<Record<DataType, number>> = { float32: 4, int32: 4, bool: 1 };

/** Bytes of a value; 0 for what the heap does not hold (strings, complex numbers). */
export const widthOf = (dtype: DataType): number => widths[dtype] ?? 0;

export const sizeOf = (shape: readonly number[]): number =>
  shape.reduce((product, length) => product * length, 1);

/**
 * Ids from here on are given during recording only: no length, stride or flag that a kernel passes to C is as large, so an
 * argument that is an id is told from one that is a number. Unsigned 32-bit on the C++ side.
 */
export const firstRecordedId = 2 ** 30;
let nextRecordedId = firstRecordedId;
/** Ids that are given here, out of the way of those that the backend gives. */
let nextOwnId = firstRecordedId + 2 ** 29;

export const freshId = (): number => nextOwnId++;

/** Lets the backend give ids of the high range while `act` runs. */
export function withHighIds<T>(backend: HeapBackend, act: () => T): T {
  const low = backend.dataIdNextNumber;
  backend.dataIdNextNumber = nextRecordedId;
  try {
    return act();
  } finally {
    nextRecordedId = backend.dataIdNextNumber;
    backend.dataIdNextNumber = low;
  }
}

/** Gives a tensor's data another id. What XNNPACK packed for the old one is forgotten. */
export function renumber(backend: HeapBackend, entry: HeapEntry): void {
  backend.wasm.tfjs.disposeData(entry.id);
  entry.id = freshId();
  backend.wasm.tfjs.registerTensor(entry.id, sizeOf(entry.shape), entry.memoryOffset);
}

/** Makes C++ forget what XNNPACK packed of a tensor whose bytes were overwritten. */
export function forgetPacked(backend: HeapBackend, { id, shape, memoryOffset }: HeapEntry): void {
  backend.wasm.tfjs.disposeData(id);
  backend.wasm.tfjs.registerTensor(id, sizeOf(shape), memoryOffset);
}

/** A copy of a tensor's bytes. */
export function bytesOf(backend: HeapBackend, { memoryOffset, shape, dtype }: HeapEntry): Uint8Array {
  return backend.wasm.HEAPU8.slice(memoryOffset, memoryOffset + sizeOf(shape) * widthOf(dtype));
}
