// The rungs that stand on single runs: equal bytes, and the lineage of the declared seed; with the dependence run before either is
// announced. What they leave undecided goes on to statistics.
import { placeKey, type RunPlace } from '../job/run-place.ts';
import { sameBytes, sameFiles } from './bytes.ts';
import {
  dependenceOf,
  independentTaint,
  uncheckedLimit,
  uncheckedTaint,
  waitsForDependence,
} from './dependence.ts';
import type { Lineage } from './evidence.ts';
import { type Finding, finding, upperFirst } from './finding.ts';
import type { JudgedRun, JudgeInput } from './judged.ts';
import { isNear, isUnsettled, lineageOf } from './lineage.ts';
import { declaredPlace, furtherNumerics, hasDeclaredSeed, lineageNumerics } from './run-plan.ts';

/** Runs of the declared seed, each arithmetic in order; repetitions last. */
export const declaredRuns = ({ model, runs }: JudgeInput): JudgedRun[] =>
  runs
    .filter(({ purpose, seedIndex, seed }) => purpose === 'rerun' && seedIndex === 0 && seed === model.seed)
    .sort(
      (a, b) =>
        (a.numerics ?? 0) - (b.numerics ?? 0) || (a.evidence.file.sha256 < b.evidence.file.sha256 ? -1 : 1),
    );

/** Whether a place was tried and cannot be filled. */
export const cannotBeMade = ({ unmade = [] }: JudgeInput, place: RunPlace): boolean =>
  unmade.some((each) => placeKey(each) === placeKey(place));

/** The verdicts that need nothing but digests, shared by all recipes; null where bytes do not decide. */
export const judgeDigests = (input: JudgeInput, runs: readonly JudgedRun[]): Finding | null => {
  const { model, reference } = input;
  if (reference === null) return finding('not-verifiable', 'there is no shipped file to compare with', runs);
  const twin = runs.find(({ evidence }) => sameBytes(evidence, reference.evidence));
  if (!twin) return null;
  const what = sameFiles(twin.evidence, reference.evidence) ? 'file' : 'tensors';
  if (model.readsShipped) {
    const cause = 'the recipe reads the shipped file, so that equal bytes prove nothing';
    return finding('not-verifiable', cause, runs);
  }
  const cause = `the retrain with seed ${twin.seed} has the very same ${what}`;
  return announced(input, twin, finding('bit-identical', cause, runs));
};

/** What the declared seed says: a finding, or reasons with which statistics go on. */
export interface DeclaredSeedSaid {
  decided: Finding | null;
  reasons: string[];
  lineage?: Lineage;
}

/** The lineage rung, after the first retrain of a fresh seed. Undecided without reasons where the recipe declares no seed. */
export const judgeLineage = (input: JudgeInput, retrains: readonly JudgedRun[]): DeclaredSeedSaid => {
  const { model, reference } = input;
  if (reference === null || !hasDeclaredSeed(model)) return { decided: null, reasons: [] };
  const runs = declaredRuns(input);
  // A recipe that sets its seed itself has the shipped bytes in any run.
  const early = judgeDigests(input, [...retrains.slice(0, 1), ...runs]);
  if (early) return { decided: early, reasons: [] };
  const missing = (numerics: readonly number[]): RunPlace[] =>
    numerics
      .map((n) => declaredPlace(model.seed!, n))
      .filter(
        (place) => !runs.some((run) => (run.numerics ?? 0) === place.numerics) && !cannotBeMade(input, place),
      );
  const waits = (cause: string, asks: RunPlace[], lineage?: Lineage): DeclaredSeedSaid => ({
    decided: finding('inconclusive', cause, runs, {
      asks,
      moreRuns: asks.length,
      ...(lineage && { lineage }),
    }),
    reasons: [],
  });

  const first = missing([0]);
  if (first.length > 0) return waits(`the declared seed ${model.seed} has not been run`, first);
  if (runs.length === 0) {
    return { decided: null, reasons: [`No run of the declared seed ${model.seed} can be made.`] };
  }
  const lineage = lineageOf(model, reference, runs, input.weights);
  const others = missing(lineageNumerics);
  if (others.length > 0 && lineage.cosine !== null && isNear(lineage.cosine)) {
    const cause = `other bytes, but near in weights (cosine ${lineage.cosine.toFixed(3)}): the declared seed is run in other arithmetic`;
    return waits(cause, others, lineage);
  }
  const further = missing(furtherNumerics);
  if (further.length > 0 && isUnsettled(lineage)) {
    const cause = `near the limits of ${runs.length} reruns (${lineage.why}): the declared seed is run in more arithmetic`;
    return waits(cause, further, lineage);
  }
  const { outcome, why } = lineage;
  if (outcome === 'same-run') {
    const found = finding('same-run', why, runs, { lineage });
    return { decided: announced(input, runs[0]!, found), reasons: [], lineage };
  }
  if (outcome === 'edited') {
    const cause = `the weights are those of the declared run, edited: ${why}`;
    const alarms = [{ name: 'edited-lineage' as const, detail: why }];
    return { decided: finding('different', cause, runs, { lineage, alarms }), reasons: [], lineage };
  }
  return { decided: null, reasons: [`Lineage does not decide: ${why}.`], lineage };
};

/** What `Comparison: numerical` says where neither bytes nor lineage decide. */
export const leftUndecided = (input: JudgeInput, lineage: Lineage | undefined): Finding => {
  if (input.reference === null)
    return finding('not-verifiable', 'there is no shipped file to compare with', []);
  const cause = input.model.readsShipped
    ? 'the recipe reads the shipped file, so that nearness proves nothing'
    : (lineage?.why ?? 'no run of the declared seed can be made');
  return finding('inconclusive', cause, declaredRuns(input));
};

/** Holds a rung back until the dependence run has spoken, and then says it with what that showed. */
const announced = (input: JudgeInput, twin: JudgedRun, found: Finding): Finding => {
  const dependence = dependenceOf(input, twin);
  const { lineage } = found;
  if ('asks' in dependence) {
    const cause = `${found.cause}, but ${waitsForDependence(dependence.asks)}`;
    return finding('inconclusive', cause, found.runs, {
      asks: [dependence.asks],
      moreRuns: 1,
      ...(lineage && { lineage }),
    });
  }
  if (dependence.outcome === 'independent') {
    return finding('not-verifiable', dependence.why, found.runs, {
      dependence,
      taints: [independentTaint],
      ...(lineage && { lineage }),
    });
  }
  const said = { ...found, dependence, reasons: [...found.reasons, `${upperFirst(dependence.why)}.`] };
  return dependence.outcome === 'unchecked'
    ? { ...said, taints: [uncheckedTaint], limits: [uncheckedLimit] }
    : said;
};
