// Moderated predictive t over cells: is each of many run-level numbers of the shipped model one more draw of the retrains'? A few
// retrains measure a spread badly; the cells of one set are alike enough to lend each other some.
// Source: the empirical-Bayes variance of limma (Smyth 2004, Stat. Appl. Genet. Mol. Biol. 3(1), §6.2), the prior's degrees of
// freedom capped, in the prediction interval of a normal sample (Hahn and Meeker 1991, §4.8).
import { meanOf, sdOf } from './moments.ts';
import { digamma, trigamma, trigammaInverse } from './polygamma.ts';
import { rankP } from './rank-p.ts';
import { lowerP, twoSidedP } from './student-t.ts';

/** Uncapped, 6–15 % of honest models fell below a nominal 5 % at k = 3: cells of one model are not independent. */
const largestPriorDf = 4;
/** Few cells know their common spread badly: a quarter of a degree for each but one keeps 2–20 cells at their size (simulated). */
const priorDfPerCell = 0.25;
/** A cell's variance is not let below this share of the median: a cell may be constant by chance (limma's own floor). */
const leastShare = 1e-5;

export interface ModeratedCells {
  /** The cell with the smallest p, from 0. */
  cell: number;
  cells: number;
  /** Its t. */
  statistic: number;
  /** Prior and residual degrees of freedom, d0 + k - 1. */
  degreesOfFreedom: number;
  /** Bonferroni over the cells. */
  p: number;
  rankP: number;
}

/**
 * Prior variance and its degrees of freedom from variances > 0 with `df` degrees of freedom each: log variances of equal cells would
 * scatter by trigamma(df/2); what is in excess says how unlike the cells are.
 */
const priorOf = (variances: readonly number[], df: number): { variance: number; df: number } => {
  if (variances.length < 2) return { variance: 0, df: 0 };
  const most = Math.min(largestPriorDf, priorDfPerCell * (variances.length - 1));
  const shift = digamma(df / 2) - Math.log(df / 2);
  const logs = variances.map((variance) => Math.log(variance) - shift);
  const excess = sdOf(logs) ** 2 - trigamma(df / 2);
  if (!(excess > 0)) return { variance: Math.exp(meanOf(logs)), df: most };
  const prior = 2 * trigammaInverse(excess);
  const variance = Math.exp(meanOf(logs) + digamma(prior / 2) - Math.log(prior / 2));
  return { variance, df: Math.min(most, prior) };
};

/**
 * `shipped` has one number a cell, `retrains` one such list a retrain (k ≥ 2, all of one length ≥ 1, the unit of a cell free but the
 * same in all). In each cell t = (x_S - mean x_R) / (s~ sqrt(1 + 1/k)), s~² = (d0 s0² + (k-1) s²) / (d0 + k-1), d0 + k-1 degrees of
 * freedom; s is not let below `sdFloor` (same unit). Two-sided, or on the lower side only: the shipped number is too small. H0: in every
 * cell the shipped number and the retrains' are draws of one normal distribution. Null where the test is not defined: fewer than two
 * retrains, a number that is not finite, or no spread: in any cell, without a floor in at least half of them.
 */
export const moderatedCells = (
  shipped: readonly number[],
  retrains: readonly (readonly number[])[],
  { sdFloor = 0, side = 'both' }: { sdFloor?: number; side?: 'both' | 'lower' } = {},
): ModeratedCells | null => {
  const k = retrains.length;
  const cells = shipped.length;
  if (k < 2 || cells < 1) return null;
  const columns = shipped.map((_, cell) => retrains.map((values) => values[cell]!));
  if (!shipped.every(Number.isFinite) || !columns.every((column) => column.every(Number.isFinite)))
    return null;
  const df = k - 1;
  // A spread of nothing but rounding errors is no spread.
  const sds = columns.map((column) => {
    const sd = sdOf(column);
    const size = column.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    return sd > 1e-9 * size ? sd : 0;
  });
  const sorted = Float64Array.from(sds).sort();
  const median = sorted[Math.floor((cells - 1) / 2)]!;
  if (!((sdFloor > 0 ? sorted[cells - 1]! : median) > 0)) return null;
  const floor = Math.max(sdFloor ** 2, leastShare * median ** 2);
  const variances = sds.map((sd) => Math.max(floor, sd ** 2));
  const prior = priorOf(variances, df);
  const degreesOfFreedom = prior.df + df;
  const oddity = side === 'both' ? Math.abs : (t: number): number => -t;
  let cell = 0;
  let statistic = side === 'both' ? 0 : Number.POSITIVE_INFINITY;
  for (const [i, column] of columns.entries()) {
    const variance = (prior.df * prior.variance + df * variances[i]!) / degreesOfFreedom;
    const t = (shipped[i]! - meanOf(column)) / Math.sqrt(variance * (1 + 1 / k));
    if (!Number.isFinite(t)) return null;
    if (oddity(t) > oddity(statistic)) [cell, statistic] = [i, t];
  }
  return {
    cell,
    cells,
    statistic,
    degreesOfFreedom,
    p: Math.min(1, cells * (side === 'both' ? twoSidedP : lowerP)(statistic, degreesOfFreedom)),
    rankP: rankOf(shipped, columns, Math.sqrt(floor), oddity),
  };
};

/** Rank p of the oddest cell, each file against the mean of all k + 1 in units of their sd: the same score for every file. */
const rankOf = (
  shipped: readonly number[],
  columns: readonly number[][],
  floor: number,
  oddity: (t: number) => number,
): number => {
  const scores = new Array<number>(columns[0]!.length + 1).fill(Number.NEGATIVE_INFINITY);
  for (const [i, column] of columns.entries()) {
    const all = [shipped[i]!, ...column];
    const mean = meanOf(all);
    const sd = Math.max(floor, sdOf(all));
    for (const [file, x] of all.entries()) scores[file] = Math.max(scores[file]!, oddity((x - mean) / sd));
  }
  return rankP(scores[0]!, scores.slice(1));
};
