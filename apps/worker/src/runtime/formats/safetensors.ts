// safetensors (Hugging Face, "Format"): length of the header (uint64, little-endian), the header as JSON, the values without gaps.
// Names its tensors' places by itself, so nothing but the header is read before the values are asked for.
import { bytesOfTensor, type Dtype, isDtype } from './dtype.ts';
import { FileBytes } from './file-bytes.ts';
import { duplicateKey } from './json-keys.ts';
import { ModelFault, quoted } from './model-fault.ts';
import { byName, type ModelFile, type ModelFormat, type TensorInfo } from './model-file.ts';

/** The format's own limit is 100 MB; headers of the largest models have some 100 kB. */
const maxHeaderBytes = 2 ** 24;
const maxRank = 64;
const cure = 'fetch the file again, or write it with the library safetensors';

interface Placed extends TensorInfo {
  begin: number;
}

const broken = (what: string): ModelFault => new ModelFault(what, cure);
const isLength = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

const readEntry = (name: string, entry: unknown): Placed => {
  const says = (what: string): ModelFault => broken(`the header says of tensor ${quoted(name)} ${what}`);
  if (typeof entry !== 'object' || entry === null) throw says('nothing that can be read');
  const { dtype, shape, data_offsets: place } = entry as Record<string, unknown>;
  if (!isDtype(dtype) || dtype === 'STRING') throw says(`the unknown dtype ${quoted(String(dtype))}`);
  if (!Array.isArray(shape) || shape.length > maxRank || !shape.every(isLength)) {
    throw says(`no shape of at most ${maxRank} dimensions`);
  }
  if (!Array.isArray(place) || place.length !== 2 || !place.every(isLength) || place[0]! > place[1]!) {
    throw says('no data_offsets');
  }
  const [begin, end] = place as [number, number];
  const wanted = bytesOfTensor(dtype as Dtype, shape);
  if (wanted !== BigInt(end - begin)) {
    throw says(
      `the shape ${shape.join('x') || 'scalar'}, which needs ${wanted} bytes, and ${end - begin} bytes`,
    );
  }
  return { name, dtype, shape, bytes: end - begin, begin };
};

const readHeader = (file: FileBytes): Placed[] => {
  if (file.size < 8) throw broken(`its ${file.size} bytes are too few for a safetensors header`);
  const length = file.bytes(0, 8).readBigUInt64LE();
  if (length > BigInt(maxHeaderBytes)) {
    throw broken(`its header has ${length} bytes; at most ${maxHeaderBytes} are read (bytes 0-7)`);
  }
  const start = 8 + Number(length);
  if (start > file.size) throw broken(`it ends inside its header (${file.size} of ${start} bytes)`);
  const text = file.bytes(8, start - 8).toString('utf8');
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch (error) {
    throw broken(`its header (bytes 8-${start - 1}) is no JSON (${quoted((error as Error).message)})`);
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) {
    throw broken(`its header (bytes 8-${start - 1}) is no JSON object`);
  }
  const twice = duplicateKey(text);
  if (twice !== null) throw broken(`its header holds ${quoted(twice)} twice`);
  const tensors = Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, entry]) => readEntry(name, entry));
  let at = 0;
  for (const { name, begin, bytes } of [...tensors].sort((a, b) => a.begin - b.begin || a.bytes - b.bytes)) {
    if (begin !== at) {
      const how = begin < at ? 'overlaps the one before' : 'leaves a gap';
      throw broken(`tensor ${quoted(name)} ${how}: it begins at ${begin}, not at ${at}`);
    }
    at += bytes;
  }
  if (start + at !== file.size) {
    const how = start + at > file.size ? 'it is truncated' : 'it is too long';
    throw broken(`${how}: its tensors end at byte ${start + at}, the file at ${file.size}`);
  }
  return tensors.map((tensor) => ({ ...tensor, begin: start + tensor.begin }));
};

const open = (path: string): ModelFile => {
  const file = new FileBytes(path);
  try {
    const tensors = readHeader(file).sort(byName);
    return {
      format: 'safetensors',
      path,
      tensors: tensors.map(({ begin: _, ...info }) => info),
      structureSha256: null,
      quantised: null,
      chains: [],
      read: (index, position, into) => file.fill(into, tensors[index]!.begin + position),
      close: () => file.close(),
    };
  } catch (error) {
    file.close();
    throw error;
  }
};

export const safetensors: ModelFormat = {
  name: 'safetensors',
  claims: (head) => head[8] === 0x7b && [0x22, 0x7d, 0x20, 0x0a].includes(head[9] ?? 0x7d),
  open,
};
