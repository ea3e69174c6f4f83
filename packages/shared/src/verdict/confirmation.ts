// A difference that rests on statistics alone is confirmed before it is announced: at the scale of an archive one honest model in a
// hundred is many a week. Ten retrains that the look did not see, the battery on them alone, at the alpha of ten: whatever
// chance the first retrains had, the announced rate is that of one test at .005. What is odd in the shipped model itself stays odd.
import { type Battery, runBattery } from './battery.ts';
import type { Finding } from './finding.ts';
import type { JudgedFile, JudgedRun, JudgeInput } from './judged.ts';
import { looks } from './looks.ts';
import type { Measures } from './measures.ts';

const last = looks[looks.length - 1]!;

/** How many fresh retrains confirm a difference: those of the next seeds after the look's. */
export const confirmingRuns = last.k;

export type Confirmed = NonNullable<Finding['confirmation']> & { battery: Battery | null };

/**
 * Weighs the fresh retrains (the distinct seeds after the look's, in seed order); fewer than ten: still wanted. The alpha is
 * that of k = 10, whatever the look's was.
 */
export const confirm = (
  model: JudgeInput['model'],
  shipped: JudgedFile,
  fresh: readonly JudgedRun[],
  measures: Measures,
): Confirmed => {
  const { alpha } = last;
  if (fresh.length < confirmingRuns) {
    return { seeds: [], tests: [], familyP: null, alpha, confirmed: null, battery: null };
  }
  const battery = runBattery({ model, shipped, retrains: fresh, measures });
  const { tests, familyP } = battery;
  return {
    seeds: fresh.map(({ seed }) => seed),
    tests,
    familyP,
    alpha,
    confirmed: familyP <= alpha,
    battery,
  };
};
