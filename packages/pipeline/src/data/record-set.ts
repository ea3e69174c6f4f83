// A set of records as `fit` takes it: it asks for rows by number, in the order of the epoch, and does not know whether
// they lie in memory or in a file larger than memory.
import { RecipeFault } from '../fault.ts';
import { type DataArray, maxRows, type StoredArray, sizeOf } from './data-array.ts';
import type { Values } from './element.ts';
import { StoredRows } from './stored-rows.ts';

export interface RecordSet {
  /** For messages. */
  readonly path: string;
  readonly rows: number;
  /** Shape of one record, [784] or [28, 28, 1]. */
  readonly shape: readonly number[];
  /** Values a record: the shape, multiplied. */
  readonly columns: number;
  /**
   * The records of these rows (0 … rows - 1, in any order, more than once) as a new array, rows.length × columns.
   * `next` names the rows that will be asked for after them: a set in a file may read ahead.
   */
  gather(rows: Int32Array, next?: Int32Array): Float32Array | Promise<Float32Array>;
}

/** Records in memory, in the file's own type, scaled when a batch is made. */
export interface MemorySet extends RecordSet {
  /** Row-major, rows × columns. */
  values: Values;
  /** Each value is multiplied by this, in double precision, and rounded to float32. */
  scale: number;
  gather(rows: Int32Array): Float32Array;
}

/** Records in a file. */
export interface StoredSet extends RecordSet {
  scale: number;
  /** Gives the file back, and the memory that reads ahead. */
  close(): void;
}

export interface RecordOptions {
  /** Each value is multiplied by this, in double precision, and rounded to float32; 1 unless said. */
  scale?: number;
  /** Shape of a record, e.g. [28, 28, 1] for a conv net; one row of all its values unless said. */
  shape?: readonly number[];
}

function recordShape(array: { path: string; shape: number[] }, options: RecordOptions): number[] {
  const { path, shape } = array;
  const [rows = 0, ...record] = shape;
  if (rows === 0) throw new RecipeFault(`${path}: holds no record`, 'give a file with records');
  if (rows > maxRows) {
    throw new RecipeFault(`${path}: holds ${rows} records`, `give files of at most ${maxRows} records`);
  }
  const columns = sizeOf(record);
  if (columns === 0) throw new RecipeFault(`${path}: a record holds no value`, 'give a file with records');
  const wanted = options.shape ?? [columns];
  if (sizeOf(wanted) === columns && wanted.every((length) => Number.isInteger(length) && length > 0)) {
    return [...wanted];
  }
  throw new RecipeFault(
    `${path}: a record has ${columns} values (shape ${record.join('x') || '1'}), not ${wanted.join('x')}`,
    'say a shape with as many values',
  );
}

const checkRows = (set: RecordSet, rows: Int32Array): void => {
  for (const row of rows) {
    if (row < 0 || row >= set.rows) {
      throw new RangeError(`${set.path}: row ${row} of 0 … ${set.rows - 1}`);
    }
  }
};

/** The records of an array in memory. */
export function memorySet(array: DataArray, options: RecordOptions = {}): MemorySet {
  const shape = recordShape(array, options);
  return {
    path: array.path,
    rows: array.shape[0]!,
    shape,
    columns: sizeOf(shape),
    values: array.values,
    scale: options.scale ?? 1,
    // By `this`, so that a copy of the set with other values gathers those: { ...set, values }.
    gather(rows) {
      checkRows(this, rows);
      const { columns, values, scale } = this;
      const batch = new Float32Array(rows.length * columns);
      for (let i = 0, to = 0; i < rows.length; i++) {
        const start = rows[i]! * columns;
        for (let column = 0; column < columns; column++) batch[to++] = values[start + column]! * scale;
      }
      return batch;
    },
  };
}

/** The records of an array in a file. */
export function storedSet(array: StoredArray, options: RecordOptions = {}): StoredSet {
  const shape = recordShape(array, options);
  const stored = new StoredRows(array);
  return {
    path: array.path,
    rows: array.shape[0]!,
    shape,
    columns: sizeOf(shape),
    scale: options.scale ?? 1,
    gather(rows) {
      checkRows(this, rows);
      return stored.read(rows, this.scale);
    },
    close: () => array.source.close(),
  };
}
