// The one inner loop of every product: a tile of 4 rows by 8 columns, its 8 sums in registers. k ascends, each step is one
// multiplication and one addition: the order and the rounding of XNNPACK's kernels for wasm, hence their bits. V8's register
// allocation decides the form: with 5 rows it spills (31 instead of 42 GFLOP/s), with its test at the head of the loop too (23).

/**
 * c[r][0…8] = start[r][0…8] + sum over k of a[r][k] × b[k][0…8], r = 0…3.
 *
 * a0…a3: where each row of the left factor begins; k runs `outer` times over `inner` values `step` bytes apart, and after each
 * run `jump` more bytes are skipped; both at least 1. b: the packed panel, 8 floats a k. start: rows of 8 floats, `startRow` bytes
 * apart (0: one row for all). c0…c3: where each row of 8 results goes; start may be where they go.
 */
// @ts-ignore: decorator
@inline
export function tile(
  a0: usize, a1: usize, a2: usize, a3: usize,
  inner: usize, step: usize, outer: usize, jump: usize,
  b: usize, start: usize, startRow: usize,
  c0: usize, c1: usize, c2: usize, c3: usize,
): void {
  let s00 = v128.load(start), s01 = v128.load(start, 16);
  start += startRow;
  let s10 = v128.load(start), s11 = v128.load(start, 16);
  start += startRow;
  let s20 = v128.load(start), s21 = v128.load(start, 16);
  start += startRow;
  let s30 = v128.load(start), s31 = v128.load(start, 16);
  do {
    const end = b + (inner << 5);
    do {
      const b0 = v128.load(b), b1 = v128.load(b, 16);
      b += 32;
      const v0 = v128.load32_splat(a0);
      a0 += step;
      s00 = f32x4.add(s00, f32x4.mul(v0, b0));
      s01 = f32x4.add(s01, f32x4.mul(v0, b1));
      const v1 = v128.load32_splat(a1);
      a1 += step;
      s10 = f32x4.add(s10, f32x4.mul(v1, b0));
      s11 = f32x4.add(s11, f32x4.mul(v1, b1));
      const v2 = v128.load32_splat(a2);
      a2 += step;
      s20 = f32x4.add(s20, f32x4.mul(v2, b0));
      s21 = f32x4.add(s21, f32x4.mul(v2, b1));
      const v3 = v128.load32_splat(a3);
      a3 += step;
      s30 = f32x4.add(s30, f32x4.mul(v3, b0));
      s31 = f32x4.add(s31, f32x4.mul(v3, b1));
    } while (b != end);
    a0 += jump;
    a1 += jump;
    a2 += jump;
    a3 += jump;
  } while (--outer != 0);
  v128.store(c0, s00);
  v128.store(c0, s01, 16);
  v128.store(c1, s10);
  v128.store(c1, s11, 16);
  v128.store(c2, s20);
  v128.store(c2, s21, 16);
  v128.store(c3, s30);
  v128.store(c3, s31, 16);
}

/**
 * The same where the four rows of the left factor lie side by side, as in a transposed one: a[r][k] is r floats after a[0][k].
 * One pointer instead of four: 47 instead of 42 GFLOP/s.
 */
// @ts-ignore: decorator
@inline
export function tileOfColumns(
  a: usize,
  inner: usize, step: usize, outer: usize, jump: usize,
  b: usize, start: usize, startRow: usize,
  c0: usize, c1: usize, c2: usize, c3: usize,
): void {
  let s00 = v128.load(start), s01 = v128.load(start, 16);
  start += startRow;
  let s10 = v128.load(start), s11 = v128.load(start, 16);
  start += startRow;
  let s20 = v128.load(start), s21 = v128.load(start, 16);
  start += startRow;
  let s30 = v128.load(start), s31 = v128.load(start, 16);
  do {
    const end = b + (inner << 5);
    do {
      const b0 = v128.load(b), b1 = v128.load(b, 16);
      b += 32;
      const v0 = v128.load32_splat(a);
      s00 = f32x4.add(s00, f32x4.mul(v0, b0));
      s01 = f32x4.add(s01, f32x4.mul(v0, b1));
      const v1 = v128.load32_splat(a, 4);
      s10 = f32x4.add(s10, f32x4.mul(v1, b0));
      s11 = f32x4.add(s11, f32x4.mul(v1, b1));
      const v2 = v128.load32_splat(a, 8);
      s20 = f32x4.add(s20, f32x4.mul(v2, b0));
      s21 = f32x4.add(s21, f32x4.mul(v2, b1));
      const v3 = v128.load32_splat(a, 12);
      s30 = f32x4.add(s30, f32x4.mul(v3, b0));
      s31 = f32x4.add(s31, f32x4.mul(v3, b1));
      a += step;
    } while (b != end);
    a += jump;
  } while (--outer != 0);
  v128.store(c0, s00);
  v128.store(c0, s01, 16);
  v128.store(c1, s10);
  v128.store(c1, s11, 16);
  v128.store(c2, s20);
  v128.store(c2, s21, 16);
  v128.store(c3, s30);
  v128.store(c3, s31, 16);
}
