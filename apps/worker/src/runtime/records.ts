// The declared data as records: files of the recipe's formats, opened where they lie, so that memory grows with what is asked for and
// not with the data set. The readers are the pipeline's own: what the recipe trained on is read alike here.
import { openCsv } from '@retraind/pipeline/data/csv-table';
import { openIdx } from '@retraind/pipeline/data/idx';
import { openNpy } from '@retraind/pipeline/data/npy';
import { type StoredSet, storedSet } from '@retraind/pipeline/data/record-set';
import { RecipeFault } from '@retraind/pipeline/fault';
import type { DataFile } from '@retraind/shared/recipe/recipe';
import { ModelFault } from './formats/model-fault.ts';

/** Records as a model is asked. */
export interface Records {
  rows: number;
  /** Of one record. */
  shape: readonly number[];
  /** The records from `first` on: float32, row-major, count × product(shape). */
  read(first: number, count: number): Float32Array | Promise<Float32Array>;
}

export interface HeldRecords extends Records {
  /** All of them. */
  values: Float32Array;
}

/** 1 GiB of float32: the held-out set is kept in memory, because probes are made of it. */
const maxHeldValues = 2 ** 28;
/** Rows that are read at once when a set is taken into memory: 4 MiB of float32. */
const chunkValues = 2 ** 20;

export const heldRecords = (shape: readonly number[], values: Float32Array): HeldRecords => {
  const length = shape.reduce((size, dim) => size * dim, 1);
  return {
    rows: values.length / length,
    shape,
    values,
    read: (first, count) => values.subarray(first * length, (first + count) * length),
  };
};

const openArray = async ({ path, format }: DataFile) => {
  switch (format) {
    case 'idx':
      return await openIdx(path);
    case 'npy':
      return await openNpy(path);
    case 'csv': {
      const table = await openCsv(path);
      const array = table.columns(table.header);
      // Sets of a table leave its file open; this is the only one.
      return { ...array, source: { ...array.source, close: () => table.close() } };
    }
  }
};

/** Faults of data are told as faults of what is judged: the texts name the file. */
const asModelFault = (error: unknown): unknown =>
  error instanceof RecipeFault ? new ModelFault(error.message, error.cure) : error;

/** Opens a data file, scaled and shaped as the recipe says. Throws ModelFault. The caller closes it. */
export const openRecords = async (file: DataFile): Promise<StoredSet> => {
  try {
    const array = await openArray(file);
    try {
      return storedSet(array, { scale: file.scale, shape: file.recordShape ?? array.shape.slice(1) });
    } catch (error) {
      array.source.close();
      throw error;
    }
  } catch (error) {
    throw asModelFault(error);
  }
};

/** The values of these rows: float32, rows.length × columns. Throws ModelFault. */
export const gatherRows = async (set: StoredSet, rows: Int32Array): Promise<Float32Array> => {
  try {
    return await set.gather(rows);
  } catch (error) {
    throw asModelFault(error);
  }
};

const rowsFrom = (first: number, count: number): Int32Array =>
  Int32Array.from({ length: count }, (_, i) => first + i);

/** All records of an open set, in memory. Throws ModelFault where they are too many. */
export const holdRecords = async (set: StoredSet): Promise<HeldRecords> => {
  const { path, rows, columns, shape } = set;
  if (rows * columns > maxHeldValues) {
    throw new ModelFault(
      `${path} has ${rows} records of ${columns} values; held-out sets of at most ${maxHeldValues} values are evaluated`,
      'declare fewer held-out records',
    );
  }
  const values = new Float32Array(rows * columns);
  const chunk = Math.max(1, Math.floor(chunkValues / columns));
  for (let first = 0; first < rows; first += chunk) {
    const count = Math.min(chunk, rows - first);
    values.set(await gatherRows(set, rowsFrom(first, count)), first * columns);
  }
  return heldRecords(shape, values);
};

/** Some records of an open set, read when they are asked for. */
export const chosenRecords = (set: StoredSet, rows: Int32Array): Records => ({
  rows: rows.length,
  shape: set.shape,
  read: (first, count) => gatherRows(set, rows.subarray(first, first + count)),
});
