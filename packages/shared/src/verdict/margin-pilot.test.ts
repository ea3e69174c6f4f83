import assert from 'node:assert/strict';
import { test } from 'node:test';
import { honestShare, pilotRuns, spreadOf } from './margin-pilot.ts';
import { sdOf } from './moments.ts';
import { ProbeStream } from './probe-stream.ts';

test('the interval covers the true spread in 90 % of pilots', () => {
  const stream = new ProbeStream('test', 'pilots');
  const pilots = 4_000;
  let covered = 0;
  for (let pilot = 0; pilot < pilots; pilot += 1) {
    const values = Array.from({ length: pilotRuns }, () => 0.87 + 0.004 * stream.normal());
    const { sd, interval } = spreadOf(values)!;
    assert.equal(sd, sdOf(values));
    if (interval[0] <= 0.004 && 0.004 <= interval[1]) covered += 1;
  }
  // Three standard deviations of a share of 0.9 over so many pilots.
  assert.ok(Math.abs(covered / pilots - 0.9) < 0.0143, `${covered} of ${pilots}`);
});

test('the share rises with the margin, and is that of an independent simulation', () => {
  const shares = [0.5, 1.5, 2, 2.5, 3, 5].map(honestShare);
  assert.deepEqual(
    shares,
    [...shares].sort((a, b) => a - b),
  );
  // 100,000 draws with Math.random and no code of ours: 0.592, 0.805, 0.922, 0.974.
  for (const [i, expected] of [0.592, 0.805, 0.922, 0.974].entries())
    assert.ok(Math.abs(shares[i + 1]! - expected) < 0.012, `${shares[i + 1]} for ${expected}`);
  assert.ok(shares[5]! > 0.999);
});

test('fewer values, or one that is not finite, have no spread', () => {
  assert.equal(spreadOf([0.1, 0.2, 0.3, 0.4]), null);
  assert.equal(spreadOf([0.1, 0.2, 0.3, 0.4, Number.NaN]), null);
});
