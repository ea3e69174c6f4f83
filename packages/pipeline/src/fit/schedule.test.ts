import assert from 'node:assert/strict';
import { test } from 'node:test';
import { constantRate, cosineRate, steppedRate, warmUp } from './schedule.ts';

const rates = (schedule: (step: number, steps: number) => number, steps: number): number[] =>
  Array.from({ length: steps }, (_, i) => Number(schedule(i + 1, steps).toFixed(6)));

test('schedules by worked examples', () => {
  assert.deepEqual(rates(constantRate(0.5), 3), [0.5, 0.5, 0.5]);
  assert.deepEqual(rates(steppedRate(1, { every: 2 }), 5), [1, 1, 0.1, 0.1, 0.01]);
  assert.deepEqual(rates(steppedRate(1, { every: 1, factor: 0.5 }), 3), [1, 0.5, 0.25]);
  assert.deepEqual(rates(cosineRate(1), 5), [1, 0.853553, 0.5, 0.146447, 0]);
  assert.deepEqual(rates(cosineRate(1, { floor: 0.2 }), 3), [1, 0.6, 0.2]);
  assert.deepEqual(rates(cosineRate(1), 1), [1]);
  assert.deepEqual(rates(warmUp(3, constantRate(1)), 5), [0.25, 0.5, 0.75, 1, 1]);
  // What comes after the warm-up counts the steps that are left.
  assert.deepEqual(rates(warmUp(2, cosineRate(3)), 5), [1, 2, 3, 1.5, 0]);
});
