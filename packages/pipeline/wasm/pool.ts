// Pooling over windows of images [rows, columns, channels]; channels are the vectors' direction.

/** Where a window ends inside the image. */
// @ts-ignore: decorator
@inline
function clip(first: isize, size: isize, length: isize): isize {
  return min<isize>(first + size, length);
}

/** y [images, yRows, yColumns, channels] = the largest of each window. Padding takes no part. */
export function maxPool(
  images: usize, rows: isize, columns: isize, channels: usize,
  tapRows: isize, tapColumns: isize, strideRows: isize, strideColumns: isize, top: isize, left: isize,
  yRows: isize, yColumns: isize, x: usize, y: usize,
): void {
  const pixel = channels << 2, vectors = pixel & ~15;
  const image = <usize>(rows * columns) * pixel, row = <usize>columns * pixel;
  for (; images != 0; images--) {
    for (let yr: isize = 0; yr < yRows; yr++) {
      const r0 = yr * strideRows - top, r1 = clip(r0, tapRows, rows), ra = max<isize>(r0, 0);
      for (let yc: isize = 0; yc < yColumns; yc++) {
        const c0 = yc * strideColumns - left, c1 = clip(c0, tapColumns, columns), ca = max<isize>(c0, 0);
        const first = x + <usize>(ra * columns + ca) * pixel;
        let at: usize = 0;
        // Nearly every window there is: two by two, all inside.
        if (tapRows == 2 && tapColumns == 2 && r1 - ra == 2 && c1 - ca == 2) {
          for (; at != vectors; at += 16) {
            const a = first + at, b = a + row;
            const above = f32x4.max(v128.load(a), v128.load(a + pixel));
            v128.store(y + at, f32x4.max(f32x4.max(above, v128.load(b)), v128.load(b + pixel)));
          }
        }
        for (; at < vectors; at += 16) {
          let most = f32x4.splat(-Infinity);
          let line = first + at;
          for (let r = ra; r < r1; r++) {
            let tap = line;
            for (let c = ca; c < c1; c++) {
              most = f32x4.max(most, v128.load(tap));
              tap += pixel;
            }
            line += row;
          }
          v128.store(y + at, most);
        }
        for (; at != pixel; at += 4) {
          let most: f32 = -Infinity;
          let line = first + at;
          for (let r = ra; r < r1; r++) {
            let tap = line;
            for (let c = ca; c < c1; c++) {
              most = max<f32>(most, load<f32>(tap));
              tap += pixel;
            }
            line += row;
          }
          store<f32>(y + at, most);
        }
        y += pixel;
      }
    }
    x += image;
  }
}

/**
 * dx = the slope of each window, dy, given to its first pixel that equals the window's largest, y; windows in order. dx must not
 * overlap the inputs.
 */
export function maxPoolGradient(
  images: usize, rows: isize, columns: isize, channels: usize,
  tapRows: isize, tapColumns: isize, strideRows: isize, strideColumns: isize, top: isize, left: isize,
  yRows: isize, yColumns: isize, x: usize, y: usize, dy: usize, dx: usize,
): void {
  const pixel = channels << 2, vectors = pixel & ~15;
  const image = <usize>(rows * columns) * pixel, row = <usize>columns * pixel;
  memory.fill(dx, 0, images * image);
  // Windows of two by two that do not overlap: nothing to add to.
  const alone = tapRows == 2 && tapColumns == 2 && strideRows >= 2 && strideColumns >= 2;
  // dx lies as x does.
  const over = dx - x;
  for (; images != 0; images--) {
    for (let yr: isize = 0; yr < yRows; yr++) {
      const r0 = yr * strideRows - top, r1 = clip(r0, tapRows, rows), ra = max<isize>(r0, 0);
      for (let yc: isize = 0; yc < yColumns; yc++) {
        const c0 = yc * strideColumns - left, c1 = clip(c0, tapColumns, columns), ca = max<isize>(c0, 0);
        const first = x + <usize>(ra * columns + ca) * pixel;
        let at: usize = 0;
        if (alone && r1 - ra == 2 && c1 - ca == 2) {
          for (; at != vectors; at += 16) {
            const most = v128.load(y + at), slope = f32x4.add(v128.load(dy + at), f32x4.splat(0));
            const a = first + at, b = a + row, da = a + over, db = b + over;
            const e0 = f32x4.eq(v128.load(a), most), e1 = f32x4.eq(v128.load(a + pixel), most);
            const e01 = v128.or(e0, e1), e2 = f32x4.eq(v128.load(b), most), e012 = v128.or(e01, e2);
            v128.store(da, v128.and(slope, e0));
            v128.store(da + pixel, v128.and(slope, v128.andnot(e1, e0)));
            v128.store(db, v128.and(slope, v128.andnot(e2, e01)));
            v128.store(db + pixel, v128.and(slope, v128.andnot(f32x4.eq(v128.load(b + pixel), most), e012)));
          }
        }
        for (; at < vectors; at += 16) {
          const most = v128.load(y + at), slope = v128.load(dy + at);
          let found = i32x4.splat(0);
          let line = first + at;
          for (let r = ra; r < r1; r++) {
            let tap = line;
            for (let c = ca; c < c1; c++) {
              const here = v128.andnot(f32x4.eq(v128.load(tap), most), found);
              found = v128.or(found, here);
              const to = tap + over;
              v128.store(to, f32x4.add(v128.load(to), v128.and(here, slope)));
              tap += pixel;
            }
            line += row;
          }
        }
        for (; at != pixel; at += 4) {
          const most = load<f32>(y + at);
          let line = first + at;
          for (let r = ra; r < r1; r++) {
            let tap = line;
            for (let c = ca; c < c1; c++) {
              if (load<f32>(tap) == most) {
                const to = tap + over;
                store<f32>(to, load<f32>(to) + load<f32>(dy + at));
                r = r1;
                break;
              }
              tap += pixel;
            }
            line += row;
          }
        }
        y += pixel;
        dy += pixel;
      }
    }
    x += image;
  }
}

/**
 * dx = the slope of each window, dy, shared among those of its pixels that lie inside the image; windows in order. (tfjs's own kernels
 * share it among the padding too, where their forward pass does not.)
 */
export function avgPoolGradient(
  images: usize, rows: isize, columns: isize, channels: usize,
  tapRows: isize, tapColumns: isize, strideRows: isize, strideColumns: isize, top: isize, left: isize,
  yRows: isize, yColumns: isize, dy: usize, dx: usize,
): void {
  const pixel = channels << 2, vectors = pixel & ~15;
  const image = <usize>(rows * columns) * pixel, row = <usize>columns * pixel;
  memory.fill(dx, 0, images * image);
  for (; images != 0; images--) {
    for (let yr: isize = 0; yr < yRows; yr++) {
      const r0 = yr * strideRows - top, r1 = clip(r0, tapRows, rows), ra = max<isize>(r0, 0);
      for (let yc: isize = 0; yc < yColumns; yc++) {
        const c0 = yc * strideColumns - left, c1 = clip(c0, tapColumns, columns), ca = max<isize>(c0, 0);
        const cells = <f32>((r1 - ra) * (c1 - ca)), all = f32x4.splat(cells);
        const first = dx + <usize>(ra * columns + ca) * pixel;
        let at: usize = 0;
        for (; at != vectors; at += 16) {
          const share = f32x4.div(v128.load(dy + at), all);
          let line = first + at;
          for (let r = ra; r < r1; r++) {
            let tap = line;
            for (let c = ca; c < c1; c++) {
              v128.store(tap, f32x4.add(v128.load(tap), share));
              tap += pixel;
            }
            line += row;
          }
        }
        for (; at != pixel; at += 4) {
          const share = load<f32>(dy + at) / cells;
          let line = first + at;
          for (let r = ra; r < r1; r++) {
            let tap = line;
            for (let c = ca; c < c1; c++) {
              store<f32>(tap, load<f32>(tap) + share);
              tap += pixel;
            }
            line += row;
          }
        }
        dy += pixel;
      }
    }
    dx += image;
  }
}
