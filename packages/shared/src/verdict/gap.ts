// The train-test gap: a model fits data that it was trained on better than data that it was not. A shipped model that was trained on
// other data has no gap on the declared ones, where nets memorise; where they do not, nothing of the data can be seen at all.
// Source: docs/explanation/verdicts.md; generalisation gap as in Zhang, Bengio, Hardt, Recht, Vinyals 2017.
import { type Compared, figuresOf, type Outcome, targetsOf } from './compared.ts';
import type { Gap, LabelledSet, TrainTest } from './evidence.ts';
import type { Fit } from './fit.ts';
import { looks } from './looks.ts';
import { meanOf, sdOf } from './moments.ts';
import { predictiveT } from './predictive-t.ts';
import { tQuantile } from './student-t.ts';

const what = 'train-test gap';

/** What a gap would have to stand out at, over the family: that of the last look. */
const { alpha } = looks[looks.length - 1]!;

/** Fit of shipped file and retrains on both sets, or why it is not known. */
const fitsOf = (
  compared: Compared,
): { train: [Fit, ...Fit[]]; test: [Fit, ...Fit[]] } | { untested: string } => {
  const of = (set: LabelledSet): [Fit, ...Fit[]] | { untested: string } => {
    const labelled = targetsOf(compared, set, what);
    if ('untested' in labelled) return labelled;
    const { model, measures } = compared;
    return figuresOf(compared, set, ({ values, columns }) =>
      measures.fit(model.task, values, columns, labelled.targets),
    );
  };
  const train = of('train');
  if ('untested' in train) return train;
  const test = of('test');
  return 'untested' in test ? test : { train, test };
};

/**
 * Predictive t on the gap of the mean losses, test less train (nats, or squared units of the output), two-sided. H0: the shipped
 * model's gap is one more draw of the retrains'.
 */
export const gapTest = (compared: Compared): Outcome => {
  const fits = fitsOf(compared);
  if ('untested' in fits) return fits;
  const [shipped, ...retrains] = fits.test.map(({ loss }, i) => loss - fits.train[i]!.loss);
  const name = 'train-test gap of the loss';
  const result = predictiveT(shipped!, retrains);
  if (!result) return { why: `${name}: the retrains show no spread` };
  const nullHypothesis = `the shipped model's ${name} is one more draw of the retrains'`;
  return { test: { id: 'gap', name, nullHypothesis, ...result } };
};

/** The gap as it is shown; null where it is not known. `tests`: how many the family has. */
export const gapOf = (compared: Compared, tests: number): Gap | null => {
  const fits = fitsOf(compared);
  if ('untested' in fits) return null;
  const trainTest = (figure: (fit: Fit) => number): TrainTest => {
    const [shipped, ...retrains] = fits.train.map((fit, i) => ({
      train: figure(fit),
      test: figure(fits.test[i]!),
    }));
    return { shipped: shipped!, retrains };
  };
  const loss = trainTest((fit) => fit.loss);
  const gaps = loss.retrains.map(({ train, test }) => test - train);
  const k = gaps.length;
  const critical = k < 2 ? Number.POSITIVE_INFINITY : tQuantile(1 - alpha / (2 * Math.max(1, tests)), k - 1);
  return {
    loss,
    accuracy: fits.train[0].accuracy === null ? null : trainTest((fit) => fit.accuracy!),
    showsOtherData: meanOf(gaps) > critical * sdOf(gaps) * Math.sqrt(1 + 1 / k),
  };
};
