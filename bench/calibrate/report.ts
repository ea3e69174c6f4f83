// From populations with evidence to the rates of a task. Pure but for the progress that it tells.
import type { RecipeModel } from '@retraind/shared/recipe/recipe';
import type { TestId } from '@retraind/shared/verdict/evidence';
import { Measures } from '@retraind/shared/verdict/measures';
import { meanOf, sdOf } from '@retraind/shared/verdict/moments';
import { type Draw, drawsOf, judgeDraw, type Member, type Outcome, withoutTriggers } from './draws.ts';
import { counts, type Rate, type RungRates, rungRates } from './rates.ts';
import { metricOnly, singleTests, type TestRates } from './single-tests.ts';
import type { Attack, Counts, Goal } from './task.ts';
import { honest } from './task.ts';

/** Numbers of retrains at which single tests are shown: those of the looks. */
export const shownK = [3, 5, 10] as const;

export interface Population {
  name: string;
  title: string;
  members: Member[];
  /** What its makers noted of each model, e.g. a trigger's success. */
  figures: Record<string, number>[];
  retrains: Attack['retrains'];
}

export interface VerdictRates {
  /** As the product says it: a difference is confirmed by ten fresh retrains. */
  confirmed: RungRates;
  /** If the first look that says different were the last word. */
  unconfirmed: RungRates;
}

export interface PopulationReport {
  name: string;
  title: string;
  models: number;
  /** Means over the models. */
  figures: Record<string, number>;
  metric: { mean: number; sd: number };
  verdicts: VerdictRates;
  /** Without the search for triggers; null where it was made for no model. */
  withoutTriggers: VerdictRates | null;
  metricOnly: Rate;
  /** Draws that a look called different, by the test with the smallest p. */
  decidedBy: Record<string, number>;
  alarms: Record<string, number>;
  /** By the number of retrains. */
  tests: Record<(typeof shownK)[number], Partial<Record<TestId, TestRates>>>;
}

export interface GoalReport extends Goal {
  value: number;
  met: boolean;
}

/** Rates of every population; `onJudged` hears of each draw. */
export const measurePopulations = (
  model: RecipeModel,
  populations: readonly Population[],
  { honestDraws, attackDraws }: Counts,
  onJudged: (done: number, total: number) => void,
): PopulationReport[] => {
  const measures = new Measures();
  const untampered = populations.find(({ name }) => name === honest)!;
  const total = honestDraws + attackDraws * (populations.length - 1);
  let done = 0;
  onJudged(done, total);
  return populations.map((population) => {
    const { name, members } = population;
    const pool = population.retrains === 'alike' ? members : untampered.members;
    const draws = drawsOf(name, members, pool, name === honest ? honestDraws : attackDraws);
    const outcomes = draws.map((draw) => {
      const outcome = judgeDraw(model, draw, measures);
      onJudged(++done, total);
      return outcome;
    });
    return reportOf(model, population, draws, outcomes, measures);
  });
};

const reportOf = (
  model: RecipeModel,
  { name, title, members, figures }: Population,
  draws: readonly Draw[],
  outcomes: readonly Outcome[],
  measures: Measures,
): PopulationReport => {
  const metrics = members.map(({ file }) => file.evidence.metric?.value ?? Number.NaN);
  return {
    name,
    title,
    models: members.length,
    figures: meanFigures(figures),
    metric: { mean: meanOf(metrics), sd: sdOf(metrics) },
    verdicts: verdictRates(outcomes),
    withoutTriggers: ratesWithoutTriggers(model, draws, measures),
    metricOnly: metricOnly(model, draws),
    decidedBy: counts(outcomes.flatMap(({ decidedBy }) => decidedBy ?? [])),
    alarms: counts(outcomes.flatMap(({ alarms }) => [...new Set(alarms)])),
    tests: Object.fromEntries(
      shownK.map((k) => [k, singleTests(model, draws, k, measures)]),
    ) as PopulationReport['tests'],
  };
};

const verdictRates = (outcomes: readonly Outcome[]): VerdictRates => ({
  confirmed: rungRates(outcomes),
  unconfirmed: rungRates(outcomes.map((outcome) => ({ ...outcome, rung: outcome.unconfirmed }))),
});

const ratesWithoutTriggers = (
  model: RecipeModel,
  draws: readonly Draw[],
  measures: Measures,
): VerdictRates | null => {
  if (!draws.some(({ shipped }) => shipped.file.evidence.triggers?.ran)) return null;
  return verdictRates(
    draws.map(({ shipped, retrains }) =>
      judgeDraw(
        model,
        { shipped: withoutTriggers(shipped), retrains: retrains.map(withoutTriggers) },
        measures,
      ),
    ),
  );
};

const meanFigures = (figures: readonly Record<string, number>[]): Record<string, number> =>
  Object.fromEntries(
    Object.keys(figures[0] ?? {}).map((name) => [name, meanOf(figures.map((one) => one[name]!))]),
  );

/** Whether each goal holds, by shares of all draws. */
export const goalReports = (goals: readonly Goal[], populations: readonly PopulationReport[]): GoalReport[] =>
  goals.map((goal) => {
    const { confirmed } = populations.find(({ name }) => name === goal.population)!.verdicts;
    const value = goal.of === 'mean k' ? confirmed.meanK : confirmed[goal.of].share;
    const met = value >= (goal.atLeast ?? Number.NEGATIVE_INFINITY) && value <= (goal.atMost ?? Infinity);
    return { ...goal, value, met };
  });
