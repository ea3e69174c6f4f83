// What the readers of one array a file have in common: where the bytes come from, and that all the header says is there.
import type { RecipeFault } from '../fault.ts';
import { type ByteSource, dataPath } from './byte-source.ts';
import {
  type DataArray,
  defaultMaxBytes,
  type Layout,
  load,
  type ReadLimits,
  type StoredArray,
  sizeOf,
  store,
} from './data-array.ts';
import { openPlainOrGzip } from './gzip.ts';
import { type HeaderParser, headBytes } from './unpack.ts';

export interface Format {
  parseHeader: HeaderParser;
  /** The fault of a file that is not as the format says; `what` is wrong. */
  broken(path: string, what: string): RecipeFault;
}

/** Where the array lies in `source`: all of it is there, and ends where the file does. */
export function locate({ parseHeader, broken }: Format, source: ByteSource): Layout {
  const { path, size } = source;
  const layout = parseHeader(source.read(0, Math.min(size, headBytes)), path);
  const { shape, type, offset } = layout;
  const expected = offset + sizeOf(shape) * type.bytes;
  if (size === expected) return layout;
  const how = size < expected ? 'truncated' : 'too long';
  throw broken(path, `${how}: shape ${shape.join('x')} needs ${expected} bytes, there are ${size}`);
}

/** Reads the array of a file, plain or gzip, into memory. `name` is below $RETRAIN_DATA, or absolute. */
export async function readArray(
  format: Format,
  name: string,
  { maxBytes = defaultMaxBytes }: Partial<ReadLimits>,
): Promise<DataArray> {
  const source = await openPlainOrGzip(dataPath(name), format.parseHeader, maxBytes);
  try {
    return load(source, locate(format, source), maxBytes);
  } finally {
    source.close();
  }
}

/** Opens the array of a file, whose records are then read where they lie; what is packed goes into a scratch file first. */
export async function openArray(format: Format, name: string): Promise<StoredArray> {
  const source = await openPlainOrGzip(dataPath(name), format.parseHeader, null);
  try {
    return store(source, locate(format, source));
  } catch (error) {
    source.close();
    throw error;
  }
}
