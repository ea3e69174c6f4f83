// Two one-sided tests for equivalence of a metric (Schuirmann 1987), as a confidence bound on the difference.
// Decides nothing by itself: verdict.ts weighs it with the other evidence.
import { meanOf, sdOf } from './moments.ts';
import { tQuantile } from './student-t.ts';

/** Looked at twice (k = 5 and 10): .95 would accept 8 % at the margin itself, .97 accepts 5 % (simulated; tost.test.ts). */
const confidence = 0.97;

/**
 * Upper bound, in units of the metric, of |shipped - what retrains give in the mean|: |M_S - mean M_R| + t(k-1, .97) s / sqrt(k).
 * Equivalent where it is at most the declared margin. H0: the difference is at least the margin. Null for fewer than two
 * retrains or a metric that is not finite.
 */
export const metricUpperBound = (shipped: number, retrains: readonly number[]): number | null => {
  const k = retrains.length;
  if (k < 2 || ![shipped, ...retrains].every(Number.isFinite)) return null;
  return (
    Math.abs(shipped - meanOf(retrains)) + (tQuantile(confidence, k - 1) * sdOf(retrains)) / Math.sqrt(k)
  );
};
