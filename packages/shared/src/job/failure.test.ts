import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ProblemCode, problemTable } from '../wire/problems.ts';
import { blameFor, blameForTarget, blameRules, consequenceOf, drainsNode } from './failure.ts';
import { blames, jobMayMove, runMayMove, runSteps } from './states.ts';

test('blame by step and code', () => {
  for (const [step, code, blame] of [
    ['fetch', 'not-found', 'data'],
    ['fetch', 'digest-mismatch', 'data'],
    ['unpack', 'invalid-archive', 'recipe'],
    ['unpack', 'dep-wait', 'recipe'],
    ['train', 'recipe-failed', 'recipe'],
    ['train', 'disk-full', 'node'],
    ['evaluate', 'invalid-model', 'recipe'],
    ['report', 'farm-unreachable', 'farm'],
    ['report', 'conflict', 'farm'],
    ['train', 'internal', 'farm'],
  ] as const) {
    assert.equal(blameFor(step, code), blame, `${step} ${code}`);
  }
  for (const step of runSteps) {
    for (const code of Object.keys(problemTable) as ProblemCode[])
      assert.ok(blames.includes(blameFor(step, code)));
  }
  for (const { why } of blameRules) assert.ok(why.length > 20);
});

test('blame by how the target ended', () => {
  const end = { exitCode: 0, tempfail: false, endedBy: null };
  assert.equal(blameForTarget(end), null);
  assert.equal(blameForTarget({ ...end, exitCode: 2 }), 'recipe');
  assert.equal(blameForTarget({ ...end, exitCode: null }), 'recipe');
  assert.equal(blameForTarget({ ...end, exitCode: 2, tempfail: true }), 'node');
  assert.equal(blameForTarget({ ...end, exitCode: null, endedBy: 'silence-limit' }), 'recipe');
  assert.equal(blameForTarget({ ...end, exitCode: null, endedBy: 'cancelled' }), 'cancelled');
});

test('what follows from a broken lease', () => {
  const lease = { purpose: 'retrain', blame: 'farm', code: 'internal', leases: 1, tempfails: 0 } as const;
  const job = (change: Partial<Parameters<typeof consequenceOf>[0]>) => {
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
  assert.equal(job({ blame: 'node', code: 'recipe-failed', leases: 3, tempfails: 3 }), 'waiting');
  assert.equal(job({ blame: 'node', code: 'recipe-failed', leases: 4, tempfails: 4 }), 'attempted');
  const pauses = [1, 2, 3, 4].map((leases) => {
    const after = consequenceOf({ ...lease, leases });
    return after.run === 'waiting' && after.waitSeconds;
  });
  assert.deepEqual(pauses, [15, 30, 60, 120]);
});

test('every consequence is a move that the machines allow', () => {
  for (const blame of blames) {
    for (const leases of [1, 5]) {
      const after = consequenceOf({
        purpose: 'retrain',
        ...{ blame, code: 'recipe-failed', leases, tempfails: 0 },
      });
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
