// How far apart two models' outputs lie on the same inputs. All distances are means over rows, ≥ 0, 0 for equal outputs, and
// symmetric; what is compared are their logarithms, so that the unit does not matter.
import type { Task } from '../recipe/recipe.ts';

/** Distance of two row-major outputs of equal shape, rows × columns. */
export type OutputDistance = (a: Float32Array, b: Float32Array, columns: number) => number;

/**
 * Squared Hellinger distance between class distributions, ½ Σ (√p - √q)², mean over rows: 0..1 (Hellinger 1909). Values below
 * 0 (rounding) count as 0.
 */
export const squaredHellinger: OutputDistance = (a, b, columns) => {
  let sum = 0;
  for (let i = 0; i < a.length; i += 1) {
    const gap = Math.sqrt(Math.max(0, a[i]!)) - Math.sqrt(Math.max(0, b[i]!));
    sum += gap * gap;
  }
  return sum / 2 / (a.length / columns);
};

/** Squared Hellinger of each output taken as a Bernoulli probability of its own, mean over rows and columns: 0..1. */
export const bernoulliHellinger: OutputDistance = (a, b) => {
  let sum = 0;
  for (let i = 0; i < a.length; i += 1) {
    const p = Math.min(1, Math.max(0, a[i]!));
    const q = Math.min(1, Math.max(0, b[i]!));
    const yes = Math.sqrt(p) - Math.sqrt(q);
    const no = Math.sqrt(1 - p) - Math.sqrt(1 - q);
    sum += yes * yes + no * no;
  }
  return sum / 2 / a.length;
};

/** Mean squared difference of outputs, in squared units of the output: for regression. */
export const meanSquaredDifference: OutputDistance = (a, b) => {
  let sum = 0;
  for (let i = 0; i < a.length; i += 1) sum += (a[i]! - b[i]!) ** 2;
  return sum / a.length;
};

/** The distance that fits a task; null where outputs cannot be compared value by value (embeddings may be rotated) or at all. */
export const distanceFor = (task: Task): { name: string; of: OutputDistance } | null => {
  switch (task) {
    case 'classification':
      return { name: 'squared Hellinger distance', of: squaredHellinger };
    case 'probability-vector':
      return { name: 'squared Hellinger distance per output', of: bernoulliHellinger };
    case 'regression':
      return { name: 'mean squared difference', of: meanSquaredDifference };
    case 'embedding':
    case 'opaque':
      return null;
  }
};
