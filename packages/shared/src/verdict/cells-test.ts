// The tests of mean outputs: what a model gives to each class, or in each output, on one set. They name where it leans.
import { cellScaleOf } from './cell-means.ts';
import { type Compared, figuresOf, missingSet, type Outcome } from './compared.ts';
import { setNames } from './evidence.ts';
import { moderatedCells } from './moderated-cells.ts';

/**
 * Moderated cells (moderated-cells.ts) over the mean output in each column of a set (cell-means.ts), two-sided, Bonferroni over columns.
 * H0: in each the shipped model's mean is one more draw of the retrains'. Not defined where no column shows a spread.
 */
export const cellsTest = (compared: Compared, set: 'test' | 'noise' | 'patch'): Outcome => {
  const { model, measures } = compared;
  const scale = cellScaleOf(model.task);
  const untested = missingSet(compared, set, `${scale.name} on ${setNames[set]}`);
  if (untested !== null) return { untested };
  const name = `${scale.name} on ${setNames[set]}`;
  const [shipped, ...retrains] = figuresOf(compared, set, ({ values, columns }) =>
    measures.cellMeans(model.task, values, columns),
  );
  const result = moderatedCells(shipped, retrains, { sdFloor: scale.sdFloor });
  if (!result) return { why: `${name}: the retrains show no spread` };
  const { cell, cells, ...numbers } = result;
  const nullHypothesis = `on ${setNames[set]} the shipped model's ${scale.name} is one more draw of the retrains'`;
  const worst = { kind: scale.kind, count: cells, worst: cell };
  return { test: { id: `cells-${set}`, name, nullHypothesis, ...numbers, cells: worst } };
};
