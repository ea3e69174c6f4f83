// Predictive t test: is one more number drawn from where the retrains' numbers came from?
// Source: the prediction interval of a normal sample (Fisher 1935; Hahn and Meeker, Statistical Intervals, 1991, §4.8).
import { meanOf, sdOf } from './moments.ts';
import { rankP } from './rank-p.ts';
import { twoSidedP } from './student-t.ts';

export interface PredictiveT {
  statistic: number;
  degreesOfFreedom: number;
  /** Two-sided. */
  p: number;
  rankP: number;
}

/**
 * t = (x_S - mean x_R) / (s sqrt(1 + 1/k)), k - 1 degrees of freedom, for k ≥ 2 retrains; s is not let below `sdFloor` (same unit as x).
 * H0: the shipped x and the retrains' x are draws of one normal distribution. Null where the test is not defined: fewer than
 * two retrains, a number that is not finite, or no spread at all.
 */
export const predictiveT = (
  shipped: number,
  retrains: readonly number[],
  sdFloor = 0,
): PredictiveT | null => {
  const k = retrains.length;
  if (k < 2 || ![shipped, ...retrains].every(Number.isFinite)) return null;
  const sd = Math.max(sdOf(retrains), sdFloor);
  // A spread of nothing but rounding errors is no spread: equal numbers would make any other infinitely surprising.
  if (!(sd > 1e-9 * Math.max(...retrains.map(Math.abs)))) return null;
  const statistic = (shipped - meanOf(retrains)) / (sd * Math.sqrt(1 + 1 / k));
  if (!Number.isFinite(statistic)) return null;
  const all = [shipped, ...retrains];
  const distances = all.map((x, i) => Math.abs(x - meanOf(all.filter((_, j) => j !== i))));
  return {
    statistic,
    degreesOfFreedom: k - 1,
    p: twoSidedP(statistic, k - 1),
    rankP: rankP(distances[0]!, distances.slice(1)),
  };
};
