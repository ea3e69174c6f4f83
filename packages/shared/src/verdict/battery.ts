// The battery of one look: predictive t on the loss, peer-distance t on test data, noise and patch probes; with them the two
// bounds that equivalence needs, and the cells that say where a model differs. It measures; verdict.ts decides. Expects files without
// an obstacle (obstacle.ts).
import type { RecipeModel } from '../recipe/recipe.ts';
import { bonferroniP } from './bonferroni.ts';
import { cellScaleOf } from './cell-means.ts';
import { type EvidenceSet, type ModelVerdict, requiredSets, setNames, type TestResult } from './evidence.ts';
import { distanceFor } from './hellinger.ts';
import type { JudgedFile } from './judged.ts';
import type { Measures } from './measures.ts';
import { moderatedCells } from './moderated-cells.ts';
import { accuracySdFloor } from './moments.ts';
import { churnUpperBound, type PeerDistance, peerDistance } from './peer-distance.ts';
import { predictiveT } from './predictive-t.ts';
import { metricUpperBound } from './tost.ts';

/** exp(theta) on test data may not surpass this; honest 95 % quantiles were 1.15–1.23 on three tasks. */
const churnLimit = 1.5;

/** Squared distances below this are rounding errors of float32 outputs: such models behave identically on the set. */
const identical = 1e-12;

export interface Battery {
  tests: TestResult[];
  /** Tests that were not defined on these numbers, one sentence each; they count as p = 1 and forbid equivalence. */
  undefinedTests: string[];
  /** Moderated cells on each set where they are defined: outside the family, for they say where, not whether (decision 0205). */
  cellTests: TestResult[];
  familyP: number;
  /** Bonferroni p of the other tail of the distance tests. */
  tooCloseP: number;
  churnRatio: number | null;
  bounds: ModelVerdict['bounds'];
}

/** Measures the shipped file (files[0]) against the retrains (files[1..k]). */
export const runBattery = (model: RecipeModel, files: readonly JudgedFile[], measures: Measures): Battery => {
  const [shipped, ...retrains] = files as [JudgedFile, ...JudgedFile[]];
  const tests: TestResult[] = [];
  const undefinedTests: string[] = [];
  const loss = lossTest(shipped, retrains);
  if ('why' in loss) undefinedTests.push(loss.why);
  else tests.push(loss.test);
  const peers = new Map<EvidenceSet, PeerDistance>();
  for (const set of requiredSets) {
    const name = `${distanceFor(model.task)!.name} on ${setNames[set]}`;
    const peer = peerTest(model.task, set, files, measures);
    if (peer === null) {
      undefinedTests.push(`${name}: the retrains show no spread to measure against`);
      continue;
    }
    peers.set(set, peer);
    const { statistic, degreesOfFreedom, p, rankP } = peer;
    const nullHypothesis = `on ${setNames[set]} the shipped model disagrees with the retrains no more than they do among themselves`;
    tests.push({ id: `distance-${set}`, name, nullHypothesis, statistic, degreesOfFreedom, p, rankP });
  }
  const missing = undefinedTests.map(() => 1);
  const onTest = peers.get('test');
  return {
    tests,
    undefinedTests,
    cellTests: requiredSets.flatMap((set) => cellsTest(model.task, set, files, measures) ?? []),
    familyP: bonferroniP([...tests.map(({ p }) => p), ...missing]),
    tooCloseP: bonferroniP(requiredSets.map((set) => peers.get(set)?.tooCloseP ?? 1)),
    churnRatio: onTest ? Math.exp(onTest.theta) : null,
    bounds: boundsOf(model, shipped, retrains, onTest),
  };
};

const metricOf = ({ evidence }: JudgedFile): number => evidence.metric!.value;

/** Log of the test loss where there is one; else the metric: an accuracy as it is, with a floored sd, another by its log10. */
const lossTest = (shipped: JudgedFile, retrains: JudgedFile[]): { test: TestResult } | { why: string } => {
  const files = [shipped, ...retrains];
  const metric = shipped.evidence.metric!.name;
  const losses = files.map(({ evidence }) => evidence.logLoss);
  const ask = (name: string, values: number[], sdFloor = 0): { test: TestResult } | { why: string } => {
    const result = predictiveT(values[0]!, values.slice(1), sdFloor);
    if (!result) return { why: `${name}: not defined on these values, or the retrains show no spread` };
    const nullHypothesis = `the shipped model's ${name} is one more draw of the retrains'`;
    return { test: { id: 'loss-test', name, nullHypothesis, ...result } };
  };
  if (losses.every((loss) => loss !== null)) return ask('log of the test loss', losses.map(Math.log));
  if (losses.some((loss) => loss !== null)) return { why: 'log of the test loss: some files have none' };
  const values = files.map(metricOf);
  if (metric === 'accuracy') {
    return ask(metric, values, accuracySdFloor(values[0]!, shipped.evidence.sets.test!.rows));
  }
  if (values.every((value) => value > 0)) return ask(`log10 of ${metric}`, values.map(Math.log10));
  return ask(metric, values);
};

const outputsOf = (file: JudgedFile, set: EvidenceSet): { values: Float32Array; columns: number } => ({
  values: file.predictions[set]!,
  columns: file.evidence.sets[set]!.columns,
});

const cellsTest = (
  task: RecipeModel['task'],
  set: (typeof requiredSets)[number],
  files: readonly JudgedFile[],
  measures: Measures,
): TestResult | null => {
  const scale = cellScaleOf(task);
  const [shipped, ...retrains] = files.map((file) => {
    const { values, columns } = outputsOf(file, set);
    return measures.cellMeans(task, values, columns);
  });
  const result = moderatedCells(shipped!, retrains, scale.sdFloor);
  if (!result) return null;
  const { cell, cells, ...numbers } = result;
  const name = `${scale.name} on ${setNames[set]}`;
  const nullHypothesis = `on ${setNames[set]} the shipped model's ${scale.name} is one more draw of the retrains'`;
  const worst = { kind: scale.kind, count: cells, worst: cell };
  return { id: `cells-${set}`, name, nullHypothesis, ...numbers, cells: worst };
};

const peerTest = (
  task: RecipeModel['task'],
  set: EvidenceSet,
  files: readonly JudgedFile[],
  measures: Measures,
): PeerDistance | null => {
  const distance = (i: number, j: number): number => {
    const { values, columns } = outputsOf(files[i]!, set);
    return measures.distance(task, values, outputsOf(files[j]!, set).values, columns);
  };
  const retrains = files.slice(1).map((_, i) => i + 1);
  const among = retrains.map((i) => retrains.map((j) => (i === j ? 0 : distance(i, j))));
  if (among.some((row, i) => row.some((d, j) => i !== j && d < identical))) return null;
  // A shipped file that behaves as one retrain does is near, not undefined: the floor keeps its logarithm finite.
  return peerDistance(
    retrains.map((i) => Math.max(identical, distance(0, i))),
    among,
  );
};

const boundsOf = (
  model: RecipeModel,
  shipped: JudgedFile,
  retrains: JudgedFile[],
  onTest: PeerDistance | undefined,
): ModelVerdict['bounds'] => {
  const bounds: ModelVerdict['bounds'] = [];
  const bound = (name: string, upper: number | null, limit: number): void => {
    if (upper !== null && Number.isFinite(upper)) bounds.push({ name, upper, limit, holds: upper <= limit });
  };
  const metric = shipped.evidence.metric!.name;
  bound(
    `difference in ${metric}`,
    metricUpperBound(metricOf(shipped), retrains.map(metricOf)),
    model.margin!,
  );
  bound('churn ratio', onTest ? churnUpperBound(onTest) : null, churnLimit);
  return bounds;
};

/** Both bounds were measured and hold. */
export const boundsHold = ({ bounds }: Pick<Battery, 'bounds'>): boolean =>
  bounds.length === 2 && bounds.every(({ holds }) => holds);
