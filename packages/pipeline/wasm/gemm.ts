// Matrix products in single precision: c = start + a × b, blocked along k through c (partial sums in memory are exact).
import { begin, copyRows, gather, interleave, pack } from './panels';
import { tile, tileOfColumns } from './tile';

/** Values of k a block: four rows of a (6 kB) stay in the first cache, the panels of b in the second. */
const block: usize = 384;

/** From so many columns of b on, laying four rows of a side by side pays. */
const wide: usize = 48;

/**
 * c [m, n] = start + a [m, k] × b [k, n], each sum beginning at 0, or at the n floats at `bias` where that is not 0. Strides in
 * bytes: a transposed factor is one with its strides exchanged, so one of the two is 4; c is dense. k is at least 1.
 * scratch: 128 + 16 × min(k, 384) + 32 × (1 + min(k, 384)) × ceil(n / 8) bytes.
 */
export function sgemm(
  m: usize, n: usize, k: usize,
  a: usize, aRow: usize, aColumn: usize,
  b: usize, bRow: usize, bColumn: usize,
  c: usize, bias: usize, scratch: usize,
): void {
  // A tile at the edge, four rows of a, what sums begin with, the panels of b.
  const most = k < block ? k : block;
  const edge = scratch, four = edge + 128, starts = four + (most << 4), panels = starts + (((n + 7) >> 3) << 5);
  const cRow = n << 2;
  for (let j: usize = 0; j < n; j += 8) {
    begin(bias == 0 ? 0 : bias + (j << 2), n - j < 8 ? n - j : 8, starts + (j << 2));
  }
  for (let k0: usize = 0; k0 < k; k0 += block) {
    const some = k - k0 < block ? k - k0 : block;
    pack(some, n, b + k0 * bRow, bRow, bColumn, panels, some << 5);
    const again = k0 != 0;
    let ai = a + k0 * aColumn, ci = c;
    for (let i: usize = 0; i < m; i += 4) {
      const rows = m - i < 4 ? m - i : 4;
      const a1 = rows > 1 ? ai + aRow : ai;
      const a2 = rows > 2 ? a1 + aRow : a1;
      const a3 = rows > 3 ? a2 + aRow : a2;
      let together = rows == 4 && aRow == 4;
      let at = ai, step = aColumn;
      if (n >= wide && (together || aColumn == 4)) {
        if (together) gather(some, ai, aColumn, four);
        else interleave(some, ai, a1, a2, a3, four);
        together = true;
        at = four;
        step = 16;
      }
      let panel = panels;
      for (let j: usize = 0; j < n; j += 8) {
        const columns = n - j < 8 ? n - j : 8;
        const whole = rows == 4 && columns == 8;
        const cj = ci + (j << 2);
        const to = whole ? cj : edge;
        const toRow: usize = whole ? cRow : 32;
        if (again && !whole) copyRows(rows, columns, cj, cRow, edge, 32);
        const start = again ? to : starts + (j << 2), startRow = again ? toRow : 0;
        const c1 = to + toRow, c2 = c1 + toRow, c3 = c2 + toRow;
        if (together) tileOfColumns(at, some, step, 1, 0, panel, start, startRow, to, c1, c2, c3);
        else tile(ai, a1, a2, a3, some, aColumn, 1, 0, panel, start, startRow, to, c1, c2, c3);
        if (!whole) copyRows(rows, columns, edge, 32, cj, cRow);
        panel += some << 5;
      }
      ai += aRow << 2;
      ci += cRow << 2;
    }
  }
}
