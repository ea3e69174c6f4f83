// Philox 4x32-10, a generator without state: block n of a stream is a function of key and counter only, so every backend
// can make the same numbers in any order. Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
// Seeding and the form of the fractions are TensorFlow's, of its operation StatelessRandomUniform
// (core/kernels/stateless_random_ops.cc GenerateKey, core/lib/random/random_distributions.h Uint32ToFloat).

const multiplier0 = 0xd2511f53;
const multiplier1 = 0xcd9e8d57;
/** Added to the key after each round: the golden ratio and the square root of 3, less 1, in 32 bits. */
const weyl0 = 0x9e3779b9;
const weyl1 = 0xbb67ae85;
const rounds = 10;

/** The upper 32 bits of the product of two unsigned 32-bit numbers. */
function highProduct(a: number, b: number): number {
  const a0 = a & 0xffff;
  const a1 = a >>> 16;
  const b0 = b & 0xffff;
  const b1 = b >>> 16;
  const low = a1 * b0 + ((a0 * b0) >>> 16);
  // Both sums stay under 2^53, and each term under 2^32: doubles hold them exactly.
  const middle = a0 * b1 + (low & 0xffff);
  return (a1 * b1 + Math.floor(low / 65_536) + Math.floor(middle / 65_536)) >>> 0;
}

/** Writes one block, four unsigned 32-bit numbers, into `out`. `counter` has four of them, lowest first, `key` two. */
export function philox(counter: Uint32Array, key: Uint32Array, out: Uint32Array): void {
  let c0 = counter[0]!;
  let c1 = counter[1]!;
  let c2 = counter[2]!;
  let c3 = counter[3]!;
  let k0 = key[0]!;
  let k1 = key[1]!;
  for (let round = 0; round < rounds; round++) {
    const high0 = highProduct(multiplier0, c0);
    const high1 = highProduct(multiplier1, c2);
    const low0 = Math.imul(multiplier0, c0);
    const low1 = Math.imul(multiplier1, c2);
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1 >>> 0;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0 >>> 0;
    k0 = (k0 + weyl0) >>> 0;
    k1 = (k1 + weyl1) >>> 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

/** Key and first counter of the stream that TensorFlow makes of two int32 seeds, which it mixes first. */
function stream(seed0: number, seed1: number): { key: Uint32Array; counter: Uint32Array } {
  // An int32 seed is widened with its sign.
  const scrambled = new Uint32Array(4);
  philox(
    new Uint32Array([seed0, seed0 >> 31, seed1, seed1 >> 31]),
    new Uint32Array([0x3ec8f720, 0x02461e29]),
    scrambled,
  );
  return {
    key: scrambled.slice(0, 2),
    counter: new Uint32Array([0, 0, scrambled[2]!, scrambled[3]!]),
  };
}

/**
 * Fills `out` with dropout's factors: 0 where the stream's fraction is below `rate`, else `scale`. Fraction i is the lower 23
 * bits of number i, over 2^23.
 */
export function fillMask(
  out: Float32Array,
  seeds: readonly [number, number],
  rate: number,
  scale: number,
): void {
  const { key, counter } = stream(...seeds);
  const block = new Uint32Array(4);
  // As TensorFlow compares: in float32. The fraction is exact in both.
  const threshold = Math.fround(rate) * 0x800000;
  for (let at = 0; at < out.length; at += 4) {
    philox(counter, key, block);
    for (let i = 0; i < 4 && at + i < out.length; i++) {
      out[at + i] = (block[i]! & 0x7fffff) >= threshold ? scale : 0;
    }
    // The lowest word never wraps: a tensor has less than 2^34 values.
    counter[0]! += 1;
  }
}
