// Distances in units in the last place: how many floats of the type lie between two, +0 and -0 being one. Histogram by powers of
// two: bucket 0 counts equal numbers, bucket n distances from 2^(n-1) to 2^n - 1.
import type { Dtype } from '../formats/dtype.ts';

/** Buckets: 0, and one a bit of the largest distance. */
export const ulpBuckets: Partial<Record<Dtype, number>> = { F16: 17, BF16: 17, F32: 33, F64: 65 };

const bucketOf = (distance: number): number => (distance < 1 ? 0 : Math.floor(Math.log2(distance)) + 1);

/** A float of 16 bits as a number that grows by one from each float to the next. */
const ordered16 = (bits: number): number => (bits & 0x8000 ? -(bits & 0x7fff) : bits);

export const ulpBucket16 = (a: Buffer, b: Buffer, i: number): number =>
  bucketOf(Math.abs(ordered16(a.readUInt16LE(2 * i)) - ordered16(b.readUInt16LE(2 * i))));

export const ulpBucket32 = (a: Buffer, b: Buffer, i: number): number => {
  const x = a.readInt32LE(4 * i);
  const y = b.readInt32LE(4 * i);
  const distance = (x < 0 ? -(x & 0x7fffffff) : x) - (y < 0 ? -(y & 0x7fffffff) : y);
  return distance === 0 ? 0 : 32 - Math.clz32(Math.abs(distance));
};

export const ulpBucket64 = (a: Buffer, b: Buffer, i: number): number => {
  // In two halves: a difference of neighbours is exact, one beyond 2^53 is rounded, which moves a bucket at its very edge only.
  const aHigh = a.readUInt32LE(8 * i + 4);
  const bHigh = b.readUInt32LE(8 * i + 4);
  const aLow = a.readUInt32LE(8 * i);
  const bLow = b.readUInt32LE(8 * i);
  const sign = aHigh >>> 31 === bHigh >>> 31 ? -1 : 1;
  const high = (aHigh & 0x7fffffff) + sign * (bHigh & 0x7fffffff);
  return bucketOf(Math.abs(high * 2 ** 32 + (aLow + sign * bLow)));
};

export const ulpBucketOf = (dtype: Dtype) =>
  dtype === 'F32' ? ulpBucket32 : dtype === 'F64' ? ulpBucket64 : ulpBucket16;

/** Words for a bucket: `0`, `1`, `2-3`, `4-7`, … */
export const bucketName = (bucket: number): string =>
  bucket < 2 ? String(bucket) : `${2 ** (bucket - 1)}-${2 ** bucket - 1}`;
