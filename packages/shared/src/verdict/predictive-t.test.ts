import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { kolmogorovSmirnov, sizesOf } from '../../samples/uniformity.ts';
import { meanOf } from './moments.ts';
import { predictiveT } from './predictive-t.ts';
import { ProbeStream } from './probe-stream.ts';

test('a worked example', () => {
  // mean 2, s = 1, t = (5 - 2) / sqrt(1 + 1/3) = 2.598; R: 2 * pt(-2.598076, 2) = 0.1217
  const result = predictiveT(5, [1, 2, 3]);
  assert.ok(result);
  assert.ok(Math.abs(result.statistic - 2.598076) < 1e-6);
  assert.equal(result.degreesOfFreedom, 2);
  assert.ok(Math.abs(result.p - 0.121682) < 1e-5, `${result.p}`);
  assert.equal(result.rankP, 1 / 4);
});

test('p is uniform under the null for k = 3, 5, 10', (t) => {
  const draws = 2_000;
  for (const k of [3, 5, 10]) {
    const stream = new ProbeStream('predictive-t', `${k}`);
    const ps = Array.from({ length: draws }, () => {
      const retrains = Array.from({ length: k }, () => 3 + 0.1 * stream.normal());
      return predictiveT(3 + 0.1 * stream.normal(), retrains)!.p;
    });
    const distance = kolmogorovSmirnov(ps) * Math.sqrt(draws);
    t.diagnostic(`k = ${k}, ${draws} draws: sqrt(n) D = ${distance.toFixed(2)}, ${sizesOf(ps)}`);
    assert.ok(distance < 1.63, `k = ${k}: sqrt(n) D = ${distance}`);
  }
});

test('the floor keeps agreeing retrains from damning the next example', () => {
  assert.equal(predictiveT(0.9, [0.8, 0.8, 0.8]), null);
  assert.ok(predictiveT(0.801, [0.8, 0.8, 0.8], 0.01)!.p > 0.9);
});

test('not defined: one retrain, NaN, infinity, no spread', () => {
  assert.equal(predictiveT(1, [2]), null);
  assert.equal(predictiveT(Number.NaN, [1, 2, 3]), null);
  assert.equal(predictiveT(1, [1, 2, Number.POSITIVE_INFINITY]), null);
  assert.equal(predictiveT(1, [1, 1, 1]), null);
});

test('property: moving the shipped number away from the mean never raises p', () => {
  const number = fc.double({ min: -10, max: 10, noNaN: true });
  fc.assert(
    fc.property(
      fc.array(number, { minLength: 3, maxLength: 10 }),
      fc.array(fc.double({ min: 0, max: 50, noNaN: true }), { minLength: 2, maxLength: 6 }),
      fc.boolean(),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (retrains, distances, up, sdFloor) => {
        const mean = meanOf(retrains);
        const steps = [...distances].sort((a, b) => a - b);
        const ps = steps.map((step) => predictiveT(mean + (up ? step : -step), retrains, sdFloor)?.p);
        // Below 1e-12 apart the rounding of mean + step decides.
        for (const [i, p] of ps.slice(1).entries()) {
          if (p !== undefined) assert.ok(p <= ps[i]! + 1e-12, `${p} after ${ps[i]}`);
        }
      },
    ),
  );
});
