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

/** A verdict as far as the design needs it: retrains weighed, and how many more it asks for. */
export interface RunsAsked {
  k: number;
  moreRuns: number;
}

/** The looks of a model: those of 3, 5, 10 within its `Runs: min..max`; the nearest one above min where none is. Empty for bitwise. */
export const looksOf = (model: DesignedModel): readonly Look[] => {
  if (model.comparison === 'bitwise') return [];
  const within = looks.filter(({ k }) => k >= model.runs.min && k <= model.runs.max);
  if (within.length > 0) return within;
  return [looks.find(({ k }) => k >= model.runs.min) ?? looks[looks.length - 1]!];
};

/** The number of retrains below which this model is never called equivalent. */
export const equivalenceFrom = (model: DesignedModel): number =>
  model.securityCritical ? fewestForSecurityCritical : fewestForEquivalence;

/** Retrains that the first judgement of a model needs: 1 for bitwise, else its first look. */
export const firstLookOf = (model: DesignedModel): number => looksOf(model)[0]?.k ?? 1;

/**
 * How many runs a job of these models should have by now, in all. Without verdicts: as many as the most demanding first look.
 * A verdict asks for `k + moreRuns`; the job follows the model that asks for most. Never less than 1.
 */
export const runsWanted = (models: readonly DesignedModel[], verdicts: readonly RunsAsked[]): number =>
  Math.max(1, ...models.map(firstLookOf), ...verdicts.map(({ k, moreRuns }) => k + moreRuns));

/**
 * Which seed of the job its n-th run uses (both from 1). Each run its own, except where every model is compared bit by bit: there
 * a second run is a rerun of the first seed, which tells a changed source from a recipe that is not deterministic.
 */
export const seedIndexOfRun = (models: readonly DesignedModel[], runNumber: number): number =>
  models.length > 0 && models.every(({ comparison }) => comparison === 'bitwise') ? 1 : runNumber;

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
