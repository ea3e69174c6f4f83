// Two model files tensor by tensor, streamed: memory does not grow with the files.
import { setImmediate } from 'node:timers/promises';
import { type Dtype, dtypeBits } from '../formats/dtype.ts';
import type { ModelFile, TensorInfo } from '../formats/model-file.ts';
import { adderOf, blockElements, type Figures, Sums } from './figures.ts';
import { ulpBuckets } from './ulps.ts';

export interface TensorComparison {
  name: string;
  dtypes: [a: Dtype, b: Dtype];
  shapes: [a: readonly number[], b: readonly number[]];
  /** Same type, shape and bytes. */
  identical: boolean;
  /** Null where shapes differ, or where the type is compared as bytes only. */
  figures: Figures | null;
}

export interface ModelComparison {
  files: { path: string; format: string; tensors: number; bytes: number }[];
  /** Every tensor identical, none in one file only, and the graph the same where both files have one. */
  identical: boolean;
  /** Whether both graphs compute the same but for tensors; null where a file has none. */
  sameGraph: boolean | null;
  tensors: TensorComparison[];
  onlyA: TensorInfo[];
  onlyB: TensorInfo[];
  /** Over all tensors with figures. */
  total: Figures;
}

export interface Watch {
  signal?: AbortSignal;
  /** Bytes of both files read since the last call. */
  onBytes?(bytes: number): void;
}

/** Bytes of both files between two looks at the signal. */
const turnBytes = 2 ** 25;

const sameShape = (a: TensorInfo, b: TensorInfo): boolean =>
  a.shape.length === b.shape.length && a.shape.every((length, axis) => length === b.shape[axis]);

class Comparer {
  readonly #watch: Watch;
  readonly #a = Buffer.from(new ArrayBuffer(blockElements * 8));
  readonly #b = Buffer.from(new ArrayBuffer(blockElements * 8));
  #sinceTurn = 0;

  constructor(watch: Watch) {
    this.#watch = watch;
  }

  async #turn(bytes: number): Promise<void> {
    this.#watch.onBytes?.(bytes);
    this.#sinceTurn += bytes;
    if (this.#sinceTurn < turnBytes) return;
    this.#sinceTurn = 0;
    await setImmediate();
    this.#watch.signal?.throwIfAborted();
  }

  /** Calls `each` with as many bytes of both as go together, elements never cut. */
  async #blocks(
    [fileA, indexA]: [ModelFile, number],
    [fileB, indexB]: [ModelFile, number],
    widths: [number, number],
    each: (a: Buffer, b: Buffer, elements: number) => void,
  ): Promise<void> {
    const [widthA, widthB] = widths;
    const elements = fileA.tensors[indexA]!.bytes / widthA;
    for (let at = 0; at < elements; at += blockElements) {
      const count = Math.min(blockElements, elements - at);
      const a = this.#a.subarray(0, count * widthA);
      const b = this.#b.subarray(0, count * widthB);
      fileA.read(indexA, at * widthA, a);
      fileB.read(indexB, at * widthB, b);
      each(a, b, count);
      await this.#turn(a.length + b.length);
    }
  }

  async compare(
    placeA: [ModelFile, number],
    placeB: [ModelFile, number],
    total: Sums,
  ): Promise<TensorComparison> {
    const a = placeA[0].tensors[placeA[1]]!;
    const b = placeB[0].tensors[placeB[1]]!;
    const base = {
      name: a.name,
      dtypes: [a.dtype, b.dtype] as [Dtype, Dtype],
      shapes: [a.shape, b.shape] as const,
    };
    const shapes: TensorComparison['shapes'] = [...base.shapes];
    if (!sameShape(a, b)) {
      await this.#turn(a.bytes + b.bytes);
      return { ...base, shapes, identical: false, figures: null };
    }
    const sameType = a.dtype === b.dtype;
    const add = adderOf(a.dtype, b.dtype);
    let identical = sameType && a.bytes === b.bytes;
    if (!add) {
      if (identical) {
        await this.#blocks(placeA, placeB, [1, 1], (left, right) => {
          identical &&= left.equals(right);
        });
      }
      return { ...base, shapes, identical, figures: null };
    }
    const sums = new Sums(sameType ? (ulpBuckets[a.dtype] ?? null) : null);
    const widths: [number, number] = [dtypeBits[a.dtype] / 8, dtypeBits[b.dtype] / 8];
    await this.#blocks(placeA, placeB, widths, (left, right, count) => {
      identical &&= left.equals(right);
      add(left, right, count, sums);
    });
    total.add(sums);
    return { ...base, shapes, identical, figures: sums.figures() };
  }
}

const sizeOf = ({ path, format, tensors }: ModelFile) => ({
  path,
  format,
  tensors: tensors.length,
  bytes: tensors.reduce((sum, { bytes }) => sum + bytes, 0),
});

/** Bytes that comparing will go through, for a bar. */
export const bytesToCompare = (a: ModelFile, b: ModelFile): number => {
  const known = new Map(b.tensors.map((tensor) => [tensor.name, tensor.bytes]));
  return a.tensors.reduce(
    (sum, { name, bytes }) => sum + (known.has(name) ? bytes + known.get(name)! : 0),
    0,
  );
};

/** Compares by name. Throws ModelFault where a file turns out shorter than it said, and the signal's reason. */
export const compareModels = async (
  a: ModelFile,
  b: ModelFile,
  watch: Watch = {},
): Promise<ModelComparison> => {
  const comparer = new Comparer(watch);
  const placeInB = new Map(b.tensors.map(({ name }, index) => [name, index]));
  const inA = new Set(a.tensors.map(({ name }) => name));
  const total = new Sums(0);
  const tensors: TensorComparison[] = [];
  const onlyA: TensorInfo[] = [];
  for (const [index, tensor] of a.tensors.entries()) {
    const place = placeInB.get(tensor.name);
    if (place === undefined) onlyA.push(tensor);
    else tensors.push(await comparer.compare([a, index], [b, place], total));
  }
  const onlyB = b.tensors.filter(({ name }) => !inA.has(name));
  const sameGraph =
    a.structureSha256 === null || b.structureSha256 === null ? null : a.structureSha256 === b.structureSha256;
  return {
    files: [sizeOf(a), sizeOf(b)],
    identical:
      sameGraph !== false && onlyA.length + onlyB.length === 0 && tensors.every(({ identical }) => identical),
    sameGraph,
    tensors,
    onlyA,
    onlyB,
    total: total.figures(),
  };
};
