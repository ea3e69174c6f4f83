import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accuracySdFloor, meanOf, sdOf } from './moments.ts';

test('mean and sample sd', () => {
  assert.equal(meanOf([2, 4, 4, 4, 5, 5, 7, 9]), 5);
  assert.ok(Math.abs(sdOf([2, 4, 4, 4, 5, 5, 7, 9]) - Math.sqrt(32 / 7)) < 1e-15);
});

test('too few values have no mean, no spread', () => {
  assert.ok(Number.isNaN(meanOf([])));
  assert.ok(Number.isNaN(sdOf([1])));
});

test('a large offset does not drown the spread', () => {
  assert.equal(sdOf([1e9 + 1, 1e9 + 2, 1e9 + 3]), 1);
});

test('the floor of an accuracy is half the binomial sd, or one example', () => {
  assert.equal(accuracySdFloor(0.5, 10_000), 0.0025);
  assert.equal(accuracySdFloor(1, 200), 0.005);
});
