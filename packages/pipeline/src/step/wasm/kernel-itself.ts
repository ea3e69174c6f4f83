// Replays a kernel run by the kernel's own JavaScript, on a backend that hands out planned memory: so a kernel that nobody
// here knows replays too.
import type { DataType, TensorInfo, TypedArray } from '@tensorflow/tfjs-core';
import { forgetPacked, type HeapBackend, type HeapEntry, sizeOf } from './heap.ts';
import type { Lowered } from './lower.ts';
import type { KernelRun, Stored, TensorUse } from './recording.ts';

/** Data of a replayed kernel, as its JavaScript sees it. */
interface PlannedId {
  id: number;
}

export function kernelItself(backend: HeapBackend, run: KernelRun, stored: Stored[]): Lowered {
  return {
    by: 'kernel',
    scratchBytes: 0,
    overwrites: () => false,
    bind(layout) {
      const entries = new Map<object, HeapEntry>();
      const ids = new Map<number, PlannedId>();
      const idOf = (data: number): PlannedId => {
        const known = ids.get(data);
        if (known) return known;
        const id = { id: layout.id(data) };
        ids.set(data, id);
        const { size, dtype } = stored[data]!;
        entries.set(id, { ...id, memoryOffset: layout.address(data), shape: [size], dtype, refCount: 1 });
        return id;
      };
      const tensor = ({ data, shape, dtype }: TensorUse): TensorInfo => ({
        dataId: idOf(data),
        shape,
        dtype,
      });
      const made = run.made.map((data) => ({ dataId: idOf(data), ...stored[data]! }));
      const shim = new PlannedBackend(run.name, backend, entries, made);
      const inputs = givenAs(run, tensor);
      const outputs = run.outputs.map(({ data }) => idOf(data));
      return () => {
        shim.next = 0;
        // Else XNNPACK would go on with what it packed of the values that lay there in the last run.
        for (const entry of entries.values()) forgetPacked(backend, entry);
        const result = run.kernelFunc({
          inputs: inputs as never,
          attrs: run.attrs as never,
          backend: shim.asBackend,
        });
        const answered = Array.isArray(result) ? result : [result];
        if (!answered.every(({ dataId }, i) => dataId === outputs[i])) {
          throw new Error(`${run.name} answers another tensor than when it was recorded`);
        }
      };
    },
  };
}

function givenAs(run: KernelRun, tensor: (use: TensorUse) => TensorInfo): unknown {
  const one = (given: TensorUse | TensorUse[] | null) => {
    if (given === null) return undefined;
    return Array.isArray(given) ? given.map(tensor) : tensor(given);
  };
  if (Array.isArray(run.inputs)) return run.inputs.map(one);
  return Object.fromEntries(Object.entries(run.inputs).map(([name, given]) => [name, one(given)]));
}

class PlannedBackend {
  /** How many tensors the kernel has asked for in this run. */
  next = 0;
  readonly asBackend: HeapBackend;
  readonly #kernel: string;
  readonly #made: { dataId: PlannedId; size: number; dtype: DataType }[];

  constructor(
    kernel: string,
    backend: HeapBackend,
    entries: Map<object, HeapEntry>,
    made: { dataId: PlannedId; size: number; dtype: DataType }[],
  ) {
    this.#kernel = kernel;
    this.#made = made;
    const write = (values: TypedArray | null, shape: number[], dtype: DataType): object => {
      const { dataId } = this.#take(shape, dtype);
      if (values) {
        const { memoryOffset } = entries.get(dataId)!;
        backend.wasm.HEAPU8.set(
          new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
          memoryOffset,
        );
      }
      return dataId;
    };
    this.asBackend = Object.assign(Object.create(backend) as HeapBackend, {
      dataIdMap: entries as unknown as HeapBackend['dataIdMap'],
      write,
      makeOutput: (shape: number[], dtype: DataType, _address?: number, values?: TypedArray) => ({
        dataId: write(values ?? null, shape, dtype),
        shape,
        dtype,
      }),
      disposeData: () => false,
      incRef: () => {},
    });
  }

  #take(shape: number[], dtype: DataType): { dataId: PlannedId } {
    const planned = this.#made[this.next++];
    if (planned?.size !== sizeOf(shape) || planned.dtype !== dtype) {
      throw new Error(`${this.#kernel} makes another tensor than when it was recorded`);
    }
    return planned;
  }
}
