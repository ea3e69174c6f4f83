// The tests of disagreement: peer distance of the outputs on one set. Squared Hellinger distance separates better than labels do.
import { type Compared, missingSet, type Outcome, outputsOf } from './compared.ts';
import { type EvidenceSet, setNames } from './evidence.ts';
import { distanceFor } from './hellinger.ts';
import type { JudgedFile } from './judged.ts';
import { type PeerDistance, peerDistance } from './peer-distance.ts';

/** Squared distances below this are rounding errors of float32 outputs: such models behave identically on the set. */
const identical = 1e-12;

export type DistanceSet = Exclude<EvidenceSet, 'mix'>;

/**
 * Peer-distance t (peer-distance.ts) by the task's own distance (hellinger.ts), one-sided: too far out. H0: on this set the shipped
 * model disagrees with the retrains no more than they do among themselves. Not defined where two retrains behave identically.
 */
export const distanceTest = (
  compared: Compared,
  set: DistanceSet,
): { outcome: Outcome; peer: PeerDistance | null } => {
  const { name: distance } = distanceFor(compared.model.task)!;
  const untested = missingSet(compared, set, `disagreement on ${setNames[set]}`);
  if (untested !== null) return { outcome: { untested }, peer: null };
  const name = `${distance} on ${setNames[set]}`;
  const peer = peerOf(compared, set);
  if (peer === null)
    return { outcome: { why: `${name}: the retrains show no spread to measure against` }, peer };
  const { statistic, degreesOfFreedom, p, rankP } = peer;
  const nullHypothesis = `on ${setNames[set]} the shipped model disagrees with the retrains no more than they do among themselves`;
  const test = {
    id: `distance-${set}` as const,
    name,
    nullHypothesis,
    statistic,
    degreesOfFreedom,
    p,
    rankP,
  };
  return { outcome: { test }, peer };
};

const peerOf = ({ model, shipped, retrains, measures }: Compared, set: EvidenceSet): PeerDistance | null => {
  const distance = (a: JudgedFile, b: JudgedFile): number => {
    const { values, columns } = outputsOf(a, set)!;
    return measures.distance(model.task, values, outputsOf(b, set)!.values, columns);
  };
  const among = retrains.map((a) => retrains.map((b) => (a === b ? 0 : distance(a, b))));
  if (among.some((row, i) => row.some((d, j) => i !== j && d < identical))) return null;
  // A shipped file that behaves as one retrain does is near, not undefined: the floor keeps its logarithm finite.
  return peerDistance(
    retrains.map((retrain) => Math.max(identical, distance(shipped, retrain))),
    among,
  );
};
