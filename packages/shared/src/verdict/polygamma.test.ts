import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { digamma, trigamma, trigammaInverse } from './polygamma.ts';

const near = (actual: number, expected: number): void =>
  assert.ok(Math.abs(actual - expected) <= 1e-11 * Math.max(1, Math.abs(expected)), `${actual}`);

test('closed forms at 1/2, 1 and 2', () => {
  const euler = 0.5772156649015329;
  near(digamma(1), -euler);
  near(digamma(0.5), -euler - 2 * Math.LN2);
  near(digamma(2), 1 - euler);
  near(trigamma(1), Math.PI ** 2 / 6);
  near(trigamma(0.5), Math.PI ** 2 / 2);
  near(trigamma(2), Math.PI ** 2 / 6 - 1);
});

test('the recurrence holds across the switch to the series', () => {
  for (const x of [0.01, 3.3, 10.9, 11.5, 40]) {
    near(digamma(x + 1) - digamma(x), 1 / x);
    near(trigamma(x) - trigamma(x + 1), 1 / (x * x));
  }
});

test('property: the inverse undoes trigamma', () => {
  fc.assert(
    fc.property(fc.double({ min: -12, max: 12, noNaN: true }), (log) => {
      const x = Math.exp(log);
      assert.ok(Math.abs(trigammaInverse(trigamma(x)) / x - 1) < 1e-8);
    }),
  );
});
