// What the readers of one array a file have in common: where the bytes come from, and that all the header says is there.
import { type ByteSource, dataPath } from './byte-source.ts';
import {
  type DataArray,
  defaultMaxBytes,
  type Layout,
  load,
  type ReadLimits,
  type StoredArray,
  store,
} from './data-array.ts';
import { openPlainOrGzip } from './gzip.ts';
import { type HeaderParser, headBytes } from './unpack.ts';

export interface Format {
  parseHeader: HeaderParser;
  /** Throws a RecipeFault unless the array ends where the file does. */
  checkSize(layout: Layout, size: number, path: string): void;
}

/** Where the array lies in `source`, all of it there. */
export function locate({ parseHeader, checkSize }: Format, source: ByteSource): Layout {
  const layout = parseHeader(source.read(0, Math.min(source.size, headBytes)), source.path);
  checkSize(layout, source.size, source.path);
  return layout;
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
