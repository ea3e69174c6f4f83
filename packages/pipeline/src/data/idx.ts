// Reader for IDX, the format of MNIST and its kin (Yann LeCun, "THE MNIST DATABASE", section "FILE FORMATS"): two zero
// bytes, a type byte, the number of dimensions, one big-endian uint32 a dimension, then the values, big-endian, last
// dimension fastest. Plain or gzip, told apart by the bytes and not by the name.
import { RecipeFault } from '../fault.ts';
import { memorySource } from './byte-source.ts';
import { type DataArray, type Layout, load, type ReadLimits, type StoredArray } from './data-array.ts';
import { type ElementType, f32, f64, i8, i16, i32, u8 } from './element.ts';
import { type Format, locate, openArray, readArray } from './reader.ts';

export type IdxArray = DataArray;

const types: Record<number, ElementType> = { 8: u8, 9: i8, 11: i16, 12: i32, 13: f32, 14: f64 };

const maxDimensions = 8;

const broken = (path: string, what: string): RecipeFault =>
  new RecipeFault(
    `${path}: ${what}`,
    'give an IDX file (RETRAIN_DATA holds what debian/retrain/control declares)',
  );

function parseHeader(head: Buffer, path: string): Layout {
  if (head.length < 4) throw broken(path, `${head.length} bytes are too few for an IDX header`);
  const type = types[head[2]!];
  if (head[0] !== 0 || head[1] !== 0 || !type) {
    const magic = head.readUInt32BE(0).toString(16).padStart(8, '0');
    throw broken(path, `the first four bytes are 0x${magic}, which is no IDX magic number (bytes 0-3)`);
  }
  const dimensions = head[3]!;
  if (dimensions < 1 || dimensions > maxDimensions) {
    throw broken(path, `it says ${dimensions} dimensions; 1 to ${maxDimensions} are read (byte 3)`);
  }
  const offset = 4 + 4 * dimensions;
  if (head.length < offset) {
    throw broken(path, `it ends inside the header (${head.length} of ${offset} bytes)`);
  }
  const shape = Array.from({ length: dimensions }, (_, axis) => head.readUInt32BE(4 + 4 * axis));
  return { shape, type, bigEndian: true, offset };
}

const idx: Format = { parseHeader, broken };

/** Parses IDX bytes, already decompressed. Throws a RecipeFault that names `path` and the byte where it is wrong. */
export function parseIdx(bytes: Uint8Array, path: string): DataArray {
  const source = memorySource(path, bytes);
  return load(source, locate(idx, source), bytes.length);
}

/** Reads an IDX file, plain or gzip, into memory. `name` is below $RETRAIN_DATA, or absolute. */
export const readIdx = (name: string, limits: Partial<ReadLimits> = {}): Promise<DataArray> =>
  readArray(idx, name, limits);

/** Opens an IDX file to read records where they lie; a gzip file is decompressed into a scratch file first. */
export const openIdx = (name: string): Promise<StoredArray> => openArray(idx, name);
