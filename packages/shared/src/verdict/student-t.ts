// Student's t distribution (Student 1908), from @stdlib: cumulative distribution and quantile.
import t from '@stdlib/stats-base-dists-t';

/** P(T ≥ |t|) for `degreesOfFreedom` > 0: the smaller tail, so that small p keep their digits. NaN for NaN. */
const tail = (statistic: number, degreesOfFreedom: number): number =>
  t.cdf(-Math.abs(statistic), degreesOfFreedom);

/** p of H0 against a statistic that is too large or too small. */
export const twoSidedP = (statistic: number, degreesOfFreedom: number): number =>
  Math.min(1, 2 * tail(statistic, degreesOfFreedom));

/** p of H0 against a statistic that is too large. */
export const upperP = (statistic: number, degreesOfFreedom: number): number =>
  statistic >= 0 ? tail(statistic, degreesOfFreedom) : 1 - tail(statistic, degreesOfFreedom);

/** p of H0 against a statistic that is too small. */
export const lowerP = (statistic: number, degreesOfFreedom: number): number =>
  upperP(-statistic, degreesOfFreedom);

/** The value that T stays below with this probability (0..1). */
export const tQuantile = (probability: number, degreesOfFreedom: number): number =>
  t.quantile(probability, degreesOfFreedom);
