// Small sets for tests: their answers can be learned, and every value is a function of a seed.
import { memorySet } from '../data/record-set.ts';
import { labels } from '../data/records.ts';
import { generator } from '../random.ts';
import type { Sets } from './task.ts';

const filled = (path: string, shape: number[], draw: (index: number) => number) => {
  const size = shape.reduce((product, length) => product * length, 1);
  return { path, shape, values: Float32Array.from({ length: size }, (_, index) => draw(index)) };
};

/** Images whose class is where their bright spot lies. */
export function images(rows: number, seed = 1, shape = [4, 4, 1], classes = 3): Sets {
  const next = generator(seed, 'images');
  const size = shape.reduce((product, length) => product * length, 1);
  const kinds = Int32Array.from({ length: rows }, () => Math.floor(classes * next()));
  const x = filled('images', [rows, size], (index) => {
    const spot = index % size === kinds[Math.floor(index / size)]! * 3;
    return next() + (spot ? 1 : 0);
  });
  return {
    inputs: memorySet(x, { shape }),
    labels: labels({ path: 'kinds', shape: [rows], values: kinds }, { classes }),
  };
}

/** Numbers that are a smooth function of three others. */
export function numbers(rows: number, seed = 1): Sets {
  const next = generator(seed, 'numbers');
  const x = filled('numbers', [rows, 3], () => 2 * next() - 1);
  const y = filled('answers', [rows], (row) => {
    const [a, b, c] = x.values.subarray(3 * row, 3 * row + 3) as unknown as [number, number, number];
    return a * b - c / 2;
  });
  return { inputs: memorySet(x), targets: memorySet(y) };
}
