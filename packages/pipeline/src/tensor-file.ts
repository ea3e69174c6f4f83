// Named tensors and a JSON text in one file, in the format safetensors: the length of the header (8 bytes, little-endian), the
// header (JSON), the values. Source: github.com/huggingface/safetensors, README, "Format". For checkpoints and saved models; data
// sets in this format are read by data/safetensors.ts.
import { createHash } from 'node:crypto';
import { RecipeFault } from './fault.ts';

export interface NamedTensor {
  name: string;
  dtype: 'float32' | 'int32';
  shape: number[];
  values: Float32Array | Int32Array;
}

const types = { float32: 'F32', int32: 'I32' } as const;
/** The reference implementation refuses longer headers. */
const maxHeader = 100_000_000;
const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

const digestOf = (parts: readonly Uint8Array[]): string => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
};

/** The parts of the file, one after the other. `json` comes back as it is given. */
export function encodeTensors(tensors: readonly NamedTensor[], json: unknown): Uint8Array[] {
  let at = 0;
  const bodies = tensors.map(({ values }) => bytesOf(values));
  const entries = tensors.map(({ name, dtype, shape }, i): [string, Entry] => {
    const start = at;
    at += bodies[i]!.length;
    return [name, { dtype: types[dtype], shape, data_offsets: [start, at] }];
  });
  const metadata = { json: JSON.stringify(json), sha256: digestOf(bodies) };
  const header = Buffer.from(JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(entries) }));
  // Values begin at a multiple of 8, as the reference implementation has it: spaces fill the header up.
  const padded = Buffer.alloc(Math.ceil(header.length / 8) * 8, ' ');
  header.copy(padded);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  return [length, padded, ...bodies];
}

function bytesOf(values: Float32Array | Int32Array): Uint8Array {
  const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  return littleEndian ? bytes : Buffer.from(bytes).swap32();
}

/** Reads what `encodeTensors` wrote. Throws a RecipeFault that names `path` where it is not whole. */
export function decodeTensors(bytes: Uint8Array, path: string): { tensors: NamedTensor[]; json: unknown } {
  const broken = (what: string): RecipeFault =>
    new RecipeFault(`${path}: ${what}`, 'take it away, or write it again: it is not what was written');
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.length < 8) throw broken(`${buffer.length} bytes are too few for a header`);
  const length = buffer.readBigUInt64LE();
  if (length > maxHeader || length > buffer.length - 8) throw broken(`its header has ${length} bytes`);
  const body = buffer.subarray(8 + Number(length));
  let header: Record<string, unknown>;
  let json: unknown;
  let sha256: unknown;
  try {
    header = JSON.parse(buffer.toString('utf8', 8, 8 + Number(length)));
    const metadata = header.__metadata__ as Record<string, string>;
    json = JSON.parse(metadata.json!);
    sha256 = metadata.sha256;
  } catch {
    throw broken('its header is not JSON as retrain-tfjs writes it');
  }
  if (digestOf([body]) !== sha256) throw broken('its values have another digest than its header says');
  const tensors = Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, entry]) => tensorOf(name, entry as Partial<Entry> | null, body, broken));
  return { tensors, json };
}

function tensorOf(
  name: string,
  entry: Partial<Entry> | null,
  body: Buffer,
  broken: (what: string) => RecipeFault,
): NamedTensor {
  const { dtype, shape, data_offsets: offsets } = entry ?? {};
  const isLength = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
  const kind = dtype === 'F32' ? 'float32' : dtype === 'I32' ? 'int32' : null;
  if (kind === null) throw broken(`tensor '${name}' has the type '${dtype}'`);
  if (!Array.isArray(shape) || shape.length > 8 || !shape.every(isLength)) {
    throw broken(`tensor '${name}' has no shape`);
  }
  const size = shape.reduce((product, length) => product * length, 1);
  const [start, end] = Array.isArray(offsets) ? offsets : [];
  if (!isLength(start) || !isLength(end) || end - start !== 4 * size || end > body.length) {
    throw broken(`tensor '${name}' of shape ${shape.join('x')} does not fit its place`);
  }
  // A copy of its own memory: aligned, and swapped where this machine is big-endian.
  const own = Buffer.alloc(end - start);
  body.copy(own, 0, start, end);
  if (!littleEndian) own.swap32();
  const values =
    kind === 'float32'
      ? new Float32Array(own.buffer, own.byteOffset, size)
      : new Int32Array(own.buffer, own.byteOffset, size);
  return { name, dtype: kind, shape, values };
}
