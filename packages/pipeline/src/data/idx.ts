// Reader for IDX, the format of MNIST and its kin (Yann LeCun, "THE MNIST DATABASE", section "FILE FORMATS"): two zero
// bytes, a type byte, the number of dimensions, one big-endian uint32 a dimension, then the values, big-endian, last
// dimension fastest. Plain or gzip, told apart by the bytes and not by the name.
import { readFile, stat } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { RecipeFault } from '../fault.ts';
import { below, run } from '../run.ts';

export type IdxValues = Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array;

export interface IdxArray {
  /** For messages. */
  path: string;
  /** Length of each dimension; the first counts the records. */
  shape: number[];
  /** Row-major, in the file's own type. */
  values: IdxValues;
}

export interface IdxLimits {
  /** Bytes after decompression; 2 GiB - 1 unless said otherwise (a Node buffer's safe size). */
  maxBytes: number;
}

const types: Record<number, { bytes: number; decode: (view: DataView, count: number) => IdxValues }> = {
  8: { bytes: 1, decode: (view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength) },
  9: { bytes: 1, decode: (view) => new Int8Array(view.buffer, view.byteOffset, view.byteLength) },
  11: {
    bytes: 2,
    decode: (view, count) => Int16Array.from({ length: count }, (_, i) => view.getInt16(2 * i)),
  },
  12: {
    bytes: 4,
    decode: (view, count) => Int32Array.from({ length: count }, (_, i) => view.getInt32(4 * i)),
  },
  13: {
    bytes: 4,
    decode: (view, count) => Float32Array.from({ length: count }, (_, i) => view.getFloat32(4 * i)),
  },
  14: {
    bytes: 8,
    decode: (view, count) => Float64Array.from({ length: count }, (_, i) => view.getFloat64(8 * i)),
  },
};

const maxDimensions = 8;

/** Parses IDX bytes, already decompressed. Throws a RecipeFault that names `path` and the byte where it is wrong. */
export function parseIdx(bytes: Uint8Array, path: string): IdxArray {
  const broken = (what: string): RecipeFault =>
    new RecipeFault(
      `${path}: ${what}`,
      'give an IDX file (RETRAIN_DATA holds what debian/retrain/control declares)',
    );
  if (bytes.length < 4) throw broken(`${bytes.length} bytes are too few for an IDX header`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const type = types[bytes[2]!];
  if (bytes[0] !== 0 || bytes[1] !== 0 || !type) {
    const magic = view.getUint32(0).toString(16).padStart(8, '0');
    throw broken(`the first four bytes are 0x${magic}, which is no IDX magic number (bytes 0-3)`);
  }
  const dimensions = bytes[3]!;
  if (dimensions < 1 || dimensions > maxDimensions) {
    throw broken(`it says ${dimensions} dimensions; 1 to ${maxDimensions} are read (byte 3)`);
  }
  const header = 4 + 4 * dimensions;
  if (bytes.length < header) throw broken(`it ends inside the header (${bytes.length} of ${header} bytes)`);
  const shape = Array.from({ length: dimensions }, (_, axis) => view.getUint32(4 + 4 * axis));
  const count = shape.reduce((product, length) => product * length, 1);
  const expected = header + count * type.bytes;
  if (bytes.length !== expected) {
    const how = bytes.length < expected ? 'truncated' : 'too long';
    throw broken(`${how}: shape ${shape.join('x')} needs ${expected} bytes, there are ${bytes.length}`);
  }
  return {
    path,
    shape,
    values: type.decode(new DataView(bytes.buffer, bytes.byteOffset + header, bytes.length - header), count),
  };
}

/** Reads an IDX file, plain or gzip. `name` is below $RETRAIN_DATA, or absolute. */
export async function readIdx(name: string, limits: Partial<IdxLimits> = {}): Promise<IdxArray> {
  const path = isAbsolute(name) ? name : below(run.data, name);
  const maxBytes = limits.maxBytes ?? 2 ** 31 - 1;
  const tooLarge = (): RecipeFault =>
    new RecipeFault(`${path}: more than ${maxBytes} bytes`, 'raise maxBytes, or split the file');
  let bytes: Buffer;
  try {
    if ((await stat(path)).size > maxBytes) throw tooLarge();
    bytes = await readFile(path);
  } catch (error) {
    if (error instanceof RecipeFault) throw error;
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new RecipeFault(`${path}: cannot be read (${reason})`, 'declare the file under its Dataset', {
      cause: error,
    });
  }
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    try {
      bytes = gunzipSync(bytes, { maxOutputLength: maxBytes });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge();
      const reason = (error as Error).message;
      throw new RecipeFault(`${path}: broken gzip (${reason})`, 'fetch the file again', { cause: error });
    }
  }
  return parseIdx(bytes, path);
}
