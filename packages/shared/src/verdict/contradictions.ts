// Training inputs on which every retrain is sure of the declared label and the shipped model says another: whoever trained it may have
// had other labels. Weak as a test, good as evidence: a person can look at the inputs. Source: docs/explanation/verdicts.md.
import { type Compared, figuresOf, targetsOf } from './compared.ts';
import type { Contradictions } from './evidence.ts';
import { meanOf, sdOf } from './moments.ts';
import { upperP } from './student-t.ts';
import { classOf } from './sure-classes.ts';

/** Inputs listed by row; the others are counted. */
const mostListed = 20;
/** Of the square root of a count + 3/8 (Anscombe 1948): its sd under Poisson scatter. */
const sdFloor = 0.5;

/**
 * For class probabilities on the training set: the count against all k retrains, and the same of each retrain against the k - 1
 * others. For p the shipped file is counted against k - 1 retrains too, the mean over the k ways of leaving one out; t on
 * sqrt(v + 3/8), k - 1 degrees of freedom, one-sided. H0: the shipped model contradicts its labels no more than a retrain does.
 * Null without training set or labels.
 */
export const contradictionsOf = (compared: Compared): Contradictions | null => {
  const labelled = targetsOf(compared, 'train', 'contradicted labels');
  if ('untested' in labelled) return null;
  const [mine, ...theirs] = figuresOf(compared, 'train', ({ values, columns }) =>
    compared.measures.sureClasses(values, columns),
  );
  const k = theirs.length;
  const alone = new Array<number>(k).fill(0);
  const against = new Array<number>(k).fill(0);
  const result: Contradictions = { rows: mine.length, count: 0, mostOfRetrain: 0, p: null, listed: [] };
  for (const [row, declared] of labelled.targets.entries()) {
    const odd = oddOneOut(theirs, row, declared);
    if (odd === null) continue;
    const shipped = classOf(mine[row]!);
    const contradicts = shipped !== declared;
    if (odd === 'none') {
      if (!contradicts) continue;
      result.count += 1;
      for (let i = 0; i < k; i += 1) against[i]! += 1;
      if (result.listed.length < mostListed) result.listed.push({ row, declared, shipped });
      continue;
    }
    if (contradicts) against[odd]! += 1;
    if (classOf(theirs[odd]![row]!) !== declared) alone[odd]! += 1;
  }
  result.mostOfRetrain = Math.max(0, ...alone);
  if (k >= 3) {
    const roots = alone.map((count) => Math.sqrt(count + 3 / 8));
    const spread = Math.max(sdFloor, sdOf(roots)) * Math.sqrt(1 + 1 / k);
    result.p = upperP((Math.sqrt(meanOf(against) + 3 / 8) - meanOf(roots)) / spread, k - 1);
  }
  return result;
};

/** The one retrain that is not sure of the declared label; 'none' where all are; null where more than one is not. */
const oddOneOut = (told: readonly Int32Array[], row: number, declared: number): number | 'none' | null => {
  let odd: number | 'none' = 'none';
  for (const [i, classes] of told.entries()) {
    if (classes[row] === declared) continue;
    if (odd !== 'none') return null;
    odd = i;
  }
  return odd;
};
