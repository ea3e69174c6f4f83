// From evidence to a verdict on one model. Pure: the same evidence gives the same verdict, whoever judges, whenever, in whatever
// order the runs arrived.
//
//   no shipped file, or no run yet ─────────────► not-verifiable, inconclusive
//   a retrain has the shipped bytes ────────────► bit-identical          (not-verifiable where the recipe reads the shipped file)
//   Comparison: bitwise, other bytes ── rerun ──► different | inconclusive ("not deterministic")
//   an obstacle (NaN, shapes, seed ignored …) ──► not-verifiable
//   a class with fewer than 30 held-out examples ► inconclusive         (tests are shown)
//   look 3, 5, 10:  p ≤ alpha ──────────────────► different
//                   p > .05 and both bounds hold ► statistically-equivalent   (from 5, security-critical 10)
//                   else the next look; after the last ► inconclusive
//
// A verdict that is final stays so when more runs come in: each look sees only its own first k seeds.
import { runBattery } from './battery.ts';
import { repeatability, sameBytes } from './bytes.ts';
import { decide } from './decision.ts';
import type { ModelVerdict, Rung } from './evidence.ts';
import type { Finding } from './finding.ts';
import { inWords } from './in-words.ts';
import type { JudgedRun, JudgeInput } from './judged.ts';
import { looksOf, orderRuns } from './looks.ts';
import { Measures } from './measures.ts';
import { statisticalObstacle } from './obstacle.ts';
import { scarcityOf } from './scarcity.ts';
import { counted } from './sentence.ts';

/**
 * Judges one model. Never throws for bad evidence: NaN, missing sets, odd shapes and duplicate seeds have verdicts of their own.
 * Whoever judges often over the same arrays (another draw, another seed) passes one `measures`, and each pair is measured once.
 */
export const judgeModel = (input: JudgeInput, measures = new Measures()): ModelVerdict => {
  const ordered = orderRuns(input.runs, ({ evidence }) => evidence.file.sha256);
  const waiting = input.runs.length - ordered.length;
  const finding =
    input.model.comparison === 'bitwise' ? judgeBytes(input, ordered) : judgeLooks(input, ordered, measures);
  if (waiting > 0) finding.reasons.unshift(`${counted(waiting)} of later seeds wait for an earlier seed.`);
  return inWords(input, finding);
};

const finding = (
  rung: Rung,
  cause: string,
  runs: readonly JudgedRun[],
  more: Partial<Omit<Finding, 'rung' | 'cause' | 'runs'>> = {},
): Finding => ({
  rung,
  cause,
  runs,
  moreRuns: 0,
  battery: null,
  alpha: null,
  alarms: [],
  ...more,
  reasons: [...(more.reasons ?? []), `${upperFirst(cause)}.`],
});

/** The verdicts that need nothing but digests, shared by all recipes; null where bytes do not decide. */
const judgeDigests = ({ model, reference }: JudgeInput, runs: readonly JudgedRun[]): Finding | null => {
  if (reference === null) return finding('not-verifiable', 'there is no shipped file to compare with', runs);
  const twin = runs.find(({ evidence }) => sameBytes(evidence, reference.evidence));
  if (!twin) return null;
  const what = twin.evidence.file.sha256 === reference.evidence.file.sha256 ? 'file' : 'tensors';
  if (model.readsShipped) {
    const cause = 'the recipe reads the shipped file, so that equal bytes prove nothing';
    return finding('not-verifiable', cause, runs);
  }
  return finding('bit-identical', `the retrain with seed ${twin.seed} has the very same ${what}`, runs);
};

const judgeBytes = (input: JudgeInput, runs: readonly JudgedRun[]): Finding => {
  const decided = judgeDigests(input, runs);
  if (decided) return decided;
  const first = runs[0];
  if (!first) return finding('inconclusive', 'no retrain has reported', runs, { moreRuns: 1 });
  const reasons = [`The retrain with seed ${first.seed} has other bytes than the shipped file.`];
  switch (repeatability(runs)) {
    case 'one-run':
      return finding(
        'inconclusive',
        'its bytes differ, and a rerun with the same seed has to tell why',
        runs,
        {
          moreRuns: 1,
          reasons,
        },
      );
    case 'agree':
      return finding('different', `${counted(runs.length)} agree on other bytes`, runs, { reasons });
    case 'disagree':
      return finding('inconclusive', 'the recipe is not deterministic: reruns of one seed differ', runs, {
        reasons,
      });
    case 'seeds-disagree':
      return finding('inconclusive', 'the bytes depend on the seed, and no seed was run twice', runs, {
        reasons,
      });
  }
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
    const obstacle = statisticalObstacle(model, reference!, weighed);
    if (obstacle !== null) return finding('not-verifiable', obstacle, weighed, { reasons });
    if (weighed.length < look.k) {
      const cause =
        weighed.length === 0 ? 'no retrain has reported' : `the first look is at ${counted(look.k)}`;
      const moreRuns = look.k + repeated - weighed.length;
      return finding('inconclusive', cause, weighed, { reasons, moreRuns });
    }
    const battery = runBattery(model, [reference!, ...weighed], measures);
    const decision = decide(model, look, battery);
    reasons.push(...decision.reasons);
    const shown = { battery, alpha: look.alpha, alarms: decision.alarms, reasons };
    if (scarcity.tooFew !== null) return finding('inconclusive', scarcity.tooFew, weighed, shown);
    if (decision.rung) return finding(decision.rung, decision.cause, weighed, shown);
    const next = looks[i + 1];
    if (!next || runs.length < next.k) {
      const moreRuns = next ? next.k + repeated - look.k : 0;
      return finding('inconclusive', decision.cause, weighed, { ...shown, moreRuns });
    }
  }
  throw new Error('a model without looks');
};

const upperFirst = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
