import assert from 'node:assert/strict';
import { test } from 'node:test';
import { counts, rateOf, rungRates } from './rates.ts';

test('the interval rests on the first draw of each model, the share on all', () => {
  const rate = rateOf([1, 2, 1, 2], [true, false, false, false]);
  assert.deepEqual([rate.draws, rate.share, rate.models, rate.count], [4, 0.25, 2, 1]);
  // 1 of 2: from 1 - sqrt(0.975) to sqrt(0.975).
  assert.ok(Math.abs(rate.interval95.low - (1 - Math.sqrt(0.975))) < 1e-9);
  assert.ok(Math.abs(rate.interval95.high - Math.sqrt(0.975)) < 1e-9);
});

test('rungs beside the three are counted as other', () => {
  const rates = rungRates([
    { seed: 1, rung: 'different', k: 3 },
    { seed: 2, rung: 'not-verifiable', k: 5 },
    { seed: 3, rung: 'statistically-equivalent', k: 5 },
    { seed: 4, rung: 'inconclusive', k: 10 },
  ]);
  assert.deepEqual(
    [rates.different, rates['statistically-equivalent'], rates.inconclusive, rates.other].map(
      ({ share }) => share,
    ),
    [0.25, 0.25, 0.25, 0.25],
  );
  assert.equal(rates.meanK, 5.75);
});

test('counts come most frequent first', () => {
  assert.deepEqual(Object.entries(counts(['a', 'b', 'b'])), [
    ['b', 2],
    ['a', 1],
  ]);
});
