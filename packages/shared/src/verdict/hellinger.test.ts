import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { tasks } from '../recipe/recipe.ts';
import { bernoulliHellinger, distanceFor, meanSquaredDifference, squaredHellinger } from './hellinger.ts';

const f = (...values: number[]) => Float32Array.from(values);

test('squared Hellinger: 0 for equals, 1 for disjoint, mean over rows', () => {
  assert.equal(squaredHellinger(f(1, 0), f(1, 0), 2), 0);
  assert.equal(squaredHellinger(f(1, 0), f(0, 1), 2), 1);
  assert.equal(squaredHellinger(f(1, 0, 1, 0), f(0, 1, 1, 0), 2), 0.5);
  // 1 - (sqrt(.5 * .25) + sqrt(.5 * .75))
  const expected = 1 - Math.sqrt(0.125) - Math.sqrt(0.375);
  assert.ok(Math.abs(squaredHellinger(f(0.5, 0.5), f(0.25, 0.75), 2) - expected) < 1e-12);
});

test('rounding below 0 does no harm', () => {
  assert.equal(squaredHellinger(f(1, -1e-9), f(1, 0), 2), 0);
  assert.equal(bernoulliHellinger(f(1.0000001), f(1), 1), 0);
});

test('Bernoulli outputs are compared each for itself, regression by squares', () => {
  assert.equal(bernoulliHellinger(f(1, 1), f(0, 1), 2), 0.5);
  assert.equal(meanSquaredDifference(f(1, 2), f(3, 2), 2), 2);
});

test('symmetric and within 0..1 for any probabilities', () => {
  const row = fc
    .array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 4, maxLength: 4 })
    .map((values) => {
      const sum = values.reduce((a, b) => a + b, 1e-9);
      return Float32Array.from(values.map((value) => value / sum));
    });
  fc.assert(
    fc.property(row, row, (a, b) => {
      const there = squaredHellinger(a, b, 4);
      assert.equal(there, squaredHellinger(b, a, 4));
      assert.ok(there >= 0 && there <= 1 + 1e-6);
    }),
  );
});

test('every task is decided on', () => {
  assert.deepEqual(
    tasks.filter((task) => distanceFor(task) === null),
    ['embedding', 'opaque'],
  );
});
