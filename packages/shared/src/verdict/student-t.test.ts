import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { lowerP, tQuantile, twoSidedP, upperP } from './student-t.ts';

const near = (actual: number, expected: number, relative = 1e-9): void =>
  assert.ok(Math.abs(actual - expected) <= relative * Math.abs(expected), `${actual} is not ${expected}`);

test('closed forms for 1 and 2 degrees of freedom', () => {
  for (const t of [0.1, 1, 3, 20, 1000]) {
    near(upperP(t, 1), Math.atan2(1, t) / Math.PI);
    const tail = 1 / (2 + t * t) / (1 + t / Math.sqrt(2 + t * t));
    near(upperP(t, 2), tail);
    near(twoSidedP(-t, 2), 2 * tail);
  }
});

test('quantiles of printed tables', () => {
  near(tQuantile(0.97, 4), 2.600762, 1e-6);
  near(tQuantile(0.95, 9), 1.833113, 1e-6);
  near(tQuantile(0.95, 2), 2.919986, 1e-6);
});

test('both tails make one', () => {
  fc.assert(
    fc.property(fc.double({ min: -50, max: 50, noNaN: true }), fc.integer({ min: 1, max: 30 }), (t, df) => {
      assert.ok(Math.abs(upperP(t, df) + lowerP(t, df) - 1) < 1e-12);
    }),
  );
});
