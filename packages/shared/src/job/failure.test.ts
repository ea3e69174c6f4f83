import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BrokenLease, consequenceOf, drainsNode } from './failure.ts';
import { blames, jobMayMove, runMayMove } from './states.ts';

const lease: BrokenLease = {
  purpose: 'retrain',
  blame: 'farm',
  code: 'internal',
  leases: 1,
  tempfails: 0,
  alike: { elsewhere: 0, here: 0 },
};

test('what follows from a broken lease', () => {
  const job = (change: Partial<BrokenLease>) => {
    const after = consequenceOf({ ...lease, ...change });
    return after.run === 'broken' ? after.job : after.run;
  };
  assert.equal(job({ blame: 'recipe', code: 'recipe-failed' }), 'attempted');
  assert.equal(job({ blame: 'recipe', code: 'dep-wait' }), 'dep-wait');
  for (const purpose of ['rerun', 'dependence'] as const) {
    assert.equal(job({ purpose, blame: 'recipe', code: 'recipe-failed' }), null);
    assert.equal(job({ purpose, blame: 'recipe', code: 'dep-wait' }), 'dep-wait');
    assert.equal(job({ purpose, blame: 'data', code: 'data-wait' }), 'data-wait');
    assert.equal(job({ purpose, blame: 'farm', leases: 5 }), 'attempted');
  }
  assert.equal(job({ blame: 'data', code: 'data-wait' }), 'data-wait');
  assert.equal(job({ blame: 'budget' }), 'budget-wait');
  assert.equal(job({ blame: 'cancelled' }), 'cancelled');
  assert.equal(job({ blame: 'node', leases: 4 }), 'waiting');
  assert.equal(job({ blame: 'node', leases: 5 }), 'attempted');
  assert.equal(job({ blame: 'node', code: 'try-elsewhere', leases: 3, tempfails: 3 }), 'waiting');
  assert.equal(job({ blame: 'node', code: 'try-elsewhere', leases: 4, tempfails: 4 }), 'attempted');
  const pauses = [1, 2, 3, 4].map((leases) => {
    const after = consequenceOf({ ...lease, leases });
    return after.run === 'waiting' && after.waitSeconds;
  });
  assert.deepEqual(pauses, [15, 30, 60, 120]);
});

test('every consequence is a move that the machines allow', () => {
  for (const blame of blames) {
    for (const leases of [1, 5]) {
      const after = consequenceOf({ ...lease, blame, code: 'recipe-failed', leases });
      assert.ok(runMayMove('leased', after.run), blame);
      if (after.run === 'broken') assert.ok(jobMayMove('retraining', after.job!), blame);
    }
  }
});

test('three leases in a row with blame node drain a node', () => {
  assert.ok(drainsNode(['node', 'node', 'node', null]));
  assert.ok(!drainsNode(['node', 'node']));
  assert.ok(!drainsNode(['node', null, 'node', 'node']));
});

test('a failure that is the same on two nodes, or three times on one, is the recipe’s', () => {
  const fault = { ...lease, blame: 'node', code: 'device-fault', leases: 2 } as const;
  assert.equal(consequenceOf(fault).run, 'waiting');
  assert.deepEqual(consequenceOf({ ...fault, alike: { elsewhere: 1, here: 0 } }), {
    run: 'broken',
    job: 'attempted',
    blame: 'recipe',
    reason: 'failed alike on two nodes, so it is not the node',
  });
  assert.equal(consequenceOf({ ...fault, alike: { elsewhere: 0, here: 1 } }).run, 'waiting');
  assert.equal(consequenceOf({ ...fault, alike: { elsewhere: 0, here: 2 } }).run, 'broken');
  const tempfail = {
    ...fault,
    code: 'try-elsewhere',
    tempfails: 2,
    alike: { elsewhere: 1, here: 0 },
  } as const;
  assert.equal(consequenceOf(tempfail).run, 'waiting', 'the contract allows three');
});

test('a device that is too small leads to a larger one, once', () => {
  const small = { failedBytes: 8, askedBytes: 8, nextBytes: 24, wasRaised: false };
  const after = (change: Partial<typeof small> | { failedBytes: null } | { nextBytes: null }) =>
    consequenceOf({
      ...lease,
      ...{ blame: 'node', code: 'device-memory', deviceMemory: { ...small, ...change } },
    });
  const first = after({});
  assert.equal(first.run === 'waiting' && first.raiseTo, 24);
  const meanwhile = after({ askedBytes: 24, wasRaised: true });
  assert.deepEqual(
    meanwhile.run === 'waiting' && [meanwhile.raiseTo, meanwhile.isElsewhere],
    [undefined, true],
    'another run of the job was quicker',
  );
  for (const change of [
    { failedBytes: 24, askedBytes: 24, wasRaised: true, nextBytes: 80 },
    { nextBytes: null },
    { failedBytes: null },
  ]) {
    const end = after(change);
    assert.deepEqual([end.run, end.run === 'broken' && end.blame], ['broken', 'recipe']);
  }
});

test('a run that fails after it was resumed is trained from its beginning', () => {
  const after = consequenceOf({ ...lease, code: 'resume-failed' });
  assert.deepEqual(after.run === 'waiting' && [after.fromStart, after.waitSeconds], [true, 0]);
});
