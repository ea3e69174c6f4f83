// Whole arrays: sums of columns, the activation after a fused product.

/**
 * Sums of the columns of x [rows, columns], each beginning at 0 and adding rows in order: the gradient of a bias. Four vectors at
 * once hide the addition's latency.
 */
export function columnSum(rows: usize, columns: usize, x: usize, sum: usize): void {
  const row = columns << 2;
  let column: usize = 0;
  for (; column + 16 <= columns; column += 16) {
    let at = x + (column << 2);
    let s0 = f32x4.splat(0),
      s1 = f32x4.splat(0),
      s2 = f32x4.splat(0),
      s3 = f32x4.splat(0);
    for (let left = rows; left != 0; left--) {
      s0 = f32x4.add(s0, v128.load(at));
      s1 = f32x4.add(s1, v128.load(at, 16));
      s2 = f32x4.add(s2, v128.load(at, 32));
      s3 = f32x4.add(s3, v128.load(at, 48));
      at += row;
    }
    const to = sum + (column << 2);
    v128.store(to, s0);
    v128.store(to, s1, 16);
    v128.store(to, s2, 32);
    v128.store(to, s3, 48);
  }
  for (; column + 4 <= columns; column += 4) {
    let at = x + (column << 2);
    let s0 = f32x4.splat(0);
    for (let left = rows; left != 0; left--) {
      s0 = f32x4.add(s0, v128.load(at));
      at += row;
    }
    v128.store(sum + (column << 2), s0);
  }
  for (; column < columns; column++) {
    let at = x + (column << 2);
    let s0: f32 = 0;
    for (let left = rows; left != 0; left--) {
      s0 += load<f32>(at);
      at += row;
    }
    store<f32>(sum + (column << 2), s0);
  }
}

/** x = max(x, 0), in place; NaN stays NaN. */
export function relu(count: usize, x: usize): void {
  const end = x + (count << 2),
    vectors = x + ((count << 2) & ~15),
    zero = f32x4.splat(0);
  for (; x != vectors; x += 16) v128.store(x, f32x4.max(zero, v128.load(x)));
  for (; x != end; x += 4) store<f32>(x, max<f32>(0, load<f32>(x)));
}

/**
 * sum [segments, columns]: row i of x [rows, columns] is added to row ids[i] (int32), rows in order; an id outside 0 … segments - 1 drops
 * its row.
 */
export function segmentSum(rows: usize, columns: usize, segments: usize, x: usize, ids: usize, sum: usize): void {
  const row = columns << 2, vectors = row & ~15;
  memory.fill(sum, 0, segments * row);
  for (; rows != 0; rows--) {
    const id: usize = load<u32>(ids);
    ids += 4;
    // A negative id is a large unsigned one.
    if (id < segments) {
      const to = sum + id * row;
      let at: usize = 0;
      for (; at != vectors; at += 16) v128.store(to + at, f32x4.add(v128.load(to + at), v128.load(x + at)));
      for (; at != row; at += 4) store<f32>(to + at, load<f32>(to + at) + load<f32>(x + at));
    }
    x += row;
  }
}
