// Training data from the arrays of files: inputs, class numbers, targets. In memory or in a file, `fit` takes either.
import { RecipeFault } from '../fault.ts';
import {
  type AnyArray,
  type DataArray,
  isStored,
  type StoredArray,
  sizeOf,
  valueFault,
} from './data-array.ts';
import { decode, type Values } from './element.ts';
import {
  type MemorySet,
  memorySet,
  type RecordOptions,
  type RecordSet,
  type StoredSet,
  storedSet,
} from './record-set.ts';

export type Inputs = MemorySet;

/** Class numbers; always in memory, in the smallest type that holds them where they came from an open file. */
export interface Labels {
  rows: number;
  /** Number of classes; each value is 0 … classes - 1. */
  classes: number;
  values: Values;
}

/** Records as inputs of a net: [N, …] becomes N records of the given shape, of one row each unless said. */
export function inputs(array: DataArray, options?: RecordOptions): MemorySet;
export function inputs(array: StoredArray, options?: RecordOptions): StoredSet;
export function inputs(array: AnyArray, options?: RecordOptions): MemorySet | StoredSet {
  return isStored(array) ? storedSet(array, options) : memorySet(array, options);
}

/** Numbers that a net is to give, for regression: [N] or [N, …] becomes N records. */
export const targets: typeof inputs = inputs;

/** Class numbers. Throws a RecipeFault that names the first record whose label is not a whole number in 0 … classes - 1. */
export function labels(array: AnyArray, options: { classes: number }): Labels {
  const { path, shape } = array;
  const { classes } = options;
  if (sizeOf(shape) !== shape[0]) {
    throw new RecipeFault(
      `${path}: labels have one dimension, this has ${shape.length}`,
      'give the file of labels',
    );
  }
  if (!isStored(array)) {
    checkLabels(path, array.values, 0, classes);
    return { rows: array.values.length, classes, values: array.values };
  }
  const values = storedLabels(array, classes);
  return { rows: values.length, classes, values };
}

function checkLabels(path: string, values: Values, first: number, classes: number): void {
  const wrong = values.findIndex(
    (label: number) => !(Number.isInteger(label) && label >= 0 && label < classes),
  );
  if (wrong < 0) return;
  throw new RecipeFault(
    `${path}: the label of record ${first + wrong} is ${values[wrong]}, outside 0 … ${classes - 1}`,
    'say the right number of classes, or mend the file',
  );
}

/** Bytes that are read at once. */
const pageBytes = 2 ** 20;

function storedLabels(array: StoredArray, classes: number): Uint8Array | Uint16Array | Int32Array {
  const { path, shape, source, offset, type, bigEndian, picked } = array;
  const rows = shape[0]!;
  const kept =
    classes <= 256 ? new Uint8Array(rows) : classes <= 65_536 ? new Uint16Array(rows) : new Int32Array(rows);
  const width = picked?.width ?? 1;
  const page = Math.max(1, Math.floor(pageBytes / (width * type.bytes)));
  for (let first = 0; first < rows; first += page) {
    const count = Math.min(page, rows - first);
    const bytes = source.read(offset + first * width * type.bytes, count * width * type.bytes);
    const all = decode(type, bytes, bigEndian, (index, what) =>
      valueFault(path, first * width + index, what),
    );
    const values = picked ? all.filter((_: number, i: number) => i % width === picked.columns[0]) : all;
    checkLabels(path, values, first, classes);
    kept.set(values, first);
  }
  return kept;
}

/** The records named in `rows`, rows.length × columns; of a set in a file, a promise of them. */
export function gather(from: MemorySet, rows: Int32Array): Float32Array;
export function gather(from: RecordSet, rows: Int32Array): Float32Array | Promise<Float32Array>;
export function gather(from: RecordSet, rows: Int32Array): Float32Array | Promise<Float32Array> {
  return from.gather(rows);
}

/** One-hot rows of the labels named in `rows`, rows.length × classes. */
export function oneHot(from: Labels, rows: Int32Array): Float32Array {
  const batch = new Float32Array(rows.length * from.classes);
  for (let i = 0; i < rows.length; i++) batch[i * from.classes + from.values[rows[i]!]!] = 1;
  return batch;
}
