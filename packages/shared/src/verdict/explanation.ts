// A verdict as plain text, line by line: for the terminal, and for pages that want no table.

import { type LoneInputs, type ModelVerdict, setNames } from './evidence.ts';
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
  const { tests, outsideFamily = [] } = verdict;
  for (const test of [...tests, ...outsideFamily]) {
    const numbers = `t(${test.degreesOfFreedom}) = ${test.statistic.toFixed(2)}, p = ${shortP(test.p)}, rank p = ${shortP(test.rankP)}${cellWords(test, ', most in ')}`;
    lines.push(`${test.cells ? 'Cells' : 'Test'}: ${test.name}: ${numbers}. H0: ${test.nullHypothesis}.`);
  }
  for (const { name, upper, limit, holds } of verdict.bounds) {
    lines.push(
      `Bound: ${name} at most ${upper.toPrecision(3)}, ${holds ? 'within' : 'not within'} ${limit}.`,
    );
  }
  for (const lone of verdict.loneInputs ?? []) if (lone.count > 0) lines.push(loneLine(lone));
  if (verdict.triggers) lines.push(triggerLine(verdict.triggers));
  for (const { name, detail } of verdict.alarms) lines.push(`Alarm: ${name}: ${detail}.`);
  for (const reason of verdict.reasons) lines.push(`Reason: ${reason}`);
  if (verdict.taints.length > 0) lines.push(`Tainted by: ${verdict.taints.join(', ')}.`);
  for (const limit of verdict.limits) lines.push(`Limit: ${limit}`);
  return lines;
};

const loneLine = ({ set, rows, count, mostOfRetrain, mostSaid, listed }: LoneInputs): string => {
  const shown = listed.map(
    ({ row, retrains, shipped }) => `row ${row} (class ${shipped}, retrains ${retrains})`,
  );
  const more = count > listed.length ? ` and ${count - listed.length} more` : '';
  return `Alone: on ${setNames[set]} in ${count} of ${rows} inputs, where every retrain is sure of another class (no retrain is alone in more than ${mostOfRetrain}); most often it says class ${mostSaid?.class} (${mostSaid?.count}): ${shown.join(', ')}${more}.`;
};
