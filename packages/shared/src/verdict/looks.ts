// The sequential design: after how many retrains a verdict may fall, and how strict each look is.
//
//   runs ──► look 3 ──► look 5 ──► look 10         alpha .002, .003, .005: one honest model in a hundred, all looks together
//              │           │           │
//          different   different   different       statistically-equivalent never before look 5 (10 where security-critical)
//                      equivalent  equivalent
//                                  inconclusive
//
// Runs are weighed in the order of their seeds, never in the order of arrival: a fast run must not choose the verdict.
// Source: docs/explanation/verdicts.md; power and false alarms of the three looks were measured there.
import type { RecipeModel } from '../recipe/recipe.ts';

/** A look: how many retrains, and the Bonferroni p at or below which the shipped model is called different. */
export interface Look {
  readonly k: number;
  readonly alpha: number;
}

export const looks: readonly Look[] = [
  { k: 3, alpha: 0.002 },
  { k: 5, alpha: 0.003 },
  { k: 10, alpha: 0.005 },
];

/** Fewer retrains than this never make a model equivalent: at 3, a backdoor is found in 3–34 % of cases only. */
const fewestForEquivalence = 5;
const fewestForSecurityCritical = 10;

/** What the design needs to know of a model. */
export type DesignedModel = Pick<RecipeModel, 'comparison' | 'runs' | 'securityCritical'>;

/** The looks of a model: those of 3, 5, 10 within its `Runs: min..max`; the nearest one above min where none is. Empty where nothing is tested statistically. */
export const looksOf = (model: DesignedModel): readonly Look[] => {
  if (model.comparison !== 'statistical') return [];
  const within = looks.filter(({ k }) => k >= model.runs.min && k <= model.runs.max);
  if (within.length > 0) return within;
  return [looks.find(({ k }) => k >= model.runs.min) ?? looks[looks.length - 1]!];
};

/** The number of retrains below which this model is never called equivalent. */
export const equivalenceFrom = (model: DesignedModel): number =>
  model.securityCritical ? fewestForSecurityCritical : fewestForEquivalence;

/** Retrains that the first judgement of a model needs: its first look, and 1 where nothing is tested statistically. */
export const firstLookOf = (model: DesignedModel): number => looksOf(model)[0]?.k ?? 1;

/**
 * The runs that may be weighed: sorted by seed index, up to the first gap. Later runs wait until the gap is filled, so that the
 * order of arrival decides nothing. Runs that share an index are reruns of one seed; the one with the smaller `tie` comes first.
 */
export const orderRuns = <R extends { seedIndex: number }>(
  runs: readonly R[],
  tie: (run: R) => string = () => '',
): R[] => {
  const sorted = [...runs].sort((a, b) => a.seedIndex - b.seedIndex || compareText(tie(a), tie(b)));
  const present = new Set(sorted.map(({ seedIndex }) => seedIndex));
  let end = 0;
  while (present.has(end + 1)) end += 1;
  return sorted.filter(({ seedIndex }) => seedIndex >= 1 && seedIndex <= end);
};

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
