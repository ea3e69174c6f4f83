// Gradients of depthwise convolutions: each channel has its own taps, `each` results a channel. Windows may be dilated.
import { clear } from './panels';

/** a[0…count] += b[0…count] × d[0…count], floats. */
// @ts-ignore: decorator
@inline
function addProducts(count: usize, a: usize, b: usize, d: usize): void {
  const end = count << 2, vectors = end & ~15;
  let at: usize = 0;
  for (; at != vectors; at += 16) {
    v128.store(a + at, f32x4.add(v128.load(a + at), f32x4.mul(v128.load(b + at), v128.load(d + at))));
  }
  for (; at != end; at += 4) {
    store<f32>(a + at, load<f32>(a + at) + load<f32>(b + at) * load<f32>(d + at));
  }
}

/**
 * which = 0: gradient `to` of the filter [tapRows, tapColumns, channels, each] from x (`from`) [images, rows, columns, channels] and dy
 * [images, yRows, yColumns, channels × each]. which = 1: gradient `to` of x from the filter (`from`) and dy. Sums begin at 0 and run over
 * images, dy's rows and columns, then the results of a channel.
 */
export function depthwiseGradient(
  which: u32,
  images: usize, rows: isize, columns: isize, channels: usize,
  tapRows: isize, tapColumns: isize, strideRows: isize, strideColumns: isize,
  dilationRows: isize, dilationColumns: isize, top: isize, left: isize,
  yRows: isize, yColumns: isize, each: usize,
  from: usize, dy: usize, to: usize,
): void {
  const pixel = channels << 2, taps = channels * each, tapBytes = taps << 2;
  const image = <usize>(rows * columns) * pixel;
  clear(which == 0 ? <usize>(tapRows * tapColumns) * taps : images * <usize>(rows * columns) * channels, to);
  // The image is x (0) or its gradient (1), the filter the other of the two.
  let picture = which == 0 ? from : to;
  const filter = which == 0 ? to : from;
  for (; images != 0; images--) {
    for (let yr: isize = 0; yr < yRows; yr++) {
      for (let yc: isize = 0; yc < yColumns; yc++) {
        let tap = filter;
        for (let tr: isize = 0; tr < tapRows; tr++) {
          const r = yr * strideRows + tr * dilationRows - top;
          if (r < 0 || r >= rows) {
            tap += <usize>tapColumns * tapBytes;
            continue;
          }
          for (let tc: isize = 0; tc < tapColumns; tc++, tap += tapBytes) {
            const c = yc * strideColumns + tc * dilationColumns - left;
            if (c < 0 || c >= columns) continue;
            const at = picture + <usize>(r * columns + c) * pixel;
            if (each == 1) {
              if (which == 0) addProducts(channels, tap, at, dy);
              else addProducts(channels, at, dy, tap);
              continue;
            }
            for (let i: usize = 0; i < taps; i++) {
              const here = at + ((i / each) << 2), mine = tap + (i << 2), slope = load<f32>(dy + (i << 2));
              if (which == 0) store<f32>(mine, load<f32>(mine) + load<f32>(here) * slope);
              else store<f32>(here, load<f32>(here) + slope * load<f32>(mine));
            }
          }
        }
        dy += tapBytes;
      }
    }
    picture += image;
  }
}
