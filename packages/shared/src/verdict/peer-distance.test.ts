import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { kolmogorovSmirnov, sizeAt, sizesOf } from '../../samples/uniformity.ts';
import { meanSquaredDifference } from './hellinger.ts';
import { churnUpperBound, peerDistance } from './peer-distance.ts';
import { ProbeStream } from './probe-stream.ts';

/** Distances after the additive model: exp(a_i + a_j + e), file 0 shipped, effects of sd 0.1. */
const draw = (stream: ProbeStream, k: number, shippedEffect: number, noiseSd: number) => {
  const effects = Array.from({ length: k + 1 }, () => 0.1 * stream.normal());
  effects[0]! += shippedEffect;
  const table = effects.map(() => new Array<number>(k + 1).fill(0));
  for (let i = 0; i <= k; i += 1) {
    for (let j = 0; j < i; j += 1) {
      const value = Math.exp(-4 + effects[i]! + effects[j]! + noiseSd * stream.normal());
      table[i]![j] = value;
      table[j]![i] = value;
    }
  }
  return peerDistance(
    table[0]!.slice(1),
    table.slice(1).map((row) => row.slice(1)),
  );
};

test('a worked example', () => {
  // L12 = 0, L13 = 1, L23 = 2: D = (.5, 1, 1.5), sd .5, a = .5 * 2/1 = 1; theta = 3 - 1 = 2; t = 2 / sqrt(4/3)
  const among = [
    [0, 1, Math.E],
    [1, 0, Math.E ** 2],
    [Math.E, Math.E ** 2, 0],
  ];
  const result = peerDistance([Math.E ** 2, Math.E ** 3, Math.E ** 4], among)!;
  assert.ok(Math.abs(result.effectSd - 1) < 1e-12);
  assert.ok(Math.abs(result.theta - 2) < 1e-12);
  assert.ok(Math.abs(result.statistic - 2 / Math.sqrt(4 / 3)) < 1e-12);
  assert.equal(result.degreesOfFreedom, 2);
  assert.ok(Math.abs(result.p + result.tooCloseP - 1) < 1e-12);
  assert.equal(result.rankP, 1 / 4);
  // theta + 2.919986 / sqrt(3)
  assert.ok(Math.abs(Math.log(churnUpperBound(result)) - (2 + 2.919986 / Math.sqrt(3))) < 1e-5);
});

test('p is uniform under the additive model without noise', () => {
  for (const k of [3, 5, 10]) {
    const stream = new ProbeStream('peer-distance', `${k}`);
    const ps = Array.from({ length: 2_000 }, () => draw(stream, k, 0, 0)!.p);
    const distance = kolmogorovSmirnov(ps) * Math.sqrt(2_000);
    assert.ok(distance < 1.63, `k = ${k}: sqrt(n) D = ${distance}`);
  }
});

test('with noise the size stays within 0.2–2 % at 1 % and 2–7 % at 5 %', (t) => {
  for (const k of [3, 5, 10]) {
    for (const noiseSd of [0.02, 0.05, 0.1]) {
      const stream = new ProbeStream('peer-distance noise', `${k}/${noiseSd}`);
      const ps = Array.from({ length: 2_000 }, () => draw(stream, k, 0, noiseSd)!.p);
      const told = `k = ${k}, noise ${noiseSd} beside effects of 0.1: ${sizesOf(ps)}`;
      t.diagnostic(told);
      assert.ok(sizeAt(ps, 0.01) >= 0.002 && sizeAt(ps, 0.01) <= 0.02, told);
      assert.ok(sizeAt(ps, 0.05) >= 0.02 && sizeAt(ps, 0.05) <= 0.07, told);
    }
  }
});

test('a far file is found, a near one is too close', () => {
  const stream = new ProbeStream('peer-distance power', '');
  const far = Array.from({ length: 200 }, () => draw(stream, 5, 0.8, 0.02)!);
  assert.ok(far.filter(({ p }) => p < 0.01).length > 150);
  const nearer = Array.from({ length: 200 }, () => draw(stream, 5, -0.8, 0.02)!);
  assert.ok(nearer.filter(({ tooCloseP }) => tooCloseP < 0.01).length > 150);
});

test('not defined: two retrains, a zero, NaN, infinity, no spread', () => {
  const square = (d: number) => [0, 1, 2].map((i) => [0, 1, 2].map((j) => (i === j ? 0 : d)));
  assert.equal(
    peerDistance(
      [1, 1],
      [
        [0, 1],
        [1, 0],
      ],
    ),
    null,
  );
  assert.equal(peerDistance([1, 1, 1], square(0)), null);
  assert.equal(peerDistance([1, Number.NaN, 1], square(1)), null);
  assert.equal(peerDistance([1, 1, Number.POSITIVE_INFINITY], square(1)), null);
  assert.equal(peerDistance([2, 2, 2], square(1)), null);
});

test('property: once farther from every retrain than they lie apart, moving on outward never raises p', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 1e6 }),
      fc.integer({ min: 3, max: 10 }),
      fc.integer({ min: 2, max: 6 }),
      (name, k, columns) => {
        const stream = new ProbeStream('outward', `${name}`);
        const point = (): Float32Array => Float32Array.from({ length: columns }, () => stream.normal());
        const retrains = Array.from({ length: k }, point);
        const away = point();
        const mean = away.map((_, c) => retrains.reduce((sum, r) => sum + r[c]!, 0) / k);
        const among = retrains.map((a) => retrains.map((b) => meanSquaredDifference(a, b, columns)));
        const widest = Math.max(...among.flat());
        let last: number | null = null;
        for (let step = 0; step < 8; step += 0.25) {
          const shipped = mean.map((m, c) => m + step * away[c]!);
          const to = retrains.map((r) => meanSquaredDifference(shipped, r, columns));
          if (Math.min(...to) <= widest) continue;
          const { p } = peerDistance(to, among)!;
          // Float32 coordinates round to about 1e-7.
          assert.ok(last === null || p <= last * (1 + 1e-5), `${p} after ${last}`);
          last = p;
        }
      },
    ),
    { numRuns: 300 },
  );
});
