// Size and power of each test alone, and of the metric alone, at a fixed number of retrains or by the looks.
import type { RecipeModel } from '@retraind/shared/recipe/recipe';
import { runBattery } from '@retraind/shared/verdict/battery';
import type { TestId } from '@retraind/shared/verdict/evidence';
import type { JudgedFile } from '@retraind/shared/verdict/judged';
import { looksOf } from '@retraind/shared/verdict/looks';
import type { Measures } from '@retraind/shared/verdict/measures';
import { accuracySdFloor } from '@retraind/shared/verdict/moments';
import { predictiveT } from '@retraind/shared/verdict/predictive-t';
import type { Draw } from './draws.ts';
import { type Rate, rateOf } from './rates.ts';

/** Of one test at one k: how often its p is at most 1 % and 5 %. */
export interface TestRates {
  at1: Rate;
  at5: Rate;
}

/** By test, over draws cut to the first k retrains. Tests that were not defined in a draw count as not rejected. */
export const singleTests = (
  model: RecipeModel,
  draws: readonly Draw[],
  k: number,
  measures: Measures,
): Partial<Record<TestId, TestRates>> => {
  const seeds = draws.map(({ shipped }) => shipped.seed);
  const perDraw = draws.map(({ shipped, retrains }) => {
    const weighed = retrains.slice(0, k).map(({ file }) => file);
    const compared = { model, shipped: shipped.file, retrains: weighed, measures };
    return new Map(runBattery(compared).tests.map(({ id, p }) => [id, p]));
  });
  const ids = new Set(perDraw.flatMap((tests) => [...tests.keys()]));
  const atMost = (id: TestId, alpha: number): Rate =>
    rateOf(
      seeds,
      perDraw.map((tests) => (tests.get(id) ?? 1) <= alpha),
    );
  return Object.fromEntries([...ids].map((id) => [id, { at1: atMost(id, 0.01), at5: atMost(id, 0.05) }]));
};

/** p of the metric alone by the predictive t test; 1 where it is not defined. */
export const metricP = (shipped: JudgedFile, retrains: readonly JudgedFile[]): number => {
  const metric = shipped.evidence.metric;
  if (!metric) return 1;
  const examples = shipped.evidence.sets.test!.rows;
  const floor = metric.name === 'accuracy' ? accuracySdFloor(metric.value, examples) : 0;
  const others = retrains.map(({ evidence }) => evidence.metric?.value ?? Number.NaN);
  return predictiveT(metric.value, others, floor)?.p ?? 1;
};

/** How often the metric alone would have said different, by the same looks and alphas: for contrast. */
export const metricOnly = (model: RecipeModel, draws: readonly Draw[]): Rate =>
  rateOf(
    draws.map(({ shipped }) => shipped.seed),
    draws.map(({ shipped, retrains }) =>
      looksOf(model).some(({ k, alpha }) => {
        const weighed = retrains.slice(0, k).map(({ file }) => file);
        return metricP(shipped.file, weighed) <= alpha;
      }),
    ),
  );
