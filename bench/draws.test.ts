import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleFile, sampleModel } from '../packages/shared/samples/judged.ts';
import { drawVerdicts, ratesOf } from './draws.ts';

const pool = Array.from({ length: 12 }, (_, i) => sampleFile(`pool ${i}`));

test('the same call draws the same verdicts; other shipped files draw otherwise', () => {
  const shipped = sampleFile('shipped', { accuracy: 0.866 });
  const draws = drawVerdicts(sampleModel(), 'honest 1', shipped, pool, 3);
  assert.equal(draws.length, 3);
  assert.deepEqual(drawVerdicts(sampleModel(), 'honest 1', shipped, pool, 3), draws);
});

test('an odd file is found, by the test that it fails', () => {
  const odd = sampleFile('odd', { scatter: { patch: 3 } });
  const rates = ratesOf([drawVerdicts(sampleModel(), 'odd', odd, pool, 4)]);
  assert.deepEqual([rates.models, rates.draws, rates.first.different, rates.share.different], [1, 4, 1, 1]);
  assert.deepEqual(Object.keys(rates.decidedBy), ['squared Hellinger distance on patch probes']);
});

test('rates count the first draw of each model and the share of all', () => {
  const draw = (rung: 'different' | 'inconclusive', k: number) => ({ rung, k, decidedBy: null });
  const rates = ratesOf([
    [draw('different', 3), draw('inconclusive', 10)],
    [draw('inconclusive', 10), draw('inconclusive', 5)],
  ]);
  assert.deepEqual(rates.first, { different: 1, inconclusive: 1 });
  assert.deepEqual(rates.share, { different: 0.25, inconclusive: 0.75 });
  assert.equal(rates.meanK, 7);
});
