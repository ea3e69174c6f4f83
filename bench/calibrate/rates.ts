// Sums up outcomes of draws. Draws share models and so are not independent: intervals rest on the first draw of each shipped model.
import type { Rung } from '@retraind/shared/verdict/evidence';
import { clopperPearson } from './clopper-pearson.ts';

/** How often something was so. */
export interface Rate {
  draws: number;
  /** Share of all draws, 0..1. */
  share: number;
  /** Distinct shipped models, and for how many of them it was so in their first draw. */
  models: number;
  count: number;
  /** Of the models' rate, exact (Clopper and Pearson). */
  interval95: { low: number; high: number };
}

/** `holds` of each draw; `seeds` names the shipped model of each. */
export const rateOf = (seeds: readonly number[], holds: readonly boolean[]): Rate => {
  const first = new Map<number, boolean>();
  for (const [i, seed] of seeds.entries()) if (!first.has(seed)) first.set(seed, holds[i]!);
  const count = [...first.values()].filter(Boolean).length;
  return {
    draws: seeds.length,
    share: holds.filter(Boolean).length / holds.length,
    models: first.size,
    count,
    interval95: clopperPearson(count, first.size),
  };
};

export interface Judged {
  seed: number;
  rung: Rung;
  k: number;
}

export interface RungRates {
  different: Rate;
  'statistically-equivalent': Rate;
  inconclusive: Rate;
  /** Anything else, e.g. not-verifiable. */
  other: Rate;
  meanK: number;
}

/** Rates by rung. */
export const rungRates = (outcomes: readonly Judged[]): RungRates => {
  const seeds = outcomes.map(({ seed }) => seed);
  const of = (is: (rung: Rung) => boolean): Rate =>
    rateOf(
      seeds,
      outcomes.map(({ rung }) => is(rung)),
    );
  const named: readonly Rung[] = ['different', 'statistically-equivalent', 'inconclusive'];
  return {
    different: of((rung) => rung === 'different'),
    'statistically-equivalent': of((rung) => rung === 'statistically-equivalent'),
    inconclusive: of((rung) => rung === 'inconclusive'),
    other: of((rung) => !named.includes(rung)),
    meanK: outcomes.reduce((sum, { k }) => sum + k, 0) / outcomes.length,
  };
};

/** How often each value occurs, most frequent first. */
export const counts = (values: readonly string[]): Record<string, number> => {
  const counted = new Map<string, number>();
  for (const value of values) counted.set(value, (counted.get(value) ?? 0) + 1);
  return Object.fromEntries([...counted].sort(([, a], [, b]) => b - a));
};
