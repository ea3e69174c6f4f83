// What a run of a job is for, and with which seed and arithmetic it trains: its place in the job. A job has at most one live run a
// place, so that a scheduler may ask for the same places again and again.
import { seedAt } from './seed.ts';

/**
 * `retrain`: the recipe as declared. `rerun`: a seed that is known already, again or in other arithmetic. `dependence`: a seed
 * whose outcome is known, on data without a tenth of its records: other bytes show that the data matters. `check`: what another node
 * has made already, again, to hold the nodes against each other; no verdict rests on it.
 */
export const purposes = ['retrain', 'rerun', 'dependence', 'check'] as const;
export type Purpose = (typeof purposes)[number];
/** What a job asks for itself: a node is told no other, and a verdict names no other. */
export const jobPurposes = ['retrain', 'rerun', 'dependence'] as const;

export interface RunPlace {
  purpose: Purpose;
  /** Which seed of the job, from 1; 0 where the recipe declares the seed. */
  seedIndex: number;
  /** The declared seed of a model (`Seed`); null where the seed is the job's own. */
  declaredSeed: number | null;
  /** RETRAIN_NUMERICS. */
  numerics: number;
  /** 0 for the first run that is otherwise alike. */
  repeat: number;
}

/** Retrains with the job's seeds 1..k. */
export const retrainPlaces = (k: number): RunPlace[] =>
  Array.from({ length: k }, (_, i) => ({
    purpose: 'retrain',
    seedIndex: i + 1,
    declaredSeed: null,
    numerics: 0,
    repeat: 0,
  }));

/** Equal for equal places. */
export const placeKey = ({ purpose, seedIndex, declaredSeed, numerics, repeat }: RunPlace): string =>
  [purpose, seedIndex, declaredSeed ?? '', numerics, repeat].join('/');

/** The places without those that `others` has, and without repetitions, in order. */
export const placesBeyond = <P extends RunPlace>(places: readonly P[], others: readonly RunPlace[]): P[] => {
  const seen = new Set(others.map(placeKey));
  return places.filter((place) => {
    const key = placeKey(place);
    return !seen.has(key) && seen.add(key);
  });
};

/** What the recipe gets in RETRAIN_SEED. Throws RangeError for a place without a seed. */
export const seedOfPlace = (
  jobSeed: string,
  { seedIndex, declaredSeed }: Pick<RunPlace, 'seedIndex' | 'declaredSeed'>,
): number => declaredSeed ?? seedAt(jobSeed, seedIndex);

/** The seed of a run in a table: as it was given, else which it will be; with what sets it apart. */
export const seedLabel = (run: RunPlace & { seed: number | null }): string =>
  [
    String(run.seed ?? run.declaredSeed ?? `#${run.seedIndex}`),
    ...(run.purpose === 'rerun' ? [run.numerics > 0 ? `numerics ${run.numerics}` : 'rerun'] : []),
    ...(run.purpose === 'dependence' ? ['less data'] : []),
    ...(run.purpose === 'check' ? ['check'] : []),
  ].join(', ');

/** A place in words, for logs and pages: `seed 3`, `declared seed, numerics 2`, `seed 1, a tenth of the records withheld`. */
export const placeInWords = ({ purpose, seedIndex, declaredSeed, numerics, repeat }: RunPlace): string =>
  [
    declaredSeed === null ? `seed ${seedIndex} of the job` : `declared seed ${declaredSeed}`,
    ...(numerics > 0 ? [`numerics ${numerics}`] : []),
    ...(purpose === 'rerun' && (declaredSeed === null || repeat > 0) ? ['again'] : []),
    ...(purpose === 'dependence' ? ['a tenth of the records withheld'] : []),
    ...(purpose === 'check' ? ['to check a node'] : []),
  ].join(', ');
