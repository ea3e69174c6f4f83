// The numbers of one model that the cell tests compare: its mean output in each column of a set.
import type { Task } from '../recipe/recipe.ts';

/** Added to a mean probability and to the rest before the odds are taken: rarer than this counts as equally rare. */
const leastMean = 1e-4;

/** How the columns of a task's outputs are told, and below which spread retrains are taken to agree by chance. */
export interface CellScale {
  kind: 'class' | 'output';
  /** What a cell holds, in words. */
  name: string;
  /** In the unit of a cell: retrains whose mean probabilities lie closer together than 1 % of themselves count as 1 % apart. */
  sdFloor: number;
}

/**
 * The scale of a task's cells: log odds of the mean for probabilities, the signed mean in the output's own unit for regression. The log
 * of the mean alone is skewed where one class takes nearly all, as on noise: 3.2 % fell below 1 % in two such cells (simulated).
 */
export const cellScaleOf = (task: Task): CellScale => {
  switch (task) {
    case 'classification':
      return { kind: 'class', name: 'mean probability per class', sdFloor: 0.01 };
    case 'probability-vector':
      return { kind: 'output', name: 'mean probability per output', sdFloor: 0.01 };
    default:
      return { kind: 'output', name: 'mean of each output', sdFloor: 0 };
  }
};

/** One number a column from row-major outputs, rows × columns, finite; means outside 0..1 (rounding) count as 0 or 1. */
export const cellMeans = (task: Task, values: Float32Array, columns: number): number[] => {
  const sums = new Array<number>(columns).fill(0);
  for (let at = 0; at < values.length; at += columns) {
    for (let column = 0; column < columns; column += 1) sums[column]! += values[at + column]!;
  }
  const rows = values.length / columns;
  if (task === 'regression') return sums.map((sum) => sum / rows);
  return sums.map((sum) => {
    const mean = Math.min(1, Math.max(0, sum / rows));
    return Math.log((leastMean + mean) / (leastMean + 1 - mean));
  });
};
