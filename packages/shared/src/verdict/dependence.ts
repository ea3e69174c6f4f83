// Whether the training data matters. Weights hidden in a script come out equal to the shipped file however honest all else looks; so
// before equal bytes or the same run are announced, the very run that showed them is made again without a tenth of its records.
//
//   other bytes ──► announced                  the same bytes ──► not-verifiable, taint independent-of-data
//   no such run can be made ──► announced, taint dependence-unchecked
import { placeInWords, type RunPlace } from '../job/run-place.ts';
import type { RecipeModel } from '../recipe/recipe.ts';
import { sameBytes } from './bytes.ts';
import type { Dependence, WithheldRecords } from './evidence.ts';
import type { JudgedRun, JudgeInput } from './judged.ts';

/** The run that shows whether `twin` depends on its data. */
export const dependencePlace = ({ seed, seedIndex, numerics = 0 }: JudgedRun): RunPlace => ({
  purpose: 'dependence',
  seedIndex,
  declaredSeed: seedIndex === 0 ? seed : null,
  numerics,
  repeat: 0,
});

/** Withheld files that are a model's own training data: those it declares, else any of its `Training-Data`, else any. */
const withheldFrom = (model: RecipeModel, withheld: readonly WithheldRecords[]): WithheldRecords[] => {
  const own = withheld.filter(({ dataset }) => model.trainingData === null || dataset === model.trainingData);
  const { trainingInputs, trainingTargets } = model;
  if (trainingInputs === null) return own;
  return own.filter(({ path }) => path === trainingInputs.path || path === trainingTargets?.path);
};

/** What is known of the dependence of `twin` on the data, or the run that has to tell. */
export const dependenceOf = (
  { model, runs, unmade = [] }: Pick<JudgeInput, 'model' | 'runs' | 'unmade'>,
  twin: JudgedRun,
): Dependence | { asks: RunPlace } => {
  const place = dependencePlace(twin);
  const isThere = (run: { purpose?: string; seedIndex: number; numerics?: number }): boolean =>
    run.purpose === 'dependence' &&
    run.seedIndex === place.seedIndex &&
    (run.numerics ?? 0) === place.numerics;
  const run = runs.find((each) => isThere(each) && each.seed === twin.seed);
  const sha256 = run?.evidence.file.sha256 ?? null;
  if (!run) {
    const tried = unmade.find((each) => isThere(each) && each.declaredSeed === place.declaredSeed);
    if (!tried) return { asks: place };
    const why = `no run on shortened data could be made: ${tried.why.replace(/\.$/, '')}`;
    return { outcome: 'unchecked', why, withheld: [], sha256 };
  }
  const withheld = withheldFrom(model, run.withheld ?? []);
  if (withheld.length === 0) {
    const why = 'no record could be taken from the training data of this model';
    return { outcome: 'unchecked', why, withheld, sha256 };
  }
  const what = `${withheld.map(({ path, records, withheld: gone }) => `${gone} of ${records} records of ${path}`).join(', ')}`;
  if (sameBytes(run.evidence, twin.evidence)) {
    const why = `without ${what} the very same bytes come out: the model does not depend on its data`;
    return { outcome: 'independent', why, withheld, sha256 };
  }
  return { outcome: 'depends', why: `without ${what} other bytes come out`, withheld, sha256 };
};

/** What goes beside a verdict that is announced unchecked. */
export const uncheckedTaint = 'dependence-unchecked';
export const independentTaint = 'independent-of-data';
export const uncheckedLimit =
  'That the model depends on its declared data was not checked: weights hidden in the recipe would look the same.';

/** How a dependence run that is still to come is told. */
export const waitsForDependence = (place: RunPlace): string =>
  `whether the data matters is still to be shown (${placeInWords(place)})`;
