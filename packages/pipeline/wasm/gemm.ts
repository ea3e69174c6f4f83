// Matrix products in single precision: c = start + a × b, blocked along k through c (partial sums in memory are exact).
import { begin, copyRows, pack } from './panels';
import { tile } from './tile';

/** Values of k a block: a panel of b (12 kB) and the rows of a stay in the first cache. */
const block: usize = 384;

/**
 * c [m, n] = start + a [m, k] × b [k, n], each sum beginning at 0, or at the n floats at `bias` where that is not 0. Strides in
 * bytes: a transposed factor is one with its strides exchanged; c is dense. k is at least 1.
 * scratch: 160 + 32 × min(k, 384) × ceil(n / 8) bytes.
 */
export function sgemm(
  m: usize,
  n: usize,
  k: usize,
  a: usize,
  aRow: usize,
  aColumn: usize,
  b: usize,
  bRow: usize,
  bColumn: usize,
  c: usize,
  bias: usize,
  scratch: usize,
): void {
  // 128 bytes for a tile at the edge, 32 that sums begin with, then the panels.
  const edge = scratch,
    first = scratch + 128,
    panels = scratch + 160;
  const cRow = n << 2;
  for (let k0: usize = 0; k0 < k; k0 += block) {
    const some = k - k0 < block ? k - k0 : block;
    pack(some, n, b + k0 * bRow, bRow, bColumn, panels, some << 5);
    const again = k0 != 0;
    for (let j: usize = 0; j < n; j += 8) {
      const columns = n - j < 8 ? n - j : 8;
      const panel = panels + j * (some << 2);
      begin(bias == 0 ? 0 : bias + (j << 2), columns, first);
      let ai = a + k0 * aColumn;
      let ci = c + (j << 2);
      for (let i: usize = 0; i < m; i += 4) {
        const rows = m - i < 4 ? m - i : 4;
        const whole = rows == 4 && columns == 8;
        const a1 = rows > 1 ? ai + aRow : ai;
        const a2 = rows > 2 ? a1 + aRow : a1;
        const a3 = rows > 3 ? a2 + aRow : a2;
        const to = whole ? ci : edge;
        const toRow: usize = whole ? cRow : 32;
        if (again && !whole) copyRows(rows, columns, ci, cRow, edge, 32);
        tile(
          ai,
          a1,
          a2,
          a3,
          some,
          aColumn,
          1,
          0,
          panel,
          again ? to : first,
          again ? toRow : 0,
          to,
          to + toRow,
          to + (toRow << 1),
          to + toRow * 3,
        );
        if (!whole) copyRows(rows, columns, edge, 32, ci, cRow);
        ai += aRow << 2;
        ci += cRow << 2;
      }
    }
  }
}
