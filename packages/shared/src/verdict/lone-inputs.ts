// The inputs on which the shipped model stands alone: all retrains agree and are sure, and it says another class. Weak as a test
// (rare, and few in number), good as evidence: a person can look at them. Source: docs/explanation/verdicts.md.
import { type EvidenceSet, type LoneInputs, requiredSets } from './evidence.ts';
import type { JudgedFile } from './judged.ts';
import { Measures } from './measures.ts';
import { classOf } from './sure-classes.ts';

/** Inputs listed by row; the others are counted. */
const mostListed = 20;

/** The class on which all of `files` but `left` are sure and agree in this row, or -1. */
const consensusOf = (files: readonly Int32Array[], row: number, left: number): number => {
  let agreed: number | null = null;
  for (const [i, classes] of files.entries()) {
    if (i === left) continue;
    agreed ??= classes[row]!;
    if (agreed < 0 || classes[row] !== agreed) return -1;
  }
  return agreed ?? -1;
};

/**
 * For class probabilities of k ≥ 2 retrains and the shipped file, of equal shape: one entry a set. `mostOfRetrain` counts the same for
 * each retrain left out, against the k - 1 others, and is the largest of those counts: what is usual.
 */
export const loneInputs = (
  shipped: JudgedFile,
  retrains: readonly JudgedFile[],
  measures = new Measures(),
): LoneInputs[] => requiredSets.map((set) => loneOn(set, shipped, retrains, measures));

const loneOn = (
  set: EvidenceSet,
  shipped: JudgedFile,
  retrains: readonly JudgedFile[],
  measures: Measures,
): LoneInputs => {
  const { columns } = shipped.evidence.sets[set]!;
  const told = (file: JudgedFile): Int32Array => measures.sureClasses(file.predictions[set]!, columns);
  const mine = told(shipped);
  const theirs = retrains.map(told);
  const alone = new Array<number>(retrains.length).fill(0);
  const result: LoneInputs = {
    set,
    rows: mine.length,
    count: 0,
    mostOfRetrain: 0,
    mostSaid: null,
    listed: [],
  };
  const said = new Int32Array(columns);
  for (let row = 0; row < mine.length; row += 1) {
    const agreed = consensusOf(theirs, row, -1);
    if (agreed >= 0 && classOf(mine[row]!) !== agreed) {
      result.count += 1;
      said[classOf(mine[row]!)]! += 1;
      if (result.listed.length < mostListed) {
        result.listed.push({ row, retrains: agreed, shipped: classOf(mine[row]!) });
      }
    }
    // Where all agree, no retrain is alone.
    if (agreed >= 0) continue;
    for (const [i, classes] of theirs.entries()) {
      const others = consensusOf(theirs, row, i);
      if (others >= 0 && classOf(classes[row]!) !== others) alone[i]! += 1;
    }
  }
  result.mostOfRetrain = Math.max(...alone);
  const most = said.reduce((best, count, label) => (count > said[best]! ? label : best), 0);
  if (result.count > 0) result.mostSaid = { class: most, count: said[most]! };
  return result;
};
