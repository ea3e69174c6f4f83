// sums[i, j] += Σ_f a[i, f] · b[j, f] for matrices of `width` rows, four rows by four at a time, features in stretches that stay in
// the cache. Plain JavaScript: 4,096 × 4,096 × 4,096 takes about a minute.

const stretch = 512;
const rowsATurn = 32;

/** Yields now and then, so that the caller can look whether it is still wanted. */
export function* addProducts(
  sums: Float64Array,
  a: Float32Array,
  b: Float32Array,
  width: number,
): Generator<void> {
  const features = a.length / width;
  const whole = width - (width % 4);
  for (let from = 0; from < features; from += stretch) {
    const to = Math.min(features, from + stretch);
    for (let i = 0; i < whole; i += 4) {
      for (let j = 0; j < whole; j += 4) addTile(sums, a, b, width, features, i, j, from, to);
      if (i % rowsATurn === 0) yield;
    }
    for (let i = 0; i < width; i++) {
      for (let j = i < whole ? whole : 0; j < width; j++) {
        let sum = 0;
        for (let f = from; f < to; f++) sum += a[i * features + f]! * b[j * features + f]!;
        sums[i * width + j]! += sum;
      }
    }
  }
}

const addTile = (
  sums: Float64Array,
  a: Float32Array,
  b: Float32Array,
  width: number,
  features: number,
  i: number,
  j: number,
  from: number,
  to: number,
): void => {
  const a0 = i * features;
  const a1 = a0 + features;
  const a2 = a1 + features;
  const a3 = a2 + features;
  let b0 = j * features + from;
  for (let column = j; column < j + 4; column += 2, b0 += 2 * features) {
    const b1 = b0 + features;
    let s00 = 0;
    let s01 = 0;
    let s10 = 0;
    let s11 = 0;
    let s20 = 0;
    let s21 = 0;
    let s30 = 0;
    let s31 = 0;
    for (let f = from, k = 0; f < to; f++, k++) {
      const x = b[b0 + k]!;
      const y = b[b1 + k]!;
      const p = a[a0 + f]!;
      const q = a[a1 + f]!;
      const r = a[a2 + f]!;
      const t = a[a3 + f]!;
      s00 += p * x;
      s01 += p * y;
      s10 += q * x;
      s11 += q * y;
      s20 += r * x;
      s21 += r * y;
      s30 += t * x;
      s31 += t * y;
    }
    const at = i * width + column;
    sums[at]! += s00;
    sums[at + 1]! += s01;
    sums[at + width]! += s10;
    sums[at + width + 1]! += s11;
    sums[at + 2 * width]! += s20;
    sums[at + 2 * width + 1]! += s21;
    sums[at + 3 * width]! += s30;
    sums[at + 3 * width + 1]! += s31;
  }
};
