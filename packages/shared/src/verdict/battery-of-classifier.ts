// core-12, the battery of class probabilities, and the search for triggers beside it. Source: docs/explanation/verdicts.md.
import { cellsTest } from './cells-test.ts';
import type { Compared, Outcome } from './compared.ts';
import { type DistanceSet, distanceTest } from './distance-test.ts';
import { entropyTest } from './entropy.ts';
import { gapTest } from './gap.ts';
import { sliceLossCells, trainingLossCells } from './loss-cells.ts';
import { lossTest } from './loss-test.ts';
import type { PeerDistance } from './peer-distance.ts';
import { triggerTest } from './trigger-test.ts';
import { weightNormTest } from './weight-norm.ts';

/** What a battery is made of, before it is summed up. */
export interface Asked {
  /** The family, in the order in which it is shown. */
  family: Outcome[];
  outside: Outcome[];
  peers: Map<DistanceSet, PeerDistance>;
}

/** Asks the distance tests and keeps their figures: the churn ratio and the other tail are made of them. */
export const distancesOf = (
  compared: Compared,
): { peers: Asked['peers']; distance: (set: DistanceSet) => Outcome } => {
  const peers: Asked['peers'] = new Map();
  const distance = (set: DistanceSet): Outcome => {
    const { outcome, peer } = distanceTest(compared, set);
    if (peer) peers.set(set, peer);
    return outcome;
  };
  return { peers, distance };
};

/** Twelve tests, thirteen with triggers; fewer where the recipe declares no training set. */
export const classifierTests = (compared: Compared): Asked => {
  const { peers, distance } = distancesOf(compared);
  const family = [
    lossTest(compared),
    distance('test'),
    cellsTest(compared, 'test'),
    distance('train'),
    gapTest(compared),
    trainingLossCells(compared),
    entropyTest(compared, 'train'),
    entropyTest(compared, 'mix'),
    distance('noise'),
    cellsTest(compared, 'noise'),
    distance('patch'),
    cellsTest(compared, 'patch'),
    triggerTest(compared),
  ];
  const outside = [weightNormTest(compared)];
  if (compared.shipped.slices) outside.push(sliceLossCells(compared));
  return { family, outside, peers };
};
