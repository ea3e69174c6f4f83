// One TensorProto in a file: name, type, shape and where its values lie, whichever field holds them. Source: onnx.proto (IR version 10).
import { bytesOfTensor, type Dtype, dtypeBits, elementsOf } from './dtype.ts';
import { type ExternalData, placeOf } from './external-data.ts';
import type { FileBytes } from './file-bytes.ts';
import { ModelFault, quoted } from './model-fault.ts';
import {
  type Budget,
  integersAt,
  type PlacedField,
  placedFields,
  type Range,
  rangeOf,
  textAt,
} from './onnx-fields.ts';
import { filePiece, joinPieces, memoryPiece, type Piece, varintPiece } from './pieces.ts';

export interface OnnxTensor {
  name: string;
  dtype: Dtype;
  shape: number[];
  piece: Piece;
}

/** By number of TensorProto.DataType. */
const dtypes: Record<number, Dtype> = {
  1: 'F32',
  2: 'U8',
  3: 'I8',
  4: 'U16',
  5: 'I16',
  6: 'I32',
  7: 'I64',
  8: 'STRING',
  9: 'BOOL',
  10: 'F16',
  11: 'F64',
  12: 'U32',
  13: 'U64',
  14: 'C64',
  15: 'C128',
  16: 'BF16',
  17: 'F8_E4M3',
  18: 'F8_E4M3FNUZ',
  19: 'F8_E5M2',
  20: 'F8_E5M2FNUZ',
  21: 'U4',
  22: 'I4',
};

const maxRank = 64;
/** Pieces of values in one tensor: a file that gives each number a field of its own is written anew rather than read. */
const maxPieces = 1_000_000;

interface Parts {
  name: string;
  type: number;
  dims: bigint[];
  raw: Range | null;
  fixed: Range[];
  varints: Range[];
  texts: Range[];
  external: [string, string][];
  isExternal: boolean;
}

const gather = (file: FileBytes, range: Range, where: string, budget: Budget): Parts => {
  const parts: Parts = {
    name: '',
    type: 0,
    dims: [],
    raw: null,
    fixed: [],
    varints: [],
    texts: [],
    external: [],
    isExternal: false,
  };
  const keyAndValue = (field: PlacedField): [string, string] => {
    let key = '';
    let value = '';
    for (const part of placedFields(file, rangeOf(field, where), where, budget)) {
      if (part.number === 1) key = textAt(file, part, where);
      else if (part.number === 2) value = textAt(file, part, where);
    }
    return [key, value];
  };
  for (const field of placedFields(file, range, where, budget)) {
    const { number } = field;
    if (number === 1) {
      for (const dim of integersAt(file, field)) {
        if (parts.dims.push(dim) > maxRank)
          throw new ModelFault(`${where} has more than ${maxRank} dimensions`);
      }
    } else if (number === 2) parts.type = Number(field.value ?? 0);
    else if (number === 4 || number === 10) parts.fixed.push(rangeOf(field, where));
    else if (number === 5 || number === 7 || number === 11) parts.varints.push(field);
    else if (number === 6) parts.texts.push(rangeOf(field, where));
    else if (number === 8) parts.name = textAt(file, field, where);
    else if (number === 9) parts.raw = rangeOf(field, where);
    else if (number === 13) parts.external.push(keyAndValue(field));
    else if (number === 14 && field.value === 1n) parts.isExternal = true;
    if (parts.fixed.length + parts.varints.length + parts.texts.length > maxPieces) {
      throw new ModelFault(`${where} lies in more than ${maxPieces} pieces`, 'save the model with raw_data');
    }
  }
  return parts;
};

/** Lengths of the texts as uint64, then the texts: as onnx/tensor.ts has it. */
const textPiece = (file: FileBytes, texts: readonly Range[]): Piece => {
  const lengths = Buffer.alloc(8 * texts.length);
  texts.forEach(({ begin, end }, i) => {
    lengths.writeBigUInt64LE(BigInt(end - begin), 8 * i);
  });
  return joinPieces([memoryPiece(lengths), ...texts.map(({ begin, end }) => filePiece(file, begin, end))]);
};

const valuesOf = (file: FileBytes, parts: Parts, dtype: Dtype): Piece => {
  if (parts.raw) return filePiece(file, parts.raw.begin, parts.raw.end);
  if (parts.fixed.length > 0)
    return joinPieces(parts.fixed.map(({ begin, end }) => filePiece(file, begin, end)));
  return varintPiece(file, parts.varints, Math.ceil(dtypeBits[dtype] / 8));
};

/** Reads the places of a tensor. Throws ModelFault where shape and bytes disagree. */
export const readOnnxTensor = (
  file: FileBytes,
  range: Range,
  external: ExternalData,
  budget: Budget,
): OnnxTensor => {
  const parts = gather(file, range, `the tensor at byte ${range.begin}`, budget);
  const { name, dims } = parts;
  const called = `tensor ${quoted(name)}`;
  const dtype = dtypes[parts.type];
  if (dtype === undefined) throw new ModelFault(`${called} has the unknown type ${parts.type}`);
  if (dims.some((dim) => dim < 0n || dim > BigInt(Number.MAX_SAFE_INTEGER))) {
    throw new ModelFault(`${called} has an impossible shape`);
  }
  const shape = dims.map(Number);
  if (dtype === 'STRING') {
    if (BigInt(parts.texts.length) !== elementsOf(dims) || parts.isExternal) {
      throw new ModelFault(`${called} has ${parts.texts.length} texts for ${elementsOf(dims)} elements`);
    }
    return { name, dtype, shape, piece: textPiece(file, parts.texts) };
  }
  const wanted = bytesOfTensor(dtype, dims);
  const isExternal = parts.isExternal || parts.external.length > 0;
  const piece = isExternal
    ? external.piece(name, placeOf(parts.external), wanted)
    : valuesOf(file, parts, dtype);
  if (BigInt(piece.bytes) !== wanted) {
    throw new ModelFault(
      `${called} of shape ${shape.join('x') || 'scalar'} needs ${wanted} bytes, the file holds ${piece.bytes}`,
    );
  }
  return { name, dtype, shape, piece };
};
