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
        for (; at != vectors; at += 16) {
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
  // dx lies as x does.
  const over = dx - x;
  for (; images != 0; images--) {
    for (let yr: isize = 0; yr < yRows; yr++) {
      const r0 = yr * strideRows - top, r1 = clip(r0, tapRows, rows), ra = max<isize>(r0, 0);
      for (let yc: isize = 0; yc < yColumns; yc++) {
        const c0 = yc * strideColumns - left, c1 = clip(c0, tapColumns, columns), ca = max<isize>(c0, 0);
        const first = x + <usize>(ra * columns + ca) * pixel;
        let at: usize = 0;
        for (; at != vectors; at += 16) {
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
