// From evidence to a verdict on one model. Pure: the same evidence gives the same verdict, whoever judges, whenever, in whatever
// order the runs arrived.
//
//   dependence: the same run without a tenth of its records; the same bytes ► not-verifiable (independent-of-data)
//
//   no shipped file, or no run yet ─────────────► not-verifiable, inconclusive
//   a run has the shipped bytes ── dependence ──► bit-identical          (not-verifiable where the recipe reads the shipped file)
//   Comparison: bitwise, other bytes ── rerun ──► different | inconclusive ("not deterministic")
//   the declared seed, other arithmetic ────────► same-run (after a dependence run) | different (edited) | neither:
//   Comparison: numerical ──────────────────────► inconclusive
//   an obstacle (NaN, shapes, seed ignored …) ──► not-verifiable
//   a class with fewer than 30 held-out examples ► inconclusive         (tests are shown)
//   look 3, 5, 10:  p ≤ alpha ── ten fresh retrains say so too ► different | inconclusive ("not confirmed")
//                   p > .05 and both bounds hold ► statistically-equivalent   (from 5, security-critical 10)
//                   else the next look; after the last ► inconclusive
//
// A verdict that is final stays so when more runs come in: each look sees only its own first k seeds.
import { differenceAlarms } from './alarms.ts';
import { runBattery } from './battery.ts';
import { judgeBytes } from './bitwise.ts';
import { confirm, confirmingRuns } from './confirmation.ts';
import { type Decision, decide } from './decision.ts';
import { judgeDigests, judgeLineage, leftUndecided } from './declared-run.ts';
import type { ModelVerdict } from './evidence.ts';
import { type Finding, finding, upperFirst } from './finding.ts';
import { inWords } from './in-words.ts';
import type { JudgedRun, JudgeInput } from './judged.ts';
import { type Look, looksOf, orderRuns } from './looks.ts';
import { Measures } from './measures.ts';
import { statisticalObstacle } from './obstacle.ts';
import { scarcityOf } from './scarcity.ts';
import { counted, shortP } from './sentence.ts';

/**
 * Judges one model. Never throws for bad evidence: NaN, missing sets, odd shapes and duplicate seeds have verdicts of their own.
 * Whoever judges often over the same arrays (another draw, another seed) passes one `measures`, and each pair is measured once.
 */
export const judgeModel = (input: JudgeInput, measures = new Measures()): ModelVerdict => {
  const retrains = input.runs.filter(({ purpose = 'retrain' }) => purpose === 'retrain');
  const ordered = orderRuns(retrains, ({ evidence }) => evidence.file.sha256);
  const waiting = retrains.length - ordered.length;
  const found = judgeRungs(input, ordered, measures);
  if (waiting > 0) found.reasons.unshift(`${counted(waiting)} of later seeds wait for an earlier seed.`);
  return inWords(input, found, measures);
};

const judgeRungs = (input: JudgeInput, ordered: readonly JudgedRun[], measures: Measures): Finding => {
  const { comparison } = input.model;
  if (comparison === 'bitwise') return judgeBytes(input, ordered);
  const { decided, reasons, lineage } = judgeLineage(input, ordered);
  if (decided) return decided;
  const found =
    comparison === 'numerical' ? leftUndecided(input, lineage) : judgeLooks(input, ordered, measures);
  return { ...found, ...(lineage && { lineage }), reasons: [...reasons, ...found.reasons] };
};

/** Retrains of distinct seeds, first of each; the others prove nothing more. */
const distinctSeeds = (runs: readonly JudgedRun[]): JudgedRun[] => {
  const seen = new Set<number>();
  return runs.filter(({ seed }) => !seen.has(seed) && seen.add(seed));
};

const judgeLooks = (input: JudgeInput, ordered: readonly JudgedRun[], measures: Measures): Finding => {
  const { model, reference } = input;
  const runs = distinctSeeds(ordered);
  const repeated = ordered.length - runs.length;
  const reasons = repeated > 0 ? [`${counted(repeated)} of a seed already seen are not weighed.`] : [];
  const scarcity = scarcityOf(reference?.evidence.classExamples);
  if (scarcity.warning !== null) reasons.push(`${upperFirst(scarcity.warning)}.`);
  const looks = looksOf(model);
  for (const [i, look] of looks.entries()) {
    const weighed = runs.slice(0, look.k);
    const early = judgeDigests(input, weighed);
    if (early) return { ...early, reasons: [...reasons, ...early.reasons] };
    const obstacle = statisticalObstacle(model, reference!, weighed, measures);
    if (obstacle !== null) return finding('not-verifiable', obstacle, weighed, { reasons });
    if (weighed.length < look.k) {
      const cause =
        weighed.length === 0 ? 'no retrain has reported' : `the first look is at ${counted(look.k)}`;
      const moreRuns = look.k + repeated - weighed.length;
      return finding('inconclusive', cause, weighed, { reasons, moreRuns });
    }
    const battery = runBattery({ model, shipped: reference!, retrains: weighed, measures });
    const decision = decide(model, look, battery);
    reasons.push(...decision.reasons);
    const shown = { battery, alpha: look.alpha, alarms: decision.alarms, reasons };
    if (scarcity.tooFew !== null) return finding('inconclusive', scarcity.tooFew, weighed, shown);
    if (decision.rung === 'different') {
      return confirmed(input, look, decision, runs, { ...shown, repeated, measures });
    }
    if (decision.rung) return finding(decision.rung, decision.cause, weighed, shown);
    const next = looks[i + 1];
    if (!next || runs.length < next.k) {
      const moreRuns = next ? next.k + repeated - look.k : 0;
      return finding('inconclusive', decision.cause, weighed, { ...shown, moreRuns });
    }
  }
  throw new Error('a model without looks');
};

/** A look has said different: nothing is announced before the fresh retrains (those after the look's, in seed order) say so too. */
const confirmed = (
  input: JudgeInput,
  look: Look,
  { cause }: Decision,
  runs: readonly JudgedRun[],
  found: Pick<Finding, 'battery' | 'alpha' | 'alarms' | 'reasons'> & { repeated: number; measures: Measures },
): Finding => {
  const { repeated, measures, ...shown } = found;
  const weighed = runs.slice(0, look.k);
  const fresh = runs.slice(look.k, look.k + confirmingRuns);
  const early = judgeDigests(input, fresh);
  if (early) return { ...early, runs: weighed, fresh, reasons: [...shown.reasons, ...early.reasons] };
  const obstacle = statisticalObstacle(input.model, input.reference!, [...weighed, ...fresh], measures);
  if (obstacle !== null) {
    return finding('not-verifiable', obstacle, weighed, { fresh, reasons: shown.reasons });
  }
  const { battery, ...confirmation } = confirm(input.model, input.reference!, fresh, measures);
  const told = `${cause} (p = ${shortP(shown.battery!.familyP)})`;
  if (battery === null) {
    const why = `${told}; ${confirmingRuns} fresh retrains are to confirm it`;
    return finding('inconclusive', why, weighed, {
      ...shown,
      confirmation,
      moreRuns: confirmingRuns + repeated,
    });
  }
  const outcome = `of ${confirmingRuns} fresh retrains: p = ${shortP(confirmation.familyP)}, held against ${confirmation.alpha}`;
  const more = { ...shown, confirmation, fresh, reasons: [...shown.reasons, `Battery ${outcome}.`] };
  if (!confirmation.confirmed) {
    const why = `${told}, which ${confirmingRuns} fresh retrains do not confirm (p = ${shortP(confirmation.familyP)})`;
    return finding('inconclusive', why, weighed, more);
  }
  const seen = differenceAlarms(battery, input.reference!);
  const before = shown.alarms.filter(({ name }) => !seen.some((alarm) => alarm.name === name));
  const alarms = [...before, ...seen];
  return finding('different', cause, weighed, { ...more, alarms });
};
