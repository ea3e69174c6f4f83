// What readers give: the array of a data file, in memory (DataArray) or where it lies (StoredArray). Its first dimension
// counts the records.
import { RecipeFault } from '../fault.ts';
import type { ByteSource } from './byte-source.ts';
import { rewriteByRecord } from './column-major.ts';
import { decode, type ElementType, type Values } from './element.ts';
import { scratchFile } from './scratch.ts';

export interface DataArray {
  /** For messages. */
  path: string;
  /** Length of each dimension; the first counts the records. */
  shape: number[];
  /** Row-major, in the file's own type (64-bit integers as doubles, half floats as float32). */
  values: Values;
}

/** Where the values of an array lie in a file. */
export interface Layout {
  shape: number[];
  type: ElementType;
  bigEndian: boolean;
  /** The first dimension is the fastest, instead of the last. */
  columnMajor?: boolean;
  /** Position of the first value. */
  offset: number;
}

/** An array that stays in its file: records are read when they are asked for, so memory does not grow with it. */
export interface StoredArray extends Layout {
  path: string;
  source: ByteSource;
  /** Which of the values of a record it has, of `width` in the file; null: all of them, in order. */
  picked: { columns: Int32Array; width: number } | null;
}

export type AnyArray = DataArray | StoredArray;

export const isStored = (array: AnyArray): array is StoredArray => 'source' in array;

/** Row numbers are int32. */
export const maxRows = 2 ** 31 - 1;

/** Values that a shape has room for; beyond 2^53 it is no longer exact, but still too large for any file. */
export const sizeOf = (shape: readonly number[]): number =>
  shape.reduce((product, length) => product * length, 1);

/** The array as it lies in `source`, which it owns from now on. The caller has checked that it fits. */
export function store(source: ByteSource, layout: Layout): StoredArray {
  const { path } = source;
  if (!isColumnMajor(layout)) return { ...layout, path, source, picked: null };
  const scratch = scratchFile(path, byteLength(layout));
  try {
    rewriteByRecord(source, layout, scratch.write);
    const rewritten = scratch.source();
    source.close();
    return { ...layout, columnMajor: false, offset: 0, path, source: rewritten, picked: null };
  } catch (error) {
    scratch.close();
    throw error;
  }
}

/** The whole array in memory, at most `maxBytes` in the file. */
export function load(source: ByteSource, layout: Layout, maxBytes: number): DataArray {
  const { type, shape, offset, bigEndian } = layout;
  const length = byteLength(layout);
  if (length > maxBytes) throw tooLarge(source.path, maxBytes);
  let bytes: Buffer;
  if (isColumnMajor(layout)) {
    const own = Buffer.from(new ArrayBuffer(length));
    let at = 0;
    rewriteByRecord(source, layout, (records) => {
      own.set(records, at);
      at += records.length;
    });
    bytes = own;
  } else if (type.bytes === 1) {
    bytes = source.read(offset, length);
  } else {
    bytes = Buffer.from(new ArrayBuffer(length));
    source.fill(bytes, offset);
  }
  const values = decode(type, bytes, bigEndian, (index, what) => valueFault(source.path, index, what));
  return { path: source.path, shape, values };
}

const byteLength = ({ shape, type }: Layout): number => sizeOf(shape) * type.bytes;

/** Whether it matters: with one dimension, or nothing in it, both orders are one. */
const isColumnMajor = ({ columnMajor = false, shape }: Layout): boolean =>
  columnMajor && shape.length > 1 && sizeOf(shape) > 0;

export const valueFault = (path: string, index: number, what: string): RecipeFault =>
  new RecipeFault(`${path}: value ${index} ${what}`, 'mend the file, or give another type');

export const tooLarge = (path: string, maxBytes: number): RecipeFault =>
  new RecipeFault(
    `${path}: more than ${maxBytes} bytes`,
    'raise maxBytes, or stream it: the reader whose name begins with `open`',
  );

/** Bytes of memory that a reader may fill unless it is told otherwise. */
export const defaultMaxBytes = 2 ** 31 - 1;

export interface ReadLimits {
  /** Bytes after decompression; 2 GiB - 1 unless said otherwise. */
  maxBytes: number;
}
