// `Comparison: bitwise`: one run of the declared seed, or of the job's first one where none is declared. Other bytes are answered by
// a rerun, which tells a changed source from a recipe that is not deterministic.
import type { RunPlace } from '../job/run-place.ts';
import { repeatability } from './bytes.ts';
import { cannotBeMade, declaredRuns, judgeDigests } from './declared-run.ts';
import { type Finding, finding } from './finding.ts';
import type { JudgedRun, JudgeInput } from './judged.ts';
import { declaredPlace, hasDeclaredSeed, rerunPlace } from './run-plan.ts';
import { counted } from './sentence.ts';

/** `ordered`: the retrains of fresh seeds, in order. */
export const judgeBytes = (input: JudgeInput, ordered: readonly JudgedRun[]): Finding => {
  const { model } = input;
  const isDeclared = hasDeclaredSeed(model);
  const reruns = isDeclared
    ? declaredRuns(input).filter(({ numerics = 0 }) => numerics === 0)
    : input.runs.filter(
        ({ purpose, seedIndex }) => purpose === 'rerun' && seedIndex === rerunPlace.seedIndex,
      );
  const decided = judgeDigests(input, [...ordered, ...reruns]);
  if (decided) return decided;
  const runs = isDeclared ? reruns : [...ordered, ...reruns];
  const first = runs[0];
  if (!first) {
    if (!isDeclared) return finding('inconclusive', 'no retrain has reported', runs, { moreRuns: 1 });
    return wanting(
      input,
      `the declared seed ${model.seed} has not been run`,
      runs,
      declaredPlace(model.seed!, 0),
    );
  }
  const reasons = [`The retrain with seed ${first.seed} has other bytes than the shipped file.`];
  const again = isDeclared ? declaredPlace(model.seed!, 0, 1) : rerunPlace;
  switch (repeatability(runs)) {
    case 'one-run': {
      const cause = 'its bytes differ, and a rerun with the same seed has to tell why';
      return wanting(input, cause, runs, again, reasons);
    }
    case 'seeds-disagree': {
      const cause = 'the bytes depend on the seed, and a rerun of one has to tell whether on nothing else';
      return wanting(input, cause, runs, again, reasons);
    }
    case 'agree':
      return finding('different', `${counted(runs.length)} agree on other bytes`, runs, { reasons });
    case 'disagree': {
      const cause = 'the recipe is not deterministic: reruns of one seed differ';
      return finding('inconclusive', cause, runs, { reasons });
    }
  }
};

/** Asks for a run; final where that was tried and cannot be made. */
const wanting = (
  input: JudgeInput,
  cause: string,
  runs: readonly JudgedRun[],
  place: RunPlace,
  reasons: string[] = [],
): Finding =>
  cannotBeMade(input, place)
    ? finding('inconclusive', `${cause}, but that run cannot be made`, runs, { reasons })
    : finding('inconclusive', cause, runs, { reasons, asks: [place], moreRuns: 1 });
