// Loss class by class, or slice by slice: a few labels changed in one class move its training loss and hardly anything else.
import { type Compared, figuresOf, type Outcome, targetsOf } from './compared.ts';
import { fitOf } from './fit.ts';
import { moderatedCells } from './moderated-cells.ts';
import { rowsOfSlices } from './slices.ts';

/** Added to a mean loss (nats) before its logarithm: below it one fit is as good as another. */
const leastLoss = 1e-4;
/** In log loss: retrains that agree to less than 1 % count as 1 % apart. */
const sdFloor = 0.01;

const logOf = (loss: number): number => Math.log(leastLoss + loss);

/**
 * Moderated cells over the log of the mean training loss of each class, two-sided, Bonferroni over the classes that have examples.
 * H0: for each class the shipped model's training loss is one more draw of the retrains'.
 */
export const trainingLossCells = (compared: Compared): Outcome => {
  const labelled = targetsOf(compared, 'train', 'training loss per class');
  if ('untested' in labelled) return labelled;
  const { model, measures } = compared;
  const losses = figuresOf(compared, 'train', ({ values, columns }) =>
    measures.fit(model.task, values, columns, labelled.targets),
  ).map(({ classLosses }) => classLosses);
  const present = losses[0]!.flatMap((loss, label) => (loss === null ? [] : label));
  const [shipped, ...retrains] = losses.map((each) => present.map((label) => logOf(each[label]!)));
  const name = 'log of the training loss per class';
  const result = moderatedCells(shipped!, retrains, { sdFloor });
  if (!result) return { why: `${name}: the retrains show no spread` };
  const { cell, cells: _, ...numbers } = result;
  const nullHypothesis = `for each class the shipped model's ${name.replace(' per class', '')} is one more draw of the retrains'`;
  const worst = { kind: 'class' as const, count: losses[0]!.length, worst: present[cell]! };
  return { test: { id: 'loss-cells-train', name, nullHypothesis, ...numbers, cells: worst } };
};

/**
 * The same over the slices of the held-out set that the recipe declares, for classifiers; outside the family. H0: in each slice the shipped
 * model's test loss is one more draw of the retrains'.
 */
export const sliceLossCells = (compared: Compared): Outcome => {
  const { model, shipped: file } = compared;
  const labelled = targetsOf(compared, 'test', 'loss per slice');
  if ('untested' in labelled) return labelled;
  if (!file.slices) return { untested: 'the recipe declares no Slices: loss per slice was not tested' };
  const slices = rowsOfSlices(file.slices);
  const losses = figuresOf(compared, 'test', ({ values, columns }) =>
    slices.map(({ rows }) => {
      const part = new Float32Array(rows.length * columns);
      for (const [i, row] of rows.entries()) {
        part.set(values.subarray(row * columns, (row + 1) * columns), i * columns);
      }
      const targets = Float32Array.from(rows, (row) => labelled.targets[row]!);
      return logOf(fitOf(model.task, part, columns, targets).loss);
    }),
  );
  const [shipped, ...retrains] = losses;
  const name = 'log of the test loss per slice';
  const result = moderatedCells(shipped!, retrains, { sdFloor });
  if (!result) return { why: `${name}: the retrains show no spread` };
  const { cell, cells: _, ...numbers } = result;
  const nullHypothesis = `in each slice the shipped model's log of the test loss is one more draw of the retrains'`;
  const count = slices[slices.length - 1]!.slice + 1;
  const worst = { kind: 'slice' as const, count, worst: slices[cell]!.slice };
  return { test: { id: 'loss-slices', name, nullHypothesis, ...numbers, cells: worst } };
};
