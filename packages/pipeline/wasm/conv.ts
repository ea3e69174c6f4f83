// Convolutions of images [rows, columns, channels] without writing their patches out: a run of taps in one row of the filter
// is contiguous in the image, so the tile reads the image itself. Only padding costs a copy, of one image at a time.
import { begin, clear, copyRows, pack } from './panels';
import { tile, tileOfColumns } from './tile';

/** Output rows × columns a block of the filter's gradient: its panel stays in the first cache. */
const block: usize = 384;

/** Copies an image into the middle of a padded one, whose border is left as it is. `row`, `paddedRow`: bytes. */
// @ts-ignore: decorator
@inline
function pad(rows: usize, row: usize, image: usize, paddedRow: usize, to: usize): void {
  copyRows(rows, row >> 2, image, row, to, paddedRow);
}

/**
 * Products of patches with the packed filter, over a grid of `rows` × `columns` patches whose first is at `a`. A patch is `outer`
 * runs of `inner` floats, `run` bytes from one run to the next. aStep, aRow: bytes from a patch to the one at its right and below;
 * cStep, cRow: the same for the n results. edge: 128 bytes; first: 32 that this overwrites.
 */
function patches(
  rows: usize, columns: usize, a: usize, aStep: usize, aRow: usize,
  inner: usize, outer: usize, run: usize,
  panels: usize, n: usize, c: usize, cStep: usize, cRow: usize,
  bias: usize, edge: usize, first: usize,
): void {
  const jump = run - (inner << 2);
  const panelBytes = (inner * outer) << 5;
  // From the last of a row to the first of the next.
  const aWrap = aRow - (columns - 1) * aStep, cWrap = cRow - (columns - 1) * cStep;
  for (let j: usize = 0; j < n; j += 8) {
    const some = n - j < 8 ? n - j : 8;
    begin(bias == 0 ? 0 : bias + (j << 2), some, first);
    let left = rows * columns, column: usize = 0;
    let a0 = a, c0 = c + (j << 2);
    for (;;) {
      let a1 = a0, a2 = a0, a3 = a0, c1 = c0, c2 = c0, c3 = c0;
      if (left > 1) {
        const wrap = ++column == columns;
        a1 += wrap ? aWrap : aStep;
        c1 += wrap ? cWrap : cStep;
        if (wrap) column = 0;
        a2 = a1;
        c2 = c1;
      }
      if (left > 2) {
        const wrap = ++column == columns;
        a2 += wrap ? aWrap : aStep;
        c2 += wrap ? cWrap : cStep;
        if (wrap) column = 0;
        a3 = a2;
        c3 = c2;
      }
      if (left > 3) {
        const wrap = ++column == columns;
        a3 += wrap ? aWrap : aStep;
        c3 += wrap ? cWrap : cStep;
        if (wrap) column = 0;
      }
      // A row of the tile that has no patch repeats one that has, and its results land on equal ones.
      const whole = some == 8;
      tile(
        a0, a1, a2, a3, inner, 4, outer, jump, panels, first, 0,
        whole ? c0 : edge, whole ? c1 : edge + 32, whole ? c2 : edge + 64, whole ? c3 : edge + 96,
      );
      if (!whole) {
        copyRows(1, some, edge, 0, c0, 0);
        copyRows(1, some, edge + 32, 0, c1, 0);
        copyRows(1, some, edge + 64, 0, c2, 0);
        copyRows(1, some, edge + 96, 0, c3, 0);
      }
      if (left <= 4) break;
      left -= 4;
      const wrap = ++column == columns;
      a0 = a3 + (wrap ? aWrap : aStep);
      c0 = c3 + (wrap ? cWrap : cStep);
      if (wrap) column = 0;
    }
    panels += panelBytes;
  }
}

/**
 * y [images, yRows, yColumns, n] = bias + x [images, rows, columns, channels] * filter [tapRows, tapColumns, channels, n]; padded:
 * size of x with its padding, of which `top` and `left` lie before it; bias: 0, or where n floats are that sums begin with.
 * edge: 160 bytes; panels: 32 × taps × channels × ceil(n / 8) bytes; image: one padded image, 0 where there is no padding.
 */
export function conv2d(
  images: usize, rows: usize, columns: usize, channels: usize,
  paddedRows: usize, paddedColumns: usize, top: usize, left: usize,
  tapRows: usize, tapColumns: usize, strideRows: usize, strideColumns: usize,
  yRows: usize, yColumns: usize, n: usize,
  x: usize, filter: usize, bias: usize, y: usize,
  edge: usize, panels: usize, image: usize,
): void {
  const pixel = channels << 2, row = columns * pixel, paddedRow = paddedColumns * pixel;
  const k = tapRows * tapColumns * channels;
  pack(k, n, filter, n << 2, 4, panels, k << 5);
  if (image != 0) clear(paddedRows * paddedColumns * channels, image);
  for (; images != 0; images--) {
    if (image != 0) pad(rows, row, x, paddedRow, image + top * paddedRow + left * pixel);
    patches(
      yRows, yColumns, image != 0 ? image : x, strideColumns * pixel, strideRows * paddedRow,
      tapColumns * channels, tapRows, paddedRow,
      panels, n, y, n << 2, yColumns * (n << 2), bias, edge, edge + 128,
    );
    x += rows * row;
    y += yRows * yColumns * (n << 2);
  }
}

/**
 * Gradient of the filter [tapRows, tapColumns, channels, n] from x and dy [images, yRows, yColumns, n]: sums begin at 0 and run
 * over images, rows, columns. Sizes as in conv2d; panels: 32 × pixels × ceil(n / 8) bytes, pixels = the output's rows of one block
 * (max(1, floor(384 / yColumns)), no more than yRows) × yColumns.
 */
export function conv2dFilterGradient(
  images: usize, rows: usize, columns: usize, channels: usize,
  paddedRows: usize, paddedColumns: usize, top: usize, left: usize,
  tapRows: usize, tapColumns: usize, strideRows: usize, strideColumns: usize,
  yRows: usize, yColumns: usize, n: usize,
  x: usize, dy: usize, filter: usize,
  edge: usize, panels: usize, image: usize,
): void {
  const pixel = channels << 2, row = columns * pixel, paddedRow = paddedColumns * pixel;
  const run = tapColumns * channels, taps = tapRows * run;
  const step = strideColumns * pixel, jump = strideRows * paddedRow - yColumns * step;
  const cRow = n << 2;
  const atOnce = max<usize>(1, block / yColumns);
  clear(taps * n, filter);
  if (image != 0) clear(paddedRows * paddedColumns * channels, image);
  for (; images != 0; images--) {
    if (image != 0) pad(rows, row, x, paddedRow, image + top * paddedRow + left * pixel);
    const from = image != 0 ? image : x;
    for (let y0: usize = 0; y0 < yRows; y0 += atOnce) {
      const some = yRows - y0 < atOnce ? yRows - y0 : atOnce;
      const k = some * yColumns;
      const slopes = dy + y0 * yColumns * cRow;
      // Eight columns lie as a panel does.
      if (n != 8) pack(k, n, slopes, cRow, 4, panels, k << 5);
      let panel = n == 8 ? slopes : panels;
      const a = from + y0 * strideRows * paddedRow;
      for (let j: usize = 0; j < n; j += 8) {
        const wide = n - j < 8 ? n - j : 8;
        let c = filter + (j << 2);
        let tap: usize = 0, ahead = a;
        for (let t: usize = 0; t < taps; t += 4) {
          const high = taps - t < 4 ? taps - t : 4;
          const a0 = ahead;
          let a1 = a0, a2 = a0, a3 = a0;
          // From the last tap of a row of the filter to the first of the next.
          const wrap = paddedRow - (run << 2) + 4;
          if (++tap == run) { tap = 0; ahead += wrap; } else ahead += 4;
          if (high > 1) { a1 = ahead; if (++tap == run) { tap = 0; ahead += wrap; } else ahead += 4; }
          if (high > 2) { a2 = ahead; if (++tap == run) { tap = 0; ahead += wrap; } else ahead += 4; }
          if (high > 3) { a3 = ahead; if (++tap == run) { tap = 0; ahead += wrap; } else ahead += 4; }
          const whole = high == 4 && wide == 8;
          const to = whole ? c : edge;
          const toRow: usize = whole ? cRow : 32;
          if (!whole) copyRows(high, wide, c, cRow, edge, 32);
          const c1 = to + toRow, c2 = c1 + toRow, c3 = c2 + toRow;
          if (a3 == a0 + 12) tileOfColumns(a0, yColumns, step, some, jump, panel, to, toRow, to, c1, c2, c3);
          else tile(a0, a1, a2, a3, yColumns, step, some, jump, panel, to, toRow, to, c1, c2, c3);
          if (!whole) copyRows(high, wide, edge, 32, c, cRow);
          c += cRow << 2;
        }
        panel += k << 5;
      }
    }
    x += rows * row;
    dy += yRows * yColumns * cRow;
  }
}

/**
 * Gradient of x from dy [images, yRows, yColumns, n] and the filter [tapRows, tapColumns, channels, n]; also the transposed
 * convolution. Each sum begins at 0 and runs over dy's rows, columns and channels. A pixel meets only the taps of its phase (row
 * and column modulo the strides), so each phase is a convolution of dy by its own part of the filter, turned around.
 * paddedRows, paddedColumns: size of dy with its padding, of which before it `top`, `left` lie; topPad, leftPad: padding of x.
 * panels: 32 × taps × n × ceil(channels / 8) bytes; image: one padded dy.
 */
export function conv2dInputGradient(
  images: usize, rows: usize, columns: usize, channels: usize,
  paddedRows: usize, paddedColumns: usize, top: usize, left: usize,
  tapRows: usize, tapColumns: usize, strideRows: usize, strideColumns: usize,
  yRows: usize, yColumns: usize, n: usize,
  topPad: usize, leftPad: usize,
  dy: usize, filter: usize, x: usize,
  edge: usize, panels: usize, image: usize,
): void {
  const pixel = n << 2, row = yColumns * pixel, paddedRow = paddedColumns * pixel;
  const xPixel = channels << 2, xRow = columns * xPixel;
  const width = (channels + 7) >> 3;
  const sr = <isize>strideRows, sc = <isize>strideColumns;
  // Row xr of x meets tap t (from the filter's end) at dy's row (t + xr - before) / stride.
  const beforeRow = <isize>(tapRows - 1) - <isize>topPad, beforeColumn = <isize>(tapColumns - 1) - <isize>leftPad;
  const empty = strideRows > tapRows || strideColumns > tapColumns;
  let to = panels;
  for (let pr: isize = 0; pr < sr; pr++) {
    const tr = (((beforeRow - pr) % sr) + sr) % sr;
    for (let pc: isize = 0; pc < sc; pc++) {
      const tc = (((beforeColumn - pc) % sc) + sc) % sc;
      const high = (<isize>tapRows - tr + sr - 1) / sr, wide = (<isize>tapColumns - tc + sc - 1) / sc;
      if (high <= 0 || wide <= 0) continue;
      const panel = <usize>(high * wide) * n << 5;
      let at = to;
      for (let r = tr; r < <isize>tapRows; r += sr) {
        for (let c = tc; c < <isize>tapColumns; c += sc) {
          const tap = (<isize>tapRows - 1 - r) * <isize>tapColumns + (<isize>tapColumns - 1 - c);
          pack(n, channels, filter + <usize>tap * channels * pixel, 4, pixel, at, panel);
          at += n << 5;
        }
      }
      to += panel * width;
    }
  }
  if (image != 0) clear(paddedRows * paddedColumns * n, image);
  for (; images != 0; images--) {
    if (image != 0) pad(yRows, row, dy, paddedRow, image + top * paddedRow + left * pixel);
    if (empty) clear(rows * columns * channels, x);
    const from = image != 0 ? image : dy;
    let panel = panels;
    for (let pr: isize = 0; pr < sr; pr++) {
      const tr = (((beforeRow - pr) % sr) + sr) % sr;
      for (let pc: isize = 0; pc < sc; pc++) {
        const tc = (((beforeColumn - pc) % sc) + sc) % sc;
        const high = (<isize>tapRows - tr + sr - 1) / sr, wide = (<isize>tapColumns - tc + sc - 1) / sc;
        if (high <= 0 || wide <= 0) continue;
        const xRows = (<isize>rows - pr + sr - 1) / sr, xColumns = (<isize>columns - pc + sc - 1) / sc;
        if (xRows > 0 && xColumns > 0) {
          const yr = (tr + pr - beforeRow) / sr + <isize>top, yc = (tc + pc - beforeColumn) / sc + <isize>left;
          patches(
            xRows, xColumns, from + <usize>yr * paddedRow + <usize>yc * pixel, pixel, paddedRow,
            <usize>wide * n, high, paddedRow,
            panel, channels, x + <usize>pr * xRow + <usize>pc * xPixel, strideColumns * xPixel, strideRows * xRow,
            0, edge, edge + 128,
          );
        }
        panel += (<usize>(high * wide) * n << 5) * width;
      }
    }
    x += rows * xRow;
    dy += yRows * row;
  }
}
