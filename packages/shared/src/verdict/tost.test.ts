import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProbeStream } from './probe-stream.ts';
import { metricUpperBound } from './tost.ts';

/** Share accepted at k = 5 or, failing that, at k = 10, where the true difference is `difference` sds and the margin `margin` sds. */
const accepted = (label: string, difference: number, margin: number): number => {
  const stream = new ProbeStream('tost', label);
  const draws = 2_000;
  let count = 0;
  for (let i = 0; i < draws; i += 1) {
    const retrains = Array.from({ length: 10 }, () => stream.normal());
    if ([5, 10].some((k) => metricUpperBound(difference, retrains.slice(0, k))! <= margin)) count += 1;
  }
  return count / draws;
};

test('at the margin itself two looks accept at most about 5 %, whatever the margin in sds', (t) => {
  for (const margin of [0.5, 1, 2, 4, 8]) {
    const rate = accepted(`margin ${margin}`, margin, margin);
    t.diagnostic(`margin of ${margin} sd: ${(100 * rate).toFixed(1)} % accepted at the margin itself`);
    // 2,000 draws: a true 5 % stays below 6.5 % in 999 of 1,000 simulations.
    assert.ok(rate < 0.065, `${margin}: ${rate}`);
    if (margin >= 4) assert.ok(rate > 0.035, `${margin}: ${rate}`);
  }
});

test('well within the margin nearly all pass', () => {
  assert.ok(accepted('within', 0, 4) > 0.98);
});

test('a worked example', () => {
  // |4 - 3| + 2.600762 sqrt(2.5) / sqrt(5)
  assert.ok(Math.abs(metricUpperBound(4, [1, 2, 3, 4, 5])! - (1 + 2.600762 * Math.SQRT1_2)) < 1e-5);
});

test('retrains that agree wholly leave the difference alone', () => {
  assert.equal(metricUpperBound(0.75, [0.5, 0.5, 0.5]), 0.25);
});

test('not defined: one retrain, NaN, infinity', () => {
  assert.equal(metricUpperBound(1, [1]), null);
  assert.equal(metricUpperBound(Number.NaN, [1, 2]), null);
  assert.equal(metricUpperBound(1, [Number.NEGATIVE_INFINITY, 2]), null);
});
