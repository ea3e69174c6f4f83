// Reader for safetensors (Hugging Face, "Format"): the length of the header as a little-endian uint64, the header as JSON,
// which names each tensor's type, shape and place, then the tensors, little-endian, row-major, without gaps.
import { RecipeFault } from '../fault.ts';
import { type ByteSource, dataPath, fileSource, windowOf } from './byte-source.ts';
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
import {
  bf16,
  bool,
  type ElementType,
  f16,
  f32,
  f64,
  i8,
  i16,
  i32,
  i64,
  u8,
  u16,
  u32,
  u64,
} from './element.ts';

const types: Record<string, ElementType> = {
  BOOL: bool,
  U8: u8,
  I8: i8,
  U16: u16,
  I16: i16,
  F16: f16,
  BF16: bf16,
  U32: u32,
  I32: i32,
  F32: f32,
  U64: u64,
  I64: i64,
  F64: f64,
};

/** The format's own limit is 100 MB; headers of the largest models have some 100 kB. */
const maxHeader = 2 ** 24;
const maxDimensions = 64;

interface Tensor {
  dtype: string;
  shape: number[];
  begin: number;
  end: number;
}

const broken = (path: string, what: string): RecipeFault =>
  new RecipeFault(`${path}: ${what}`, 'fetch the file again, or write it with the library safetensors');

const isLength = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function readTensor(path: string, name: string, entry: unknown): Tensor {
  const { dtype, shape, data_offsets: place } = (entry ?? {}) as Record<string, unknown>;
  const says = (what: string): RecipeFault =>
    broken(path, `the header says of '${name.slice(0, 80)}' ${what}`);
  if (typeof dtype !== 'string') throw says('no dtype');
  if (!Array.isArray(shape) || shape.length > maxDimensions || !shape.every(isLength)) {
    throw says(`no shape of at most ${maxDimensions} dimensions`);
  }
  if (!Array.isArray(place) || place.length !== 2 || !place.every(isLength) || place[0]! > place[1]!) {
    throw says('no data_offsets');
  }
  return { dtype, shape, begin: place[0]!, end: place[1]! };
}

/** The tensors by name and the position of the first. All of them lie in the file, one after the other. */
function readHeader(source: ByteSource): { tensors: Map<string, Tensor>; start: number } {
  const { path, size } = source;
  if (size < 8) throw broken(path, `${size} bytes are too few for a safetensors header`);
  const length = source.read(0, 8).readBigUInt64LE();
  if (length > BigInt(maxHeader)) {
    throw broken(path, `a header of ${length} bytes; at most ${maxHeader} are read (bytes 0-7)`);
  }
  const start = 8 + Number(length);
  if (start > size) throw broken(path, `it ends inside the header (${size} of ${start} bytes)`);
  let header: unknown;
  try {
    header = JSON.parse(source.read(8, start - 8).toString('utf8'));
  } catch (error) {
    throw broken(
      path,
      `its header (bytes 8-${start - 1}) is no JSON (${(error as Error).message.slice(0, 100)})`,
    );
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) {
    throw broken(path, `its header (bytes 8-${start - 1}) is no JSON object`);
  }
  const tensors = new Map<string, Tensor>();
  for (const [name, entry] of Object.entries(header)) {
    if (name !== '__metadata__') tensors.set(name, readTensor(path, name, entry));
  }
  let at = 0;
  for (const [name, { begin, end }] of [...tensors].sort(
    ([, a], [, b]) => a.begin - b.begin || a.end - b.end,
  )) {
    if (begin !== at) {
      const how = begin < at ? 'overlaps the one before' : 'leaves a gap';
      throw broken(path, `tensor '${name.slice(0, 80)}' ${how}: it begins at ${begin}, not at ${at}`);
    }
    at = end;
  }
  if (start + at !== size) {
    const how = start + at > size ? 'truncated' : 'too long';
    throw broken(path, `${how}: its tensors end at byte ${start + at}, the file at ${size}`);
  }
  return { tensors, start };
}

/** The tensor `name`, which may be left out where there is only one, as a source of its own. */
function openTensor(path: string, name: string | undefined): { source: ByteSource; layout: Layout } {
  const file = fileSource(path);
  try {
    const { tensors, start } = readHeader(file);
    const known = `${[...tensors.keys()].slice(0, 20).join(', ')}${tensors.size > 20 ? ', …' : ''}`;
    const wanted = name ?? (tensors.size === 1 ? [...tensors.keys()][0] : undefined);
    if (wanted === undefined) {
      throw new RecipeFault(`${path}: holds ${tensors.size} tensors`, `name one of ${known}`);
    }
    const tensor = tensors.get(wanted);
    if (!tensor) throw new RecipeFault(`${path}: holds no tensor '${wanted}'`, `name one of ${known}`);
    const { dtype, shape, begin, end } = tensor;
    const label = `${path}: ${wanted}`;
    const type = Object.hasOwn(types, dtype) ? types[dtype] : undefined;
    if (!type) {
      const cure = `convert it to one of ${Object.keys(types).join(', ')}`;
      throw new RecipeFault(`${label}: the type '${dtype.slice(0, 80)}' is not read`, cure);
    }
    if (shape.length === 0) throw new RecipeFault(`${label}: is a single number`, 'give a tensor of records');
    if (sizeOf(shape) * type.bytes !== end - begin) {
      throw broken(
        label,
        `shape ${shape.join('x')} needs ${sizeOf(shape) * type.bytes} bytes, it has ${end - begin}`,
      );
    }
    const source = windowOf(file, label, start + begin, end - begin);
    return { source, layout: { shape, type, bigEndian: false, offset: 0 } };
  } catch (error) {
    file.close();
    throw error;
  }
}

/** Reads a tensor of a safetensors file into memory; its name may be left out where there is only one. */
export async function readSafetensors(
  name: string,
  tensor?: string,
  { maxBytes = defaultMaxBytes }: Partial<ReadLimits> = {},
): Promise<DataArray> {
  const { source, layout } = openTensor(dataPath(name), tensor);
  try {
    return load(source, layout, maxBytes);
  } finally {
    source.close();
  }
}

/** Opens a tensor of a safetensors file to read records where they lie. */
export async function openSafetensors(name: string, tensor?: string): Promise<StoredArray> {
  const { source, layout } = openTensor(dataPath(name), tensor);
  return store(source, layout);
}
