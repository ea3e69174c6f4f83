import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { estimateOf, type RunEstimate, type Timing, unknownEstimate } from '../cost/estimate.ts';
import type { LedgerEntry } from '../ledger/entry.ts';
import { parseRecipe } from '../recipe/control.ts';
import { policies } from '../recipe/recipe.ts';
import { type PlannedVersion, type PlanWorld, planRelease } from './plan.ts';

const now = new Date('2026-11-23T00:00:00Z');
const control = (gpus: number, accelerator: string): string => `Retrain-Format: 1.0
Policy: per-release
Accelerator: ${accelerator}
Gpus: ${gpus}
Memory: 1 GiB
Time-Limit: 1 h

Model: m
File: m.bin
Output: m.bin
Comparison: bitwise
License: Expat
Task: opaque
`;
const timed = (seconds: number[], gpus: number): RunEstimate =>
  estimateOf(
    '1',
    [],
    seconds.map(
      (one): Timing => ({ version: '1', seconds: one, gpus, device: gpus > 0 ? 'NVIDIA A100' : null }),
    ),
  );

const versionOf = (change: Partial<PlannedVersion> = {}): PlannedVersion => ({
  source: 'toy',
  version: '1',
  policy: 'per-release',
  origin: 'overlay',
  recipe: parseRecipe(control(2, 'cuda')).recipe!,
  accelerators: [{ kind: 'cuda', minimumCapability: 0 }],
  estimate: timed([3_600, 7_200, 10_800], 2),
  job: null,
  ...change,
});
const plan = (versions: PlannedVersion[], change: Partial<PlanWorld> = {}) =>
  planRelease({ suite: 'forky', versions, faults: [], ledger: [], budgets: [], ...change }, now);
const entry = (change: Partial<LedgerEntry> = {}): LedgerEntry => ({
  ledgerId: 1,
  source: 'toy',
  model: null,
  reason: 'cost',
  detail: 'too large',
  evidence: [],
  estimate: null,
  reviewer: 'ada',
  reviewedAt: new Date('2026-01-01'),
  expiresAt: new Date('2027-01-01'),
  removedAt: null,
  ...change,
});

test('hours are runs × time × devices, kWh follow from the power of the devices', () => {
  const [item] = plan([versionOf()]).items;
  assert.deepEqual(item!.runs, { fewest: 1, expected: 2, most: 3 });
  assert.deepEqual(item!.hours, { least: 1 * 1 * 2, expected: 2 * 2 * 2, most: 3 * 3 * 2 });
  assert.ok(Math.abs(item!.kilowattHours!.expected - 8 * 0.4) < 1e-9);
  assert.equal(item!.unit, 'gpu');
  assert.equal(item!.boundHours, 3 * 2);
});

test('what nobody has timed is unknown, in no sum of hours, and bounded by its own limit', () => {
  const { items, sums } = plan([
    versionOf({ estimate: unknownEstimate }),
    versionOf({ source: 'b', recipe: null, estimate: unknownEstimate }),
  ]);
  assert.deepEqual(
    items.map(({ hours, boundHours }) => [hours, boundHours]),
    [
      [null, null],
      [null, 6],
    ],
  );
  assert.equal(sums.untimed, 2);
  assert.equal(sums.gpuHours.most, 0);
});

test('only per-release recipes are due; the others are refused with the reason', () => {
  for (const policy of policies) {
    const { items, refusals } = plan([versionOf({ policy })]);
    assert.equal(items.length, policy === 'per-release' ? 1 : 0, policy);
    if (policy !== 'per-release') assert.match(refusals[0]!.reason, new RegExp(`Policy: ${policy}`));
  }
});

test('the ledger refuses until an entry expires or is removed; one model alone stops no other', () => {
  const refused = (entries: LedgerEntry[]) => plan([versionOf()], { ledger: entries }).refusals.length === 1;
  assert.ok(refused([entry()]));
  assert.ok(refused([entry({ model: 'm' })]));
  assert.ok(!refused([entry({ model: 'other' })]));
  assert.ok(!refused([entry({ expiresAt: new Date('2026-11-22') })]));
  assert.ok(!refused([entry({ removedAt: new Date('2026-11-22') })]));
  assert.ok(!refused([entry({ source: 'another' })]));
});

test('an answered version is done, an open job is taken in', () => {
  const judged = plan([versionOf({ job: { jobId: 'a', state: 'judged' } })]);
  assert.deepEqual([judged.items.length, judged.done.length], [0, 1]);
  const open = plan([versionOf({ job: { jobId: 'a', state: 'held' } })]);
  assert.equal(open.items[0]!.jobId, 'a');
});

test('a budget that does not suffice is told', () => {
  const budget = {
    account: 'suite:forky' as const,
    unit: 'gpu' as const,
    limitSeconds: 36_000,
    spentSeconds: 0,
    reservedSeconds: 7_200,
  };
  const [told] = plan([versionOf()], { budgets: [budget] }).budgets;
  assert.deepEqual(told, {
    account: 'suite:forky',
    unit: 'gpu',
    leftHours: 8,
    neededHours: 8,
    suffices: true,
  });
  assert.equal(
    plan([versionOf()], { budgets: [{ ...budget, spentSeconds: 1 }] }).budgets[0]!.suffices,
    false,
  );
});

test('every version is in exactly one list, and the sums are those of the items', () => {
  const anyVersion = fc.record({
    source: fc.constantFrom('a', 'b', 'c', 'd'),
    version: fc.constantFrom('1', '2'),
    policy: fc.constantFrom(...policies),
    estimate: fc.oneof(
      fc.constant(unknownEstimate),
      fc
        .array(fc.integer({ min: 1, max: 1e6 }), { minLength: 1, maxLength: 5 })
        .chain((seconds) => fc.integer({ min: 0, max: 4 }).map((gpus) => timed(seconds, gpus))),
    ),
    job: fc.constantFrom(
      null,
      { jobId: 'a', state: 'judged' as const },
      { jobId: 'b', state: 'held' as const },
    ),
  });
  fc.assert(
    fc.property(
      fc.uniqueArray(anyVersion, { selector: ({ source, version }) => source + version }),
      (some) => {
        const made = plan(
          some.map((one) => versionOf(one)),
          { ledger: [entry({ source: 'c' })] },
        );
        assert.equal(made.items.length + made.done.length + made.refusals.length, some.length);
        const sum = made.items.reduce(
          (hours, item) => hours + (item.unit === 'gpu' ? (item.hours?.expected ?? 0) : 0),
          0,
        );
        assert.ok(Math.abs(made.sums.gpuHours.expected - sum) <= 1e-9 * Math.max(1, sum));
        for (const { hours } of made.items)
          if (hours) assert.ok(hours.least <= hours.expected && hours.expected <= hours.most);
      },
    ),
  );
});
