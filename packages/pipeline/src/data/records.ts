// Training data as `fit` takes it: one row a record, kept in the file's own type and scaled when a batch is made.
import { RecipeFault } from '../fault.ts';
import type { IdxArray, IdxValues } from './idx.ts';

export interface Inputs {
  rows: number;
  /** Values a record: every dimension but the first, multiplied. */
  columns: number;
  /** Row-major, rows × columns. */
  values: IdxValues;
  /** Each value is multiplied by this, in double precision, and rounded to float32. */
  scale: number;
}

export interface Labels {
  rows: number;
  /** Number of classes; each value is 0 … classes - 1. */
  classes: number;
  values: IdxValues;
}

/** Records as inputs of a dense net: [N, …] becomes [N, columns]. */
export function inputs(array: IdxArray, options: { scale?: number } = {}): Inputs {
  const [rows = 0, ...record] = array.shape;
  if (rows === 0) throw new RecipeFault(`${array.path}: holds no record`, 'give a file with records');
  const columns = record.reduce((product, length) => product * length, 1);
  return { rows, columns, values: array.values, scale: options.scale ?? 1 };
}

/** Class numbers. Throws a RecipeFault that names the first record whose label is not a whole number in 0 … classes - 1. */
export function labels(array: IdxArray, options: { classes: number }): Labels {
  const { path, shape, values } = array;
  if (shape.length !== 1) {
    throw new RecipeFault(
      `${path}: labels have one dimension, this has ${shape.length}`,
      'give the file of labels',
    );
  }
  const { classes } = options;
  const wrong = values.findIndex(
    (label: number) => !(Number.isInteger(label) && label >= 0 && label < classes),
  );
  if (wrong >= 0) {
    throw new RecipeFault(
      `${path}: the label of record ${wrong} is ${values[wrong]}, outside 0 … ${classes - 1}`,
      'say the right number of classes, or mend the file',
    );
  }
  return { rows: values.length, classes, values };
}

/** Copies the records named in `rows` into a new float32 array, rows.length × columns. */
export function gather(from: Inputs, rows: Int32Array): Float32Array {
  const { columns, values, scale } = from;
  const batch = new Float32Array(rows.length * columns);
  for (let i = 0, to = 0; i < rows.length; i++) {
    const start = rows[i]! * columns;
    for (let column = 0; column < columns; column++) batch[to++] = values[start + column]! * scale;
  }
  return batch;
}

/** One-hot rows of the labels named in `rows`, rows.length × classes. */
export function oneHot(from: Labels, rows: Int32Array): Float32Array {
  const batch = new Float32Array(rows.length * from.classes);
  for (let i = 0; i < rows.length; i++) batch[i * from.classes + from.values[rows[i]!]!] = 1;
  return batch;
}
