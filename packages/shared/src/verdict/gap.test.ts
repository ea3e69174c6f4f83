import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleFile, sampleModel, sampleRuns } from '../../samples/judged.ts';
import { outputFile, outputModel, outputRuns } from '../../samples/outputs.ts';
import type { Compared } from './compared.ts';
import { gapOf, gapTest } from './gap.ts';
import { limitsOf } from './limits.ts';
import { Measures } from './measures.ts';

const compared = (changes: Partial<Compared> = {}): Compared => ({
  model: sampleModel(),
  shipped: sampleFile('shipped'),
  retrains: sampleRuns('retrains', 10),
  measures: new Measures(),
  ...changes,
});

test('a model of other data has no gap: found, and the gap is shown', () => {
  const honest = gapTest(compared());
  assert.ok('test' in honest && honest.test.p > 0.05);
  const other = compared({ shipped: sampleFile('other', { memory: 0 }) });
  const found = gapTest(other);
  assert.ok('test' in found && found.test.p < 1e-6 && found.test.statistic < 0);
  const gap = gapOf(other, 13)!;
  assert.equal(gap.showsOtherData, true);
  assert.equal(gap.loss.retrains.length, 10);
  const { shipped } = gap.accuracy!;
  assert.ok(
    Math.abs(shipped.train - shipped.test) < 0.25 && gap.loss.retrains[0]!.train < gap.loss.shipped.train,
  );
});

test('models that do not memorise: the gap says that other data would not show', () => {
  const retrains = outputRuns('regression', 'retrains', 10);
  const shipped = outputFile('regression', 'shipped');
  const gap = gapOf(compared({ model: outputModel('regression'), shipped, retrains }), 8)!;
  assert.deepEqual([gap.showsOtherData, gap.accuracy], [false, null]);
  assert.match(limitsOf('statistically-equivalent', { gap })[0]!, /carries no trace of its data/);
  const memorised = gapOf(compared(), 13);
  assert.match(limitsOf('inconclusive', { gap: memorised })[0]!, /would have stood out/);
  assert.match(limitsOf('inconclusive', { gap: null })[0]!, /was not tested/);
});

test('without the true answers, or without a training set, there is no gap', () => {
  const { targets: _, ...file } = sampleFile('shipped');
  const told = gapTest(compared({ shipped: file }));
  assert.ok('untested' in told);
  assert.match(told.untested, /true answers of the train set are not at hand/);
  assert.equal(gapOf(compared({ shipped: file }), 13), null);
});
