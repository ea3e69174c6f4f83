// The output bias by slice: the signed mean error of each output in each slice. It finds a shift of the labels of a few records, and an
// output that was moved by hand, which no distance sees.
import { type Compared, figuresOf, type Outcome, targetsOf } from './compared.ts';
import { moderatedCells } from './moderated-cells.ts';
import { rowsOfSlices } from './slices.ts';

/**
 * Moderated cells over mean(output - target) of each slice and output (slice × outputs + output, in the output's own unit), two-sided,
 * Bonferroni over cells. H0: in each the shipped model's bias is one more draw of the retrains'. Without declared slices
 * there is nothing here that the mean-output cells do not test.
 */
export const sliceBiasTest = (compared: Compared): Outcome => {
  const labelled = targetsOf(compared, 'test', 'output bias by slice');
  if ('untested' in labelled) return labelled;
  if (!compared.shipped.slices) {
    return { untested: 'the recipe declares no Slices: output bias by slice was not tested' };
  }
  const { targets } = labelled;
  const slices = rowsOfSlices(compared.shipped.slices);
  const outputs = compared.shipped.evidence.sets.test!.columns;
  const [shipped, ...retrains] = figuresOf(compared, 'test', ({ values, columns }) =>
    slices.flatMap(({ rows }) => {
      const sums = new Array<number>(columns).fill(0);
      for (const row of rows) {
        for (let i = 0, at = row * columns; i < columns; i += 1, at += 1)
          sums[i]! += values[at]! - targets[at]!;
      }
      return sums.map((sum) => sum / rows.length);
    }),
  );
  const name = 'bias of each output in each slice of the test data';
  const result = moderatedCells(shipped, retrains);
  if (!result) return { why: `${name}: the retrains show no spread` };
  const { cell, cells: _, ...numbers } = result;
  const nullHypothesis = `the shipped model's ${name} is one more draw of the retrains'`;
  const { slice } = slices[Math.floor(cell / outputs)]!;
  const count = (slices[slices.length - 1]!.slice + 1) * outputs;
  const cells = { kind: 'slice' as const, count, worst: slice * outputs + (cell % outputs), outputs };
  return { test: { id: 'bias-test', name, nullHypothesis, ...numbers, cells } };
};
