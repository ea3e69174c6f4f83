// Distances between the weights of several files, tensor by tensor, from chunks that stream by: nothing is kept but sums in
// double precision, so that a model of any size is compared in bounded memory. Pure; packages/host reads the artifacts.
import type { WeightsRef } from './evidence.ts';

/** Squared L2 distances and norms of one tensor in each of the files. */
export interface TensorDistances {
  name: string;
  shape: number[];
  /** Σ (a - b)², one a pair of files, in the order (0,1), (0,2) … (1,2) …. */
  squared: number[];
  /** Σ a², one a file. */
  norms: number[];
}

export interface WeightDistances {
  /** Digests of the weights as artifacts, each once. */
  files: string[];
  tensors: TensorDistances[];
}

/** Or why the weights cannot be compared, in one sentence without a full stop. */
export type WeightComparison = WeightDistances | { why: string };

/** Where the pair of files i, j lies in `squared`, of n files. */
export const pairAt = (i: number, j: number, n: number): number => {
  const [low, high] = i < j ? [i, j] : [j, i];
  return low * n - (low * (low + 1)) / 2 + (high - low - 1);
};

/** A tensor of one file: where its values begin, in values. */
export interface TensorSpan {
  name: string;
  shape: number[];
  values: number;
  /** One a file, in the files' order. */
  starts: number[];
}

/**
 * Pairs the tensors of several files by name. Files of one architecture have the same names with the same shapes, in any order;
 * else the answer says which tensor differs.
 */
export const alignTensors = (refs: readonly WeightsRef[]): { spans: TensorSpan[] } | { why: string } => {
  const tables: Map<string, { shape: number[]; start: number }>[] = [];
  for (const { tensors } of refs) {
    const table = new Map<string, { shape: number[]; start: number }>();
    let start = 0;
    for (const { name, shape } of tensors) {
      if (table.has(name)) return { why: `two tensors are named “${name}”` };
      table.set(name, { shape, start });
      start += valuesOf(shape);
    }
    tables.push(table);
  }
  const [first, ...others] = tables;
  if (!first || first.size === 0) return { why: 'there are no float tensors' };
  for (const [name, { shape }] of first) {
    for (const other of others) {
      const found = other.get(name);
      if (!found) return { why: `a retrain has no tensor “${name}”` };
      if (found.shape.join() !== shape.join()) {
        return { why: `tensor “${name}” is ${shapeText(shape)}, in a retrain ${shapeText(found.shape)}` };
      }
    }
  }
  const stray = others.flatMap((other) => [...other.keys()]).find((name) => !first.has(name));
  if (stray !== undefined) return { why: `the shipped file has no tensor “${stray}”` };
  return {
    spans: [...first].map(([name, { shape }]) => ({
      name,
      shape,
      values: valuesOf(shape),
      starts: tables.map((table) => table.get(name)!.start),
    })),
  };
};

export const valuesOf = (shape: readonly number[]): number =>
  shape.reduce((values, size) => values * size, 1);
const shapeText = (shape: readonly number[]): string => (shape.length === 0 ? 'a scalar' : shape.join(' × '));

/** Sums over one tensor; feed it the same stretch of every file at a time. */
export class TensorSums {
  readonly #files: number;
  readonly #squared: Float64Array;
  readonly #norms: Float64Array;

  constructor(files: number) {
    this.#files = files;
    this.#squared = new Float64Array((files * (files - 1)) / 2);
    this.#norms = new Float64Array(files);
  }

  /** Equally many values of each file. */
  add(chunks: readonly Float32Array[]): void {
    let pair = 0;
    for (let i = 0; i < this.#files; i++) {
      const a = chunks[i]!;
      let norm = 0;
      for (let at = 0; at < a.length; at++) norm += a[at]! * a[at]!;
      this.#norms[i]! += norm;
      for (let j = i + 1; j < this.#files; j++) {
        const b = chunks[j]!;
        let sum = 0;
        for (let at = 0; at < a.length; at++) {
          const gap = a[at]! - b[at]!;
          sum += gap * gap;
        }
        this.#squared[pair++]! += sum;
      }
    }
  }

  result({ name, shape }: Pick<TensorSpan, 'name' | 'shape'>): TensorDistances {
    return { name, shape, squared: [...this.#squared], norms: [...this.#norms] };
  }
}
