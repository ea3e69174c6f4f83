// The battery of one look: every test that the model's task has, summed up into the family's p; with it the bounds that equivalence
// needs, and the figures that are shown beside. It measures; decision.ts decides.
import { classifierTests } from './battery-of-classifier.ts';
import { outputTests } from './battery-of-outputs.ts';
import { bonferroniP } from './bonferroni.ts';
import { boundsOf } from './bounds.ts';
import type { Compared } from './compared.ts';
import { contradictionsOf } from './contradictions.ts';
import type { Contradictions, Gap, ModelVerdict, TestResult } from './evidence.ts';
import { gapOf } from './gap.ts';

export interface Battery {
  tests: TestResult[];
  /** Tests of the family that were not defined on these numbers, one sentence each; they count as p = 1 and forbid equivalence. */
  undefinedTests: string[];
  /** Tests that this model does not have, one sentence each; they are no part of the family. */
  untested: string[];
  outsideFamily: TestResult[];
  familyP: number;
  /** Bonferroni p of the other tail of the distance tests. */
  tooCloseP: number;
  churnRatio: number | null;
  bounds: ModelVerdict['bounds'];
  gap: Gap | null;
  contradictions: Contradictions | null;
}

/** Measures the shipped file against its retrains. */
export const runBattery = (compared: Compared): Battery => {
  const isClassifier = compared.model.task === 'classification';
  const { family, outside, peers } = isClassifier ? classifierTests(compared) : outputTests(compared);
  const tests = family.flatMap((outcome) => ('test' in outcome ? outcome.test : []));
  const undefinedTests = family.flatMap((outcome) => ('why' in outcome ? outcome.why : []));
  const untested = family.flatMap((outcome) => ('untested' in outcome ? outcome.untested : []));
  const onTest = peers.get('test');
  return {
    tests,
    undefinedTests,
    untested: [...new Set(untested)],
    outsideFamily: outside.flatMap((outcome) => ('test' in outcome ? outcome.test : [])),
    familyP: bonferroniP([...tests.map(({ p }) => p), ...undefinedTests.map(() => 1)]),
    tooCloseP: peers.size === 0 ? 1 : bonferroniP([...peers.values()].map(({ tooCloseP }) => tooCloseP)),
    churnRatio: onTest ? Math.exp(onTest.theta) : null,
    bounds: boundsOf(compared, onTest),
    gap: gapOf(compared, tests.length),
    contradictions: isClassifier ? contradictionsOf(compared) : null,
  };
};
