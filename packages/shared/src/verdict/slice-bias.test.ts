import assert from 'node:assert/strict';
import { test } from 'node:test';
import { outputFile, outputModel, outputRuns } from '../../samples/outputs.ts';
import { sizeAt, sizesOf } from '../../samples/uniformity.ts';
import type { JudgedFile } from './judged.ts';
import { Measures } from './measures.ts';
import { sliceBiasTest } from './slice-bias.ts';

const model = outputModel('regression');
const retrains = outputRuns('regression', 'retrains', 10);
const ask = (shipped: JudgedFile, against: readonly JudgedFile[] = retrains) =>
  sliceBiasTest({ model, shipped, retrains: against, measures: new Measures() });

test('one output moved in one slice: found and named, where the mean over all records hides it', () => {
  const honest = ask(outputFile('regression', 'shipped'));
  assert.ok('test' in honest && honest.test.p > 0.05);
  const moved = outputFile('regression', 'shipped', { bias: { output: 3, slice: 1, by: 0.5 } });
  const found = ask(moved);
  assert.ok('test' in found && found.test.p < 1e-4 && found.test.statistic > 0);
  assert.deepEqual(found.test.cells, { kind: 'slice', count: 15, worst: 8, outputs: 5 });
});

test('size over honest models: at most 3 % at 1 % and 9 % at 5 %', (t) => {
  const ps = Array.from({ length: 150 }, (_, draw) => {
    const outcome = ask(
      outputFile('regression', `s ${draw}`),
      outputRuns('regression', `r ${draw}`, 5, ['test']),
    );
    return 'test' in outcome ? outcome.test.p : Number.NaN;
  });
  t.diagnostic(sizesOf(ps));
  assert.ok(sizeAt(ps, 0.01) <= 0.03 && sizeAt(ps, 0.05) <= 0.09, sizesOf(ps));
});

test('without slices there is no such test', () => {
  const { slices: _, ...file } = outputFile('regression', 'shipped');
  const told = ask(file);
  assert.ok('untested' in told && /declares no Slices/.test(told.untested));
});
