// Which runs a job wants. In order of what they tell for their cost:
//
//   a first retrain (the recipe is not known before)
//   the declared seed, once                    bit-identical? else by its weights: worth the next?
//   the declared seed under other numerics     same run, edited, or neither
//   the declared data without a tenth          before equal bytes or the same run are announced
//   fresh seeds, look by look                  statistics
//
// The verdicts themselves ask (moreRuns, asks); here the asks of all models of a job become one list, in which models share runs.
import { placesBeyond, type RunPlace, retrainPlaces } from '../job/run-place.ts';
import type { RecipeModel } from '../recipe/recipe.ts';
import type { ModelVerdict } from './evidence.ts';
import { equivalenceFrom, firstLookOf, looksOf } from './looks.ts';

type PlannedModel = Pick<RecipeModel, 'comparison' | 'runs' | 'securityCritical' | 'seed' | 'readsShipped'>;

/** RETRAIN_NUMERICS under which the declared seed is run again: four, for three at least are needed to tell. */
export const lineageNumerics = [0, 1, 2, 3] as const;
/** Those that are run beside them where four leave it unsettled. */
export const furtherNumerics = [4, 5, 6, 7] as const;

/** Whether reruns of the declared seed say anything of a model: a recipe that reads the shipped file starts near it. */
export const hasDeclaredSeed = ({ seed, readsShipped }: PlannedModel): boolean =>
  seed !== null && !readsShipped;

/** A run of the seed that the recipe declares. */
export const declaredPlace = (seed: number, numerics: number, repeat = 0): RunPlace => ({
  purpose: 'rerun',
  seedIndex: 0,
  declaredSeed: seed,
  numerics,
  repeat,
});

/** The first seed of the job once more. */
export const rerunPlace: RunPlace = {
  purpose: 'rerun',
  seedIndex: 1,
  declaredSeed: null,
  numerics: 0,
  repeat: 0,
};

/** What a model wants before it is judged for the first time. */
const firstPlaces = (model: PlannedModel): RunPlace[] => {
  if (hasDeclaredSeed(model)) return [...retrainPlaces(1), declaredPlace(model.seed!, 0)];
  return retrainPlaces(model.comparison === 'statistical' ? firstLookOf(model) : 1);
};

/** What a verdict asks for: the runs that it names, else retrains up to k + moreRuns. */
const placesAsked = ({ k, moreRuns, asks }: Pick<ModelVerdict, 'k' | 'moreRuns' | 'asks'>): RunPlace[] => {
  if (moreRuns === 0) return [];
  return asks ?? retrainPlaces(k + moreRuns);
};

/**
 * The places that a job of these models should have filled by now, in the order in which they are to be run; those that are filled
 * are among them or not. Without verdicts: what the models want at first. Never none.
 */
export const plannedRuns = (
  models: readonly PlannedModel[],
  verdicts: readonly Pick<ModelVerdict, 'k' | 'moreRuns' | 'asks'>[],
): RunPlace[] =>
  placesBeyond([...retrainPlaces(1), ...models.flatMap(firstPlaces), ...verdicts.flatMap(placesAsked)], []);

/**
 * Exactly `count` retrains, where a person wants so many: fresh seeds, or the first seed again where bytes alone are compared. What
 * verdicts ask of declared seeds and shortened data comes beside them.
 */
export const countedRuns = (
  models: readonly PlannedModel[],
  verdicts: readonly Pick<ModelVerdict, 'k' | 'moreRuns' | 'asks'>[],
  count: number,
): RunPlace[] => {
  const isOneSeed = models.length > 0 && models.every(({ comparison }) => comparison === 'bitwise');
  const again = Array.from({ length: count - 1 }, (_, repeat) => ({ ...rerunPlace, repeat }));
  const beside = verdicts
    .flatMap(placesAsked)
    .filter(({ purpose, declaredSeed }) => purpose === 'dependence' || declaredSeed !== null);
  return placesBeyond(
    [...(isOneSeed ? [...retrainPlaces(1), ...again] : retrainPlaces(count)), ...beside],
    [],
  );
};

/** How many runs a job of these models may come to. */
export interface RunCount {
  /** Before the first judgement. */
  fewest: number;
  /** Where the shipped files are what their recipes make: the look from which a model may be called equivalent, and a dependence run. */
  expected: number;
  most: number;
}

/** A dependence run of the job's first seed, or of the declared one. */
const dependencePlaceOf = (model: PlannedModel): RunPlace => ({
  ...(hasDeclaredSeed(model) ? declaredPlace(model.seed!, 0) : rerunPlace),
  purpose: 'dependence',
});

/** Runs of a job before anything is known of them; models share runs, as in `plannedRuns`. */
export const countedPlaces = (models: readonly PlannedModel[]): RunCount => {
  const first = plannedRuns(models, []);
  const expected = models.flatMap((model) => {
    if (model.comparison !== 'statistical' || hasDeclaredSeed(model)) return [dependencePlaceOf(model)];
    const looks = looksOf(model);
    const decisive = looks.find(({ k }) => k >= equivalenceFrom(model)) ?? looks.at(-1)!;
    return retrainPlaces(decisive.k);
  });
  const most = models.flatMap((model) => [
    dependencePlaceOf(model),
    ...(model.comparison === 'statistical' ? retrainPlaces(looksOf(model).at(-1)!.k) : []),
    ...(hasDeclaredSeed(model)
      ? [
          ...[...lineageNumerics, ...furtherNumerics].map((n) => declaredPlace(model.seed!, n)),
          declaredPlace(model.seed!, 0, 1),
        ]
      : [rerunPlace]),
  ]);
  const count = (places: readonly RunPlace[]): number => placesBeyond([...first, ...places], []).length;
  return { fewest: first.length, expected: count(expected), most: count([...expected, ...most]) };
};
