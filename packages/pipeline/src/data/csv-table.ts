// A table of numbers from a CSV file, whose columns become inputs, labels and targets by name.
import { RecipeFault } from '../fault.ts';
import { type ByteSource, dataPath } from './byte-source.ts';
import { type CsvOptions, readRecords } from './csv.ts';
import {
  type DataArray,
  defaultMaxBytes,
  type ReadLimits,
  type StoredArray,
  tooLarge,
} from './data-array.ts';
import { f64, hostIsBigEndian } from './element.ts';
import { type Scratch, scratchFile } from './scratch.ts';

export interface CsvTable<A extends DataArray | StoredArray> {
  path: string;
  rows: number;
  /** The columns that were read. */
  header: readonly string[];
  /** One column, [rows]. */
  column(name: string): A;
  /** Several columns in this order, [rows, names.length]. */
  columns(names: readonly string[]): A;
}

/** A table in a scratch file. */
export interface StoredTable extends CsvTable<StoredArray> {
  /** Drops the scratch file, and with it all sets of this table. */
  close(): void;
}

const places = (path: string, header: readonly string[], names: readonly string[]): number[] =>
  names.map((name) => {
    const at = header.indexOf(name);
    if (at >= 0) return at;
    throw new RecipeFault(
      `${path}: no column '${name}' was read`,
      `columns: ${header.slice(0, 20).join(', ')}`,
    );
  });

/** Reads a CSV file, plain or gzip, into memory, 8 bytes a value. `name` is below $RETRAIN_DATA, or absolute. */
export async function readCsv(
  name: string,
  options: CsvOptions & Partial<ReadLimits> = {},
): Promise<CsvTable<DataArray>> {
  const path = dataPath(name);
  const maxBytes = options.maxBytes ?? defaultMaxBytes;
  let header: string[] = [];
  let values = new Float64Array(1_024);
  let used = 0;
  await readRecords(
    path,
    options,
    (columns) => {
      header = columns.map((column) => column.name);
    },
    (record) => {
      if ((used + record.length) * 8 > maxBytes) throw tooLarge(path, maxBytes);
      if (used + record.length > values.length) {
        const larger = new Float64Array(2 * values.length + record.length);
        larger.set(values);
        values = larger;
      }
      values.set(record, used);
      used += record.length;
    },
  );
  const width = header.length;
  const rows = used / width;
  const pick = (names: readonly string[]): Float64Array => {
    const at = places(path, header, names);
    const picked = new Float64Array(rows * at.length);
    for (let row = 0, to = 0; row < rows; row++) {
      for (const column of at) picked[to++] = values[row * width + column]!;
    }
    return picked;
  };
  return {
    path,
    rows,
    header,
    column: (wanted) => ({ path: `${path} (${wanted})`, shape: [rows], values: pick([wanted]) }),
    columns: (names) => ({ path, shape: [rows, names.length], values: pick(names) }),
  };
}

/** Bytes of records that are written at once. */
const blockBytes = 2 ** 20;

/** Reads a CSV file once into a scratch file of doubles, whose records are then read by position. */
export async function openCsv(name: string, options: CsvOptions = {}): Promise<StoredTable> {
  const path = dataPath(name);
  const scratch: Scratch = scratchFile(path);
  let header: string[] = [];
  let block = new Float64Array(0);
  let used = 0;
  let rows = 0;
  const flush = (): void => {
    scratch.write(Buffer.from(block.buffer, 0, used * 8));
    used = 0;
  };
  let source: ByteSource;
  try {
    await readRecords(
      path,
      options,
      (columns) => {
        header = columns.map((column) => column.name);
        block = new Float64Array(Math.max(1, Math.floor(blockBytes / 8 / header.length)) * header.length);
      },
      (record) => {
        if (used === block.length) flush();
        block.set(record, used);
        used += record.length;
        rows += 1;
      },
    );
    flush();
    source = scratch.source();
  } catch (error) {
    scratch.close();
    throw error;
  }
  // The sets of a table share its file: it is closed with the table.
  const shared: ByteSource = { ...source, close() {} };
  const array = (label: string, shape: number[], names: readonly string[]): StoredArray => ({
    path: label,
    shape,
    type: f64,
    bigEndian: hostIsBigEndian,
    offset: 0,
    source: shared,
    picked: { columns: Int32Array.from(places(path, header, names)), width: header.length },
  });
  return {
    path,
    rows,
    header,
    column: (wanted) => array(`${path} (${wanted})`, [rows], [wanted]),
    columns: (names) => array(path, [rows, names.length], names),
    close: () => source.close(),
  };
}
