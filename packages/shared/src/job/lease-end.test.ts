import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { maxLeases } from './failure.ts';
import { type EndingLease, leaseEnding, notBegun } from './lease-end.ts';
import { blames, jobMayMove, runMayMove } from './states.ts';

const ending = (change: Partial<EndingLease>): EndingLease => ({
  outcome: 'lost',
  blame: 'farm',
  code: 'lease-lost',
  purpose: 'retrain',
  isWanted: true,
  hasBegun: true,
  earlier: [],
  ...change,
});

test('a lease that nobody had begun waits 1, 2, 4 … 600 s and counts towards nothing', () => {
  const waits = [0, 1, 2, 12].map((count) => {
    const earlier = Array.from({ length: count }, () => ({ blame: 'farm', code: notBegun }));
    const after = leaseEnding(ending({ hasBegun: false, earlier }));
    assert.deepEqual([after.run, after.nodeFaults, after.lease.code], ['waiting', 'stay', notBegun]);
    return after.waitSeconds;
  });
  assert.deepEqual(waits, [1, 2, 4, 600]);
  const earlier = Array.from({ length: 40 }, () => ({ blame: 'farm', code: notBegun }));
  assert.equal(leaseEnding(ending({ earlier })).run, 'waiting');
});

test('what the job wants no more is cancelled, whatever the blame', () => {
  for (const blame of blames) {
    const after = leaseEnding(ending({ blame, outcome: 'broken', isWanted: false }));
    assert.deepEqual([after.run, after.job, after.nodeFaults], ['cancelled', null, 'stay']);
  }
});

test('the fifth begun lease without a result ends the run, blame farm', () => {
  const earlier = Array.from({ length: maxLeases - 1 }, () => ({ blame: 'node', code: 'disk-full' }));
  const after = leaseEnding(ending({ blame: 'node', code: 'disk-full', outcome: 'broken', earlier }));
  assert.deepEqual([after.run, after.blame, after.job], ['broken', 'farm', 'attempted']);
  assert.equal(after.lease.outcome, 'given-back');
});

test('every ending is a move that the state machines allow', () => {
  const codes = ['lease-lost', 'recipe-failed', 'disk-full', 'data-wait', 'dep-wait', 'internal'] as const;
  const earlier = fc.array(
    fc.record({ blame: fc.constantFrom(...blames), code: fc.constantFrom(...codes, notBegun) }),
    { maxLength: 8 },
  );
  const any = fc.record({
    outcome: fc.constantFrom('broken', 'given-back', 'lost'),
    blame: fc.constantFrom(...blames),
    code: fc.constantFrom(...codes),
    purpose: fc.constantFrom('retrain', 'rerun', 'dependence'),
    isWanted: fc.boolean(),
    hasBegun: fc.boolean(),
    earlier,
  });
  fc.assert(
    fc.property(any, (given) => {
      const after = leaseEnding(given as EndingLease);
      assert.ok(runMayMove('leased', after.run));
      assert.ok(after.job === null || jobMayMove('retraining', after.job));
      assert.ok(after.waitSeconds >= 0);
    }),
  );
});
