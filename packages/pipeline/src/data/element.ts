// The number types that data files hold, and how their bytes become numbers.
import { endianness } from 'node:os';
import type { RecipeFault } from '../fault.ts';

export type Values =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array;

export interface ElementType {
  name: string;
  /** Bytes a value in the file. */
  bytes: 1 | 2 | 4 | 8;
  /** `count` values at `offset`, in the machine's byte order; the offset is a multiple of `bytes`. */
  values(buffer: ArrayBufferLike, offset: number, count: number, fault: ValueFault): Values;
}

/** The fault of the value number `index` of those that are decoded. */
export type ValueFault = (index: number, what: string) => RecipeFault;

export const hostIsBigEndian = endianness() === 'BE';

/** 64-bit integers as doubles, which are exact up to 2^53. */
function exact(integers: BigInt64Array | BigUint64Array, fault: ValueFault): Float64Array {
  const values = new Float64Array(integers.length);
  for (let i = 0; i < integers.length; i++) {
    values[i] = Number(integers[i]);
    if (!Number.isSafeInteger(values[i])) throw fault(i, `is ${integers[i]}, beyond 2^53`);
  }
  return values;
}

/** IEEE 754 binary16: subnormals, infinities and NaN included. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}

let halves: Float32Array | null = null;

function fromHalves(bits: Uint16Array): Float32Array {
  halves ??= Float32Array.from({ length: 65_536 }, (_, pattern) => halfToNumber(pattern));
  const values = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) values[i] = halves[bits[i]!]!;
  return values;
}

/** bfloat16 is the upper half of a float32. */
function fromBfloat(bits: Uint16Array): Float32Array {
  const patterns = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i++) patterns[i] = bits[i]! << 16;
  return new Float32Array(patterns.buffer);
}

export const u8: ElementType = { name: 'u8', bytes: 1, values: (b, o, n) => new Uint8Array(b, o, n) };
export const i8: ElementType = { name: 'i8', bytes: 1, values: (b, o, n) => new Int8Array(b, o, n) };
export const u16: ElementType = { name: 'u16', bytes: 2, values: (b, o, n) => new Uint16Array(b, o, n) };
export const i16: ElementType = { name: 'i16', bytes: 2, values: (b, o, n) => new Int16Array(b, o, n) };
export const u32: ElementType = { name: 'u32', bytes: 4, values: (b, o, n) => new Uint32Array(b, o, n) };
export const i32: ElementType = { name: 'i32', bytes: 4, values: (b, o, n) => new Int32Array(b, o, n) };
export const f32: ElementType = { name: 'f32', bytes: 4, values: (b, o, n) => new Float32Array(b, o, n) };
export const f64: ElementType = { name: 'f64', bytes: 8, values: (b, o, n) => new Float64Array(b, o, n) };
export const f16: ElementType = {
  name: 'f16',
  bytes: 2,
  values: (b, o, n) => fromHalves(new Uint16Array(b, o, n)),
};
export const bf16: ElementType = {
  name: 'bf16',
  bytes: 2,
  values: (b, o, n) => fromBfloat(new Uint16Array(b, o, n)),
};
export const i64: ElementType = {
  name: 'i64',
  bytes: 8,
  values: (b, o, n, fault) => exact(new BigInt64Array(b, o, n), fault),
};
export const u64: ElementType = {
  name: 'u64',
  bytes: 8,
  values: (b, o, n, fault) => exact(new BigUint64Array(b, o, n), fault),
};
export const bool: ElementType = {
  name: 'bool',
  bytes: 1,
  values(buffer, offset, count, fault) {
    const values = new Uint8Array(buffer, offset, count);
    const wrong = values.findIndex((value) => value > 1);
    if (wrong >= 0) throw fault(wrong, `is the byte ${values[wrong]}, neither false (0) nor true (1)`);
    return values;
  },
};

/**
 * The numbers in `bytes`. Danger: the bytes are swapped in place where the file's order is not the machine's, and the
 * values are a view of them: they must be the caller's own. (Types of one byte are only viewed.)
 */
export function decode(type: ElementType, bytes: Buffer, bigEndian: boolean, fault: ValueFault): Values {
  let own = bytes;
  if (bytes.byteOffset % type.bytes !== 0) {
    own = Buffer.from(new ArrayBuffer(bytes.length));
    own.set(bytes);
  }
  if (bigEndian !== hostIsBigEndian) {
    if (type.bytes === 2) own.swap16();
    else if (type.bytes === 4) own.swap32();
    else if (type.bytes === 8) own.swap64();
  }
  return type.values(own.buffer, own.byteOffset, own.length / type.bytes, fault);
}
