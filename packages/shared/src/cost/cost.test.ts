import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isInForce } from '../ledger/entry.ts';
import { seedEntries } from '../ledger/seed.ts';
import { approvalWanted } from '../policy/approval.ts';
import { cpuSlotWatts, gramsCo2eOf, unknownBoardWatts, wattsOf } from './energy.ts';
import { estimateOf, type Timing } from './estimate.ts';
import { reservationOf } from './reservation.ts';
import { trainingEstimate } from './training.ts';

const timing = (seconds: number, version = '1', gpus = 0): Timing => ({
  version,
  seconds,
  gpus,
  device: gpus > 0 ? 'NVIDIA A100' : null,
});

test('a pilot of this version comes first, then earlier runs, then another pilot, then nothing', () => {
  const [own, other, run] = [timing(10), timing(20, '0'), timing(30, '0')];
  assert.equal(estimateOf('1', [own, other], [run]).seconds, 10);
  assert.deepEqual(
    [estimateOf('1', [other], [run]).seconds, estimateOf('1', [other], [run]).basis],
    [30, 'earlier-runs'],
  );
  assert.equal(estimateOf('1', [other], []).seconds, 20);
  assert.deepEqual(estimateOf('1', [], []).basis, 'unknown');
  assert.equal(estimateOf('1', [], []).seconds, null);
});

test('the median of what was seen, with the shortest and the longest; of one timing half and double', () => {
  assert.deepEqual(estimateOf('1', [], [timing(4), timing(1), timing(2), timing(3)]).range, [1, 4]);
  assert.equal(estimateOf('1', [], [timing(4), timing(1), timing(2), timing(3)]).seconds, 2.5);
  assert.deepEqual(estimateOf('1', [], [timing(4)]).range, [2, 8]);
});

test('times on devices and on CPUs are not mixed: the newest says which count', () => {
  const { seconds, gpus } = estimateOf('1', [], [timing(5, '1', 1), timing(500), timing(7, '1', 1)]);
  assert.deepEqual([seconds, gpus], [6, 1]);
});

test('6·N·D: Phi-1.5 comes out near the 1,500 A100-hours that its makers report', () => {
  const a100 = { name: 'NVIDIA A100', peakFlops: 312e12, watts: 400 };
  const { gpuHours, gpuHoursRange } = trainingEstimate(
    { parameters: 1.3e9, tokens: 150e9, basis: 'paper' },
    a100,
  );
  assert.ok(gpuHours > 1_500 && gpuHours < 4 * 1_500, `${gpuHours}`);
  assert.ok(gpuHoursRange[0] < gpuHours && gpuHours < gpuHoursRange[1]);
  for (const parameters of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(() => trainingEstimate({ parameters, tokens: 1, basis: '' }), RangeError);
  }
});

test('devices are known by name, and what is reserved counts each of them', () => {
  assert.equal(wattsOf(['NVIDIA H100 80GB HBM3']), 700);
  assert.equal(wattsOf(['NVIDIA H100 PCIe']), 350);
  assert.equal(wattsOf(['Tesla T4', 'Some new board']), 70 + unknownBoardWatts);
  assert.equal(wattsOf([]), cpuSlotWatts);
  const a100 = { kind: 'cuda' as const, capability: 80, name: 'NVIDIA A100', memoryBytes: 1 };
  const demand = { estimateSeconds: 3_600, timeLimitSeconds: 9_000 };
  assert.deepEqual(reservationOf(demand, [a100, a100]), {
    gpus: 2,
    device: 'NVIDIA A100, NVIDIA A100',
    hours: 2,
    watts: 800,
  });
  assert.equal(reservationOf({ ...demand, estimateSeconds: 0 }, []).hours, 2.5);
  assert.equal(gramsCo2eOf(2_000, 400), 800);
  assert.equal(gramsCo2eOf(2_000, null), null);
});

test('an approval is asked for above the smallest threshold of the unit, and never for an unknown cost', () => {
  const thresholds = [
    { account: 'suite:sid' as const, unit: 'gpu' as const, hours: 10 },
    { account: 'requester:pia' as const, unit: 'gpu' as const, hours: 5 },
  ];
  assert.equal(approvalWanted({ unit: 'gpu', hours: 5 }, thresholds), null);
  assert.match(approvalWanted({ unit: 'gpu', hours: 5.1 }, thresholds)!, /requester:pia may spend 5 /);
  assert.equal(approvalWanted({ unit: 'cpu', hours: 99 }, thresholds), null);
  assert.equal(approvalWanted({ unit: 'gpu', hours: null }, thresholds), null);
});

test('the ledger that a farm begins with: every entry has a reason, an expiry and evidence or none invented', () => {
  assert.equal(new Set(seedEntries.map(({ key }) => key)).size, seedEntries.length);
  for (const entry of seedEntries) {
    assert.ok(entry.detail.length > 10 && entry.expiresAt > entry.reviewedAt, entry.key);
    for (const address of entry.evidence) assert.equal(new URL(address).protocol, 'https:');
    const held = { ...entry, ledgerId: 1, reviewer: 'retraind', removedAt: null };
    assert.ok(isInForce(held, entry.reviewedAt) && !isInForce(held, entry.expiresAt));
  }
  const moondream = seedEntries.find(({ key }) => key === 'moondream')!.estimate!;
  assert.ok(moondream.gpuHours > 900 && moondream.gpuHours < 1_600);
});
