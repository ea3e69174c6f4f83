import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kolmogorovSmirnov } from '../../samples/uniformity.ts';
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

test('p is uniform under the null for k = 3, 5, 10', () => {
  const draws = 2_000;
  for (const k of [3, 5, 10]) {
    const stream = new ProbeStream('predictive-t', `${k}`);
    const ps = Array.from({ length: draws }, () => {
      const retrains = Array.from({ length: k }, () => 3 + 0.1 * stream.normal());
      return predictiveT(3 + 0.1 * stream.normal(), retrains)!.p;
    });
    const distance = kolmogorovSmirnov(ps) * Math.sqrt(draws);
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
