// Reader for npy (NEP 1, "A Simple File Format for NumPy Arrays"; versions 1, 2 and 3): the magic bytes, the version, the
// length of the header, the header as a Python dict of `descr`, `fortran_order` and `shape`, then the values. Nothing
// in it is evaluated: the header is read by a grammar of its own, and pickled objects are refused.
import { RecipeFault } from '../fault.ts';
import { memorySource } from './byte-source.ts';
import { type DataArray, type Layout, load, type ReadLimits, type StoredArray } from './data-array.ts';
import { bool, type ElementType, f16, f32, f64, i8, i16, i32, i64, u8, u16, u32, u64 } from './element.ts';
import { type Format, locate, openArray, readArray } from './reader.ts';

const types: Record<string, ElementType> = {
  b1: bool,
  f2: f16,
  f4: f32,
  f8: f64,
  i1: i8,
  i2: i16,
  i4: i32,
  i8: i64,
  u1: u8,
  u2: u16,
  u4: u32,
  u8: u64,
};

/** numpy's own arrays end at 64 dimensions; headers of arrays of numbers are 118 bytes long. */
const maxDimensions = 64;
const maxHeader = 65_536;

const broken = (path: string, what: string, cure = 'write the file with numpy.save'): RecipeFault =>
  new RecipeFault(`${path}: ${what}`, cure);

/** One `'key': value,` of the header. */
const entry =
  /\s*'(descr|fortran_order|shape)'\s*:\s*('[^'\\]*'|\[[^\n]*?\]|True|False|\(\s*(?:\d+L?\s*,\s*)*(?:\d+L?\s*)?\))\s*(?:,|(?=\}))/y;

/** The dict of the header, as the texts of its values. Null where it is none. */
function dict(text: string): Map<string, string> | null {
  const found = new Map<string, string>();
  if (!text.startsWith('{')) return null;
  entry.lastIndex = 1;
  let end = 1;
  for (let match = entry.exec(text); match; match = entry.exec(text)) {
    if (found.has(match[1]!)) return null;
    found.set(match[1]!, match[2]!);
    end = entry.lastIndex;
  }
  return found.size === 3 && /^\s*\}\s*$/.test(text.slice(end)) ? found : null;
}

function elementType(descr: string, path: string): { type: ElementType; bigEndian: boolean } {
  const [, order, code] = descr.match(/^'([<>|])([A-Za-z]\d*)'$/) ?? [];
  if (code === 'O' || code?.startsWith('O')) {
    throw broken(path, 'holds Python objects, which are never unpickled', 'save an array of numbers');
  }
  const type = Object.hasOwn(types, code ?? '') ? types[code!] : undefined;
  if (!type || (order === '|' && type.bytes > 1)) {
    const known = Object.keys(types).join(', ');
    throw broken(path, `its values are ${descr.slice(0, 80)}; ${known} are read`, 'save an array of numbers');
  }
  return { type, bigEndian: order === '>' };
}

function parseHeader(head: Buffer, path: string): Layout {
  if (head.length < 10) throw broken(path, `${head.length} bytes are too few for an npy header`);
  if (head.toString('latin1', 0, 6) !== '\x93NUMPY') {
    throw broken(path, `the first bytes are 0x${head.toString('hex', 0, 6)}, not those of npy (bytes 0-5)`);
  }
  const version = head[6]!;
  if (version < 1 || version > 3) throw broken(path, `npy version ${version}; 1 to 3 are read (byte 6)`);
  const start = version === 1 ? 10 : 12;
  if (head.length < start) throw broken(path, `it ends inside the header (${head.length} bytes)`);
  const length = version === 1 ? head.readUInt16LE(8) : head.readUInt32LE(8);
  const offset = start + length;
  if (length > maxHeader)
    throw broken(path, `a header of ${length} bytes; at most ${maxHeader} are read (byte 8)`);
  if (head.length < offset)
    throw broken(path, `it ends inside the header (${head.length} of ${offset} bytes)`);
  const header = dict(head.toString(version === 3 ? 'utf8' : 'latin1', start, offset));
  const [descr, order, tuple] = ['descr', 'fortran_order', 'shape'].map((key) => header?.get(key));
  if (descr === undefined || !order || !/^(True|False)$/.test(order) || !tuple?.startsWith('(')) {
    throw broken(
      path,
      `its header (bytes ${start}-${offset - 1}) is no dict of descr, fortran_order and shape`,
    );
  }
  const { type, bigEndian } = elementType(descr, path);
  const shape = (tuple.match(/\d+/g) ?? []).map(Number);
  if (shape.length < 1 || shape.length > maxDimensions || !shape.every(Number.isSafeInteger)) {
    throw broken(path, `its shape is ${tuple.slice(0, 80)}; 1 to ${maxDimensions} dimensions are read`);
  }
  return { shape, type, bigEndian, columnMajor: order === 'True', offset };
}

export const npy: Format = { parseHeader, broken };

/** Parses npy bytes. Throws a RecipeFault that names `path` and the byte where it is wrong. */
export function parseNpy(bytes: Uint8Array, path: string): DataArray {
  const source = memorySource(path, bytes);
  return load(source, locate(npy, source), bytes.length);
}

/** Reads an npy file, plain or gzip, into memory. `name` is below $RETRAIN_DATA, or absolute. */
export const readNpy = (name: string, limits: Partial<ReadLimits> = {}): Promise<DataArray> =>
  readArray(npy, name, limits);

/** Opens an npy file to read records where they lie; what is gzipped or in Fortran order goes into a scratch file first. */
export const openNpy = (name: string): Promise<StoredArray> => openArray(npy, name);
