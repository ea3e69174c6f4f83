// One tensor of an ONNX file: name, type, shape, and its values as little-endian bytes, whichever of the nine fields of
// TensorProto they came in. Source: onnx.proto (IR version 10), message TensorProto.
import { type ExternalData, placeOf } from '../formats/external-data.ts';
import { bytesOf, fieldsOf, integersOf, ModelFault, textOf } from './wire.ts';

export interface Tensor {
  name: string;
  /** Number of TensorProto.DataType. */
  type: number;
  shape: number[];
  /** Values, little-endian, row-major. */
  bytes: Uint8Array;
}

/** Bits an element by DataType; strings (8) are not here. */
const bits: Record<number, number> = {
  1: 32,
  2: 8,
  3: 8,
  4: 16,
  5: 16,
  6: 32,
  7: 64,
  9: 8,
  10: 16,
  11: 64,
  12: 32,
  13: 64,
  14: 64,
  15: 128,
  16: 16,
  17: 8,
  18: 8,
  19: 8,
  20: 8,
  21: 4,
  22: 4,
};

const stringType = 8;
const maxRank = 64;

/** Integers of int32_data, int64_data or uint64_data at the width of the type. */
const packed = (values: readonly bigint[], elementBytes: number): Uint8Array => {
  const out = Buffer.alloc(values.length * elementBytes);
  values.forEach((value, i) => {
    let rest = BigInt.asUintN(8 * elementBytes, value);
    for (let byte = 0; byte < elementBytes; byte++) {
      out[i * elementBytes + byte] = Number(rest & 0xffn);
      rest >>= 8n;
    }
  });
  return out;
};

/** One entry of TensorProto.external_data. */
const entryOf = (message: Uint8Array, where: string): [string, string] => {
  const entry: [string, string] = ['', ''];
  for (const { number, value } of fieldsOf(message, where)) {
    if (number === 1 || number === 2) entry[number - 1] = textOf(value, where);
  }
  return entry;
};

/**
 * Reads a TensorProto. `external`: where values that lie outside of the file are read; null: such a tensor is refused. Throws ModelFault
 * where shape and bytes disagree.
 */
export const readTensor = (
  message: Uint8Array,
  where: string,
  external: ExternalData | null = null,
): Tensor => {
  let name = '';
  let type = 0;
  let raw: Uint8Array | null = null;
  const dims: bigint[] = [];
  const parts: Uint8Array[] = [];
  const integers: bigint[] = [];
  const strings: Uint8Array[] = [];
  const entries: [string, string][] = [];
  let isExternal = false;
  for (const { number, value } of fieldsOf(message, where)) {
    if (number === 1) dims.push(...integersOf(value));
    else if (number === 2) type = Number(value);
    else if (number === 4 || number === 10) parts.push(bytesOf(value, where));
    else if (number === 5 || number === 7 || number === 11)
      for (const one of integersOf(value)) integers.push(one);
    else if (number === 6) strings.push(bytesOf(value, where));
    else if (number === 8) name = textOf(value, where);
    else if (number === 9) raw = bytesOf(value, where);
    else if (number === 13) entries.push(entryOf(bytesOf(value, where), where));
    else if (number === 14 && value === 1n) isExternal = true;
  }
  const called = `tensor "${name}"`;
  isExternal ||= entries.length > 0;
  if (isExternal && external === null) {
    throw new ModelFault(
      `${called} keeps its values in another file (external data), which is not read: save the model as one file`,
    );
  }
  if (dims.length > maxRank || dims.some((dim) => dim < 0n))
    throw new ModelFault(`${called} has an impossible shape`);
  const elements = dims.reduce((product, dim) => product * dim, 1n);
  if (type === stringType && !isExternal) {
    if (BigInt(strings.length) !== elements)
      throw new ModelFault(`${called} has ${strings.length} texts for a shape of ${elements}`);
    const lengths = packed(
      strings.map((one) => BigInt(one.length)),
      8,
    );
    return { name, type, shape: dims.map(Number), bytes: Buffer.concat([lengths, ...strings]) };
  }
  const width = bits[type];
  if (width === undefined) throw new ModelFault(`${called} has the unknown type ${type}`);
  const wanted = (elements * BigInt(width) + 7n) / 8n;
  if (isExternal) {
    const bytes = external!.values(name, placeOf(entries), wanted);
    return { name, type, shape: dims.map(Number), bytes };
  }
  const bytes = raw ?? (parts.length > 0 ? Buffer.concat(parts) : packed(integers, Math.ceil(width / 8)));
  if (BigInt(bytes.length) !== wanted) {
    throw new ModelFault(
      `${called} of shape ${dims.join('x') || 'scalar'} needs ${wanted} bytes, the file holds ${bytes.length}`,
    );
  }
  return { name, type, shape: dims.map(Number), bytes };
};
