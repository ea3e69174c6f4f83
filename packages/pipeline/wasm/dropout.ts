// Masks of dropout by Philox 4x32-10 (Salmon et al., SC 2011), seeded as TensorFlow's StatelessRandomUniform is: the numbers of
// src/ops/philox.ts, a quarter of the time (0.17 ms for 256 x 128, 0.67 in JavaScript).

/** One block, four u32, to `to`. */
function block(c0: u32, c1: u32, c2: u32, c3: u32, k0: u32, k1: u32, to: usize): void {
  for (let round = 10; round != 0; round--) {
    const p0 = <u64>c0 * 0xd2511f53,
      p1 = <u64>c2 * 0xcd9e8d57;
    c0 = <u32>(p1 >> 32) ^ c1 ^ k0;
    c1 = <u32>p1;
    c2 = <u32>(p0 >> 32) ^ c3 ^ k1;
    c3 = <u32>p0;
    k0 += 0x9e3779b9;
    k1 += 0xbb67ae85;
  }
  store<u32>(to, c0);
  store<u32>(to, c1, 4);
  store<u32>(to, c2, 8);
  store<u32>(to, c3, 12);
}

/**
 * Writes `count` float32 to `to`: 0 where the lower 23 bits of the stream's number are below `threshold`, else `scale`. The
 * stream is that of `seed` and of the int32 at `counter`; `scratch`: 16 bytes.
 */
export function dropoutMask(
  count: usize,
  seed: i32,
  threshold: u32,
  scale: f32,
  counter: usize,
  to: usize,
  scratch: usize,
): void {
  const step = load<i32>(counter);
  block(seed, seed >> 31, step, step >> 31, 0x3ec8f720, 0x02461e29, scratch);
  const k0 = load<u32>(scratch),
    k1 = load<u32>(scratch, 4),
    c2 = load<u32>(scratch, 8),
    c3 = load<u32>(scratch, 12);
  let c0: u32 = 0;
  for (; count != 0; c0++) {
    block(c0, 0, c2, c3, k0, k1, scratch);
    const taken: usize = count < 4 ? count : 4;
    for (let i: usize = 0; i != taken; i++) {
      const bits = load<u32>(scratch + (i << 2)) & 0x7fffff;
      store<f32>(to + (i << 2), bits >= threshold ? scale : 0);
    }
    to += 16;
    count -= taken;
  }
}
