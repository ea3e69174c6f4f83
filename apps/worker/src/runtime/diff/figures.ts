// Sums over pairs of elements, block by block, from which the figures of a pair of tensors follow.
import type { Dtype } from '../formats/dtype.ts';
import { decoderOf } from './elements.ts';
import { ulpBucketOf, ulpBuckets } from './ulps.ts';

export interface Figures {
  /** Euclidean norms. Pairs with a NaN or an infinity are left out of everything but `notFinite`. */
  normA: number;
  normB: number;
  /** |A - B| / |A|; null where |A| is 0 and |B| is not. */
  relativeDistance: number | null;
  /** Null where one of the norms is 0. */
  cosine: number | null;
  maxDifference: number;
  notFinite: number;
  /** Pairs by distance in units in the last place (ulps.ts); null where the types differ or are no floats. */
  ulps: number[] | null;
}

/** Elements a block. */
export const blockElements = 2 ** 18;

export class Sums {
  aa = 0;
  bb = 0;
  ab = 0;
  dd = 0;
  max = 0;
  notFinite = 0;
  ulps: number[] | null;

  constructor(ulps: number | null) {
    this.ulps = ulps === null ? null : Array<number>(ulps).fill(0);
  }

  add(other: Sums): void {
    this.aa += other.aa;
    this.bb += other.bb;
    this.ab += other.ab;
    this.dd += other.dd;
    this.max = Math.max(this.max, other.max);
    this.notFinite += other.notFinite;
    const { ulps } = this;
    if (!ulps) return;
    for (const [i, count] of (other.ulps ?? []).entries()) ulps[i] = (ulps[i] ?? 0) + count;
  }

  figures(): Figures {
    const normA = Math.sqrt(this.aa);
    const normB = Math.sqrt(this.bb);
    const distance = Math.sqrt(this.dd);
    return {
      normA,
      normB,
      relativeDistance: normA > 0 ? distance / normA : normB > 0 ? null : 0,
      // Rounding may carry the quotient of equal vectors past 1.
      cosine: normA > 0 && normB > 0 ? Math.max(-1, Math.min(1, this.ab / (normA * normB))) : null,
      maxDifference: this.max,
      notFinite: this.notFinite,
      ulps: this.ulps,
    };
  }
}

/** Adds `count` pairs that lie at the start of both buffers. */
export type AddBlock = (a: Buffer, b: Buffer, count: number, sums: Sums) => void;

/** Any two numeric types, every pair looked at. */
const addSlowly = (typeA: Dtype, typeB: Dtype): AddBlock | null => {
  const decodeA = decoderOf(typeA);
  const decodeB = decoderOf(typeB);
  if (!decodeA || !decodeB) return null;
  const valuesA = new Float64Array(blockElements);
  const valuesB = new Float64Array(blockElements);
  const bucket = typeA === typeB && ulpBuckets[typeA] !== undefined ? ulpBucketOf(typeA) : null;
  return (a, b, count, sums) => {
    decodeA(a, count, valuesA);
    decodeB(b, count, valuesB);
    for (let i = 0; i < count; i++) {
      const x = valuesA[i]!;
      const y = valuesB[i]!;
      if (!Number.isFinite(x) || !Number.isFinite(y)) {
        sums.notFinite++;
        continue;
      }
      const d = x - y;
      sums.aa += x * x;
      sums.bb += y * y;
      sums.ab += x * y;
      sums.dd += d * d;
      if (Math.abs(d) > sums.max) sums.max = Math.abs(d);
      if (bucket && sums.ulps) {
        const at = bucket(a, b, i);
        sums.ulps[at] = sums.ulps[at]! + 1;
      }
    }
  };
};

const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
const blockUlps = new Uint32Array(33);

/** float32 without a look at each pair's finiteness: a sum that is not finite sends the whole block the slow way. */
const addFloats = (slowly: AddBlock): AddBlock => {
  return (a, b, count, sums) => {
    const floatsA = new Float32Array(a.buffer, a.byteOffset, count);
    const floatsB = new Float32Array(b.buffer, b.byteOffset, count);
    const bitsA = new Int32Array(a.buffer, a.byteOffset, count);
    const bitsB = new Int32Array(b.buffer, b.byteOffset, count);
    blockUlps.fill(0);
    let aa = 0;
    let bb = 0;
    let ab = 0;
    let dd = 0;
    let max = 0;
    for (let i = 0; i < count; i++) {
      const x = floatsA[i]!;
      const y = floatsB[i]!;
      const d = x - y;
      aa += x * x;
      bb += y * y;
      ab += x * y;
      dd += d * d;
      max = Math.max(max, Math.abs(d));
      const p = bitsA[i]!;
      const q = bitsB[i]!;
      // Sign and size to two's complement without a branch: -size is ~size + 1.
      const signP = p >> 31;
      const signQ = q >> 31;
      const orderP = (((p & 0x7fffffff) ^ signP) - signP) | 0;
      const orderQ = (((q & 0x7fffffff) ^ signQ) - signQ) | 0;
      // The difference of two such numbers fits 32 bits without a sign.
      const distance = orderP > orderQ ? orderP - orderQ : orderQ - orderP;
      blockUlps[32 - Math.clz32(distance)]!++;
    }
    if (!Number.isFinite(aa + bb)) {
      slowly(a, b, count, sums);
      return;
    }
    sums.aa += aa;
    sums.bb += bb;
    sums.ab += ab;
    sums.dd += dd;
    sums.max = Math.max(sums.max, max);
    const { ulps } = sums;
    if (ulps) for (let i = 0; i < 33; i++) ulps[i] = ulps[i]! + blockUlps[i]!;
  };
};

/** How pairs of these types are added, or null where they are compared as bytes only. */
export const adderOf = (typeA: Dtype, typeB: Dtype): AddBlock | null => {
  const slowly = addSlowly(typeA, typeB);
  return slowly && littleEndian && typeA === 'F32' && typeB === 'F32' ? addFloats(slowly) : slowly;
};
