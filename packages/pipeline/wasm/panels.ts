// Moving floats about: the right factor into panels of 8 columns, rows at a ragged edge, images into padded ones.

/**
 * Packs k rows × n columns of b into panels of 8 columns: 8 floats a k, `panel` bytes from one panel to the next; columns past n
 * are 0. Strides in bytes: a transposed b is one with its strides exchanged.
 */
export function pack(
  k: usize,
  n: usize,
  b: usize,
  bRow: usize,
  bColumn: usize,
  to: usize,
  panel: usize,
): void {
  for (let j: usize = 0; j < n; j += 8) {
    let from = b + j * bColumn;
    let at = to;
    const end = to + (k << 5);
    if (n - j >= 8 && bColumn == 4) {
      for (; at != end; at += 32) {
        v128.store(at, v128.load(from));
        v128.store(at, v128.load(from, 16), 16);
        from += bRow;
      }
    } else if (n - j >= 8) {
      const b2 = bColumn * 2,
        b3 = bColumn * 3;
      for (; at != end; at += 32) {
        store<f32>(at, load<f32>(from));
        store<f32>(at, load<f32>(from + bColumn), 4);
        store<f32>(at, load<f32>(from + b2), 8);
        store<f32>(at, load<f32>(from + b3), 12);
        const half = from + bColumn * 4;
        store<f32>(at, load<f32>(half), 16);
        store<f32>(at, load<f32>(half + bColumn), 20);
        store<f32>(at, load<f32>(half + b2), 24);
        store<f32>(at, load<f32>(half + b3), 28);
        from += bRow;
      }
    } else {
      const columns = n - j;
      for (; at != end; at += 32) {
        v128.store(at, f32x4.splat(0));
        v128.store(at, f32x4.splat(0), 16);
        for (let column: usize = 0; column < columns; column++) {
          store<f32>(at + (column << 2), load<f32>(from + column * bColumn));
        }
        from += bRow;
      }
    }
    to += panel;
  }
}

/** Copies rows × columns floats; strides in bytes. */
export function copyRows(
  rows: usize,
  columns: usize,
  from: usize,
  fromRow: usize,
  to: usize,
  toRow: usize,
): void {
  for (; rows != 0; rows--) {
    let at: usize = 0;
    const vectors = (columns << 2) & ~15,
      end = columns << 2;
    for (; at != vectors; at += 16) v128.store(to + at, v128.load(from + at));
    for (; at != end; at += 4) store<f32>(to + at, load<f32>(from + at));
    from += fromRow;
    to += toRow;
  }
}

/** Lays four rows side by side: k × 4 floats. */
export function interleave(k: usize, a0: usize, a1: usize, a2: usize, a3: usize, to: usize): void {
  const end = a0 + (k << 2), vectors = a0 + ((k << 2) & ~15);
  // All rows move with the first.
  a1 -= a0;
  a2 -= a0;
  a3 -= a0;
  for (; a0 != vectors; a0 += 16) {
    const r0 = v128.load(a0), r1 = v128.load(a0 + a1), r2 = v128.load(a0 + a2), r3 = v128.load(a0 + a3);
    const low01 = i32x4.shuffle(r0, r1, 0, 4, 1, 5), low23 = i32x4.shuffle(r2, r3, 0, 4, 1, 5);
    const high01 = i32x4.shuffle(r0, r1, 2, 6, 3, 7), high23 = i32x4.shuffle(r2, r3, 2, 6, 3, 7);
    v128.store(to, i64x2.shuffle(low01, low23, 0, 2));
    v128.store(to, i64x2.shuffle(low01, low23, 1, 3), 16);
    v128.store(to, i64x2.shuffle(high01, high23, 0, 2), 32);
    v128.store(to, i64x2.shuffle(high01, high23, 1, 3), 48);
    to += 64;
  }
  for (; a0 != end; a0 += 4) {
    store<f32>(to, load<f32>(a0));
    store<f32>(to, load<f32>(a0 + a1), 4);
    store<f32>(to, load<f32>(a0 + a2), 8);
    store<f32>(to, load<f32>(a0 + a3), 12);
    to += 16;
  }
}

/** Brings k times 4 floats, `step` bytes apart, together. */
export function gather(k: usize, from: usize, step: usize, to: usize): void {
  for (const end = to + (k << 4); to != end; to += 16) {
    v128.store(to, v128.load(from));
    from += step;
  }
}

/** Sets floats to 0. */
export function clear(count: usize, to: usize): void {
  memory.fill(to, 0, count << 2);
}

/** Writes the 8 values that sums begin with: zeros, or `columns` floats at `bias` and zeros. */
export function begin(bias: usize, columns: usize, to: usize): void {
  v128.store(to, f32x4.splat(0));
  v128.store(to, f32x4.splat(0), 16);
  if (bias != 0) copyRows(1, columns, bias, 0, to, 0);
}
