// Elements of a tensor as numbers, by type. Types without a reading here (4 and 8 bit floats, complex numbers, texts) are compared as
// bytes only.
import type { Dtype } from '../formats/dtype.ts';

/** Decodes `count` elements that lie at the start of `bytes` (little-endian, memory of its own). */
export type Decode = (bytes: Buffer, count: number, into: Float64Array) => void;

const half = (bits: number): number => {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const size =
    exponent === 31
      ? fraction === 0
        ? Number.POSITIVE_INFINITY
        : Number.NaN
      : exponent === 0
        ? fraction * 2 ** -24
        : (1 + fraction / 1024) * 2 ** (exponent - 15);
  return bits & 0x8000 ? -size : size;
};

let halves: Float32Array | null = null;
const allHalves = (): Float32Array => {
  halves ??= Float32Array.from({ length: 65_536 }, (_, bits) => half(bits));
  return halves;
};

const word = new DataView(new ArrayBuffer(4));
const brainFloat = (bits: number): number => {
  word.setUint32(0, bits << 16);
  return word.getFloat32(0);
};

const each =
  (read: (bytes: Buffer, i: number) => number): Decode =>
  (bytes, count, into) => {
    for (let i = 0; i < count; i++) into[i] = read(bytes, i);
  };

const decoders: Partial<Record<Dtype, Decode>> = {
  BOOL: each((bytes, i) => bytes[i]!),
  U8: each((bytes, i) => bytes[i]!),
  I8: each((bytes, i) => bytes.readInt8(i)),
  U16: each((bytes, i) => bytes.readUInt16LE(2 * i)),
  I16: each((bytes, i) => bytes.readInt16LE(2 * i)),
  U32: each((bytes, i) => bytes.readUInt32LE(4 * i)),
  I32: each((bytes, i) => bytes.readInt32LE(4 * i)),
  // Beyond 2^53 the nearest double: figures are rounded, whether bytes are equal is not.
  U64: each((bytes, i) => Number(bytes.readBigUInt64LE(8 * i))),
  I64: each((bytes, i) => Number(bytes.readBigInt64LE(8 * i))),
  F16: (bytes, count, into) => {
    const table = allHalves();
    for (let i = 0; i < count; i++) into[i] = table[bytes.readUInt16LE(2 * i)]!;
  },
  BF16: each((bytes, i) => brainFloat(bytes.readUInt16LE(2 * i))),
  F32: each((bytes, i) => bytes.readFloatLE(4 * i)),
  F64: each((bytes, i) => bytes.readDoubleLE(8 * i)),
};

export const decoderOf = (dtype: Dtype): Decode | null => decoders[dtype] ?? null;
