// A verdict as plain text, line by line: for the terminal, and for pages that want no table.

import { declaredRunLines } from './declared-run-lines.ts';
import {
  type Confirmation,
  type Contradictions,
  type LoneInputs,
  type ModelVerdict,
  setNames,
  type TestResult,
  type TrainTest,
} from './evidence.ts';
import { cellWords, counted, shortP } from './sentence.ts';
import { triggerLine } from './triggers-shown.ts';

/** Lines without trailing newline or markup: the sentence, what was weighed, tests, bounds, alarms, reasons, taints, limits. */
export const explainVerdict = (verdict: ModelVerdict): string[] => {
  const lines = [verdict.sentence];
  if (verdict.k > 0) lines.push(`Weighed: ${counted(verdict.k)}, seeds ${verdict.seeds.join(', ')}.`);
  if (verdict.registered) {
    const { recipeSha256, at, by } = verdict.registered;
    const who = by === 'farm' ? 'by the farm' : 'on this machine';
    lines.push(`Registered before training: recipe ${recipeSha256}, noted ${at} ${who}.`);
  }
  if (verdict.moreRuns > 0) lines.push(`Not final: ${verdict.moreRuns} more wanted.`);
  lines.push(...declaredRunLines(verdict));
  const { metric } = verdict;
  if (metric) {
    const margin = verdict.margin === null ? '' : `, margin ${verdict.margin}`;
    lines.push(
      `Metric ${metric.name}: shipped ${metric.shipped}, retrains ${metric.retrains.join(', ')}${margin}.`,
    );
  }
  if (verdict.lineage) {
    const { seed, reruns, axes, why } = verdict.lineage;
    const rhos = axes.map(({ axis, rho }) => `${axis} ${rho.toPrecision(3)}`).join(', ');
    lines.push(
      `Lineage: declared seed ${seed}, ${reruns.length} reruns: ${why}${rhos && ` (rho: ${rhos})`}.`,
    );
  }
  if (verdict.dependence) lines.push(`Data: ${verdict.dependence.why}.`);
  const { gap } = verdict;
  if (gap) {
    lines.push(gapLine('loss', gap.loss));
    if (gap.accuracy) lines.push(gapLine('accuracy', gap.accuracy));
  }
  for (const test of verdict.tests) lines.push(testLine(test));
  for (const test of verdict.outsideFamily ?? []) lines.push(`Outside the family: ${testLine(test)}`);
  for (const untested of verdict.untested ?? []) lines.push(`Untested: ${untested}.`);
  if (verdict.confirmation) lines.push(...confirmationLines(verdict.confirmation));
  for (const { name, upper, limit, holds } of verdict.bounds) {
    lines.push(
      `Bound: ${name} at most ${upper.toPrecision(3)}, ${holds ? 'within' : 'not within'} ${limit}.`,
    );
  }
  for (const lone of verdict.loneInputs ?? []) if (lone.count > 0) lines.push(loneLine(lone));
  if (verdict.triggers) lines.push(triggerLine(verdict.triggers));
  if (verdict.contradictions && verdict.contradictions.count > 0) {
    lines.push(contradictionLine(verdict.contradictions));
  }
  for (const { name, detail } of verdict.alarms) lines.push(`Alarm: ${name}: ${detail}.`);
  for (const reason of verdict.reasons) lines.push(`Reason: ${reason}`);
  if (verdict.taints.length > 0) lines.push(`Tainted by: ${verdict.taints.join(', ')}.`);
  for (const limit of verdict.limits) lines.push(`Limit: ${limit}`);
  return lines;
};

const testLine = (test: TestResult): string => {
  const numbers = `t(${Number(test.degreesOfFreedom.toFixed(2))}) = ${test.statistic.toFixed(2)}, p = ${shortP(test.p)}, rank p = ${shortP(test.rankP)}${cellWords(test, ', most in ')}`;
  return `${test.cells ? 'Cells' : 'Test'}: ${test.name}: ${numbers}. H0: ${test.nullHypothesis}.`;
};

const gapLine = (name: string, { shipped, retrains }: TrainTest): string => {
  const pair = ({ train, test }: TrainTest['shipped']): string =>
    `${train.toPrecision(4)} / ${test.toPrecision(4)}`;
  return `Train / test ${name}: shipped ${pair(shipped)}, retrains ${retrains.map(pair).join(', ')}.`;
};

const confirmationLines = ({ seeds, tests, familyP, alpha, confirmed }: Confirmation): string[] => {
  if (confirmed === null) return ['Confirmation: fresh retrains are wanted.'];
  const outcome = confirmed ? 'confirmed' : 'not confirmed';
  return [
    `Confirmation: ${outcome} by ${counted(seeds.length)} with seeds ${seeds.join(', ')}: p = ${shortP(familyP)}, held against ${alpha}.`,
    ...tests.map((test) => `Confirmation: ${testLine(test)}`),
  ];
};

const loneLine = ({ set, rows, count, mostOfRetrain, mostSaid, listed }: LoneInputs): string => {
  const shown = listed.map(
    ({ row, retrains, shipped }) => `row ${row} (class ${shipped}, retrains ${retrains})`,
  );
  const more = count > listed.length ? ` and ${count - listed.length} more` : '';
  return `Alone: on ${setNames[set]} in ${count} of ${rows} inputs, where every retrain is sure of another class (no retrain is alone in more than ${mostOfRetrain}); most often it says class ${mostSaid?.class} (${mostSaid?.count}): ${shown.join(', ')}${more}.`;
};

const contradictionLine = ({ rows, count, mostOfRetrain, listed }: Contradictions): string => {
  const shown = listed.map(({ row, declared, shipped }) => `row ${row} (${shipped}, declared ${declared})`);
  const more = count > listed.length ? ` and ${count - listed.length} more` : '';
  return `Contradicted labels: ${count} of ${rows} training inputs, where every retrain is sure of the declared label (a retrain at most ${mostOfRetrain}): ${shown.join(', ')}${more}.`;
};
