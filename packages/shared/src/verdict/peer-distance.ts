// Peer-distance t test: does the shipped model disagree with the retrains more than they disagree among themselves?
// Additive model of the log distances between files i and j: L_ij = mu + a_i + a_j + e, where a_i says how far out a file lies.
// Source: docs/explanation/verdicts.md; the model is that of round-robin designs (Warner, Kenny, Stoto 1979).
import { meanOf, sdOf } from './moments.ts';
import { rankP } from './rank-p.ts';
import { lowerP, tQuantile, upperP } from './student-t.ts';

export interface PeerDistance {
  /** Mean log distance of the shipped file to its peers, less that among the peers. exp(theta) is the churn ratio. */
  theta: number;
  /** Estimated sd of the files' own effects a_i. */
  effectSd: number;
  k: number;
  statistic: number;
  degreesOfFreedom: number;
  /** One-sided: the shipped file lies too far out. */
  p: number;
  /** One-sided: it lies nearer to the retrains than they do to each other (an average, a distillation, a copy). */
  tooCloseP: number;
  rankP: number;
}

/**
 * From k ≥ 3 distances shipped-retrain and the k × k distances among retrains (diagonal unused, symmetric, all > 0):
 * D_i = mean over j≠i of L_ij, effect sd a = sd(D) (k-1)/(k-2), t = theta / (a sqrt(1 + 1/k)) with k - 1 degrees of freedom.
 * H0: the shipped file's effect and the retrains' are draws of one normal distribution. Null where the test is not defined:
 * fewer than three retrains, a distance that is not positive and finite, or no spread at all.
 */
export const peerDistance = (
  toRetrains: readonly number[],
  among: readonly (readonly number[])[],
): PeerDistance | null => {
  const k = toRetrains.length;
  if (k < 3) return null;
  const logs = among.map((row, i) => row.filter((_, j) => j !== i).map(Math.log));
  const shippedLogs = toRetrains.map(Math.log);
  if (![...shippedLogs, ...logs.flat()].every(Number.isFinite)) return null;
  const means = logs.map(meanOf);
  const effectSd = (sdOf(means) * (k - 1)) / (k - 2);
  const theta = meanOf(shippedLogs) - meanOf(means);
  // A spread of nothing but rounding errors is no spread.
  if (!(effectSd > 1e-9)) return null;
  const statistic = theta / (effectSd * Math.sqrt(1 + 1 / k));
  if (!Number.isFinite(statistic)) return null;
  const withShipped = logs.map((row, i) => meanOf([...row, shippedLogs[i]!]));
  return {
    theta,
    effectSd,
    k,
    statistic,
    degreesOfFreedom: k - 1,
    p: upperP(statistic, k - 1),
    tooCloseP: lowerP(statistic, k - 1),
    rankP: rankP(meanOf(shippedLogs), withShipped),
  };
};

/** Upper 95 % confidence bound of the churn ratio: exp(theta + t(k-1, .95) a / sqrt(k)). */
export const churnUpperBound = ({ theta, effectSd, k }: PeerDistance): number =>
  Math.exp(theta + (tQuantile(0.95, k - 1) * effectSd) / Math.sqrt(k));
