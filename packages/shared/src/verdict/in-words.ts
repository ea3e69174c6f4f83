// A finding as the verdict that is stored and shown: figures, sentence, alarms, limits.
import type { Alarm, ModelVerdict } from './evidence.ts';
import type { Finding } from './finding.ts';
import type { JudgedFile, JudgedRun, JudgeInput } from './judged.ts';
import { limitsOf } from './limits.ts';
import { loneInputs } from './lone-inputs.ts';
import type { Measures } from './measures.ts';
import { meanOf, sdOf } from './moments.ts';
import { sentenceOf } from './sentence.ts';
import { triggersShown } from './triggers-shown.ts';

/** Puts a finding into words and figures. */
export const inWords = (
  { model, reference, registered }: JudgeInput,
  found: Finding,
  measures: Measures,
): ModelVerdict => {
  const { runs, battery, rung, cause, lineage, dependence, asks, confirmation } = found;
  const ran = [...runs, ...(found.fresh ?? [])].flatMap((run) => run.taints ?? []);
  const taints = new Set([...ran, ...(found.taints ?? [])]);
  if (model.readsShipped) taints.add('reads-shipped');
  const lone =
    battery && reference && model.task === 'classification'
      ? { loneInputs: loneInputs(reference, runs, measures) }
      : {};
  const triggers = battery && reference && triggersShown(reference, runs);
  const facts = {
    model: model.name,
    rung,
    k: runs.length,
    seeds: runs.map(({ seed }) => seed),
    shipped: reference && digestsOf(reference),
    retrains: runs.map(digestsOf),
    registered: registered ?? null,
    margin: model.margin,
    metric: metricOf(reference, runs),
    ...(lineage && { lineage }),
    ...(dependence && { dependence }),
    tests: battery?.tests ?? [],
    familyP: battery?.familyP ?? null,
    alpha: found.alpha,
    churnRatio: battery?.churnRatio ?? null,
    bounds: battery?.bounds ?? [],
    ...(battery && { outsideFamily: battery.outsideFamily, untested: battery.untested }),
    ...lone,
    ...(triggers && { triggers }),
    ...(battery?.contradictions && { contradictions: battery.contradictions }),
    ...(battery?.gap && { gap: battery.gap }),
    ...(confirmation && { confirmation }),
    alarms: [...found.alarms, ...claimAlarm(model, reference)],
    taints: [...taints].sort(),
    reasons: found.reasons,
    moreRuns: found.moreRuns,
    ...(asks && { asks }),
  };
  return {
    ...facts,
    sentence: sentenceOf(facts, cause),
    limits: [...(found.limits ?? []), ...limitsOf(rung, battery && { gap: battery.gap })],
  };
};

const digestsOf = ({ evidence }: JudgedFile): { sha256: string; tensorSha256: string | null } => ({
  sha256: evidence.file.sha256,
  tensorSha256: evidence.tensorSha256,
});

const metricOf = (reference: JudgedFile | null, runs: readonly JudgedRun[]): ModelVerdict['metric'] => {
  const shipped = reference?.evidence.metric;
  const retrains = runs.map(({ evidence }) =>
    evidence.metric?.name === shipped?.name ? evidence.metric?.value : undefined,
  );
  if (!shipped || retrains.length < 2) return null;
  const values = retrains.filter((value) => value !== undefined);
  if (values.length < retrains.length || ![shipped.value, ...values].every(Number.isFinite)) return null;
  return {
    name: shipped.name,
    shipped: shipped.value,
    retrains: values,
    mean: meanOf(values),
    sd: sdOf(values),
  };
};

/** Reported, not deciding: a claim in a README says nothing of where the file came from. */
const claimAlarm = (model: JudgeInput['model'], reference: JudgedFile | null): Alarm[] => {
  const measured = reference?.evidence.metric;
  if (model.claimedMetric === null || !measured || !Number.isFinite(measured.value)) return [];
  if (Math.abs(measured.value - model.claimedMetric) <= (model.margin ?? 0)) return [];
  const detail = `the recipe claims ${measured.name} ${model.claimedMetric}, the shipped file has ${measured.value}`;
  return [{ name: 'claimed-metric', detail }];
};
