// Checks of nodes in the queue: the farm's own runs, which keep away from whom they are held against, and hold up no job.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ago,
  demand,
  explained,
  heldRun,
  job,
  node,
  now,
  run,
  world,
} from '../../../../tests/support/world.ts';
import { decide } from './decide.ts';
import { Queue } from './queue.ts';
import { defaultPolicy, type World } from './world.ts';

const reason = 'nodes a and b give different bytes: a third node of class amd64 has to tell which is wrong';
const excludedNodes = ['a', 'b'].map((nodeId) => ({
  nodeId,
  reason: 'its own result is held against this run',
}));
const check = (jobId: string) => run(`c${jobId}`, jobId, { check: reason, class: 'amd64', excludedNodes });
const judged = (jobId: string) => job(jobId, 60, 'none', { state: 'judged', reason: 'bit-identical' });
const actionsOf = (one: World): string[] =>
  decide(one, now).actions.map((action) =>
    action.kind === 'place' ? `${action.runId}@${action.nodeId}` : `${action.jobId} ${action.kind}`,
  );
const limit = (account: 'suite:sid' | 'requester:ada' | 'requester:farm', limitSeconds: number) => ({
  ...{ account, limitSeconds, unit: 'cpu' as const, spentSeconds: 0, reservedSeconds: 0 },
});

test('a check runs though its job is judged, on a third node only; a run of the job itself would not', () => {
  const one = world({ jobs: [judged('j')], runs: [check('j')], nodes: [node('a'), node('b')] });
  assert.deepEqual(actionsOf(one), []);
  assert.deepEqual(actionsOf({ ...one, nodes: [...one.nodes, node('c', { machine: 'arm64' })] }), []);
  assert.deepEqual(actionsOf({ ...one, nodes: [...one.nodes, node('c')] }), ['cj@c']);
  assert.deepEqual(actionsOf({ ...one, runs: [run('r', 'j')], nodes: [node('c')] }), []);
  const paused = [{ ...judged('j'), state: 'retraining' as const, releasePaused: 'paused' }];
  assert.deepEqual(actionsOf({ ...one, jobs: paused, nodes: [node('c')] }), [], 'a pause is for all runs');
});

test('where no third node is, it waits and says so, and the job is never given up for it', () => {
  const old = { ...judged('j'), requestedAt: ago(40 * 86_400) };
  const one = world({ jobs: [old], runs: [check('j')], nodes: [node('a'), node('b')] });
  assert.equal(defaultPolicy.hopelessDays, 30);
  assert.deepEqual(actionsOf(one), []);
  const told = explained(one, now, 'j')!;
  assert.match(told.sentence, /^The job is in judged: bit-identical\. Run cj checks a node/);
  assert.match(
    told.sentence,
    /its own result is held against this run.*a third node of class amd64 has to tell/,
  );
  assert.deepEqual(
    told.runs[0]!.slots.map(({ clauses }) =>
      clauses.filter(({ passes }) => !passes).map(({ clause }) => clause),
    ),
    [['exclusion'], ['exclusion']],
  );
  // The same run of an open job keeps it from nothing, either.
  const open = { ...one, jobs: [{ ...old, state: 'retraining' as const }] };
  assert.deepEqual(actionsOf(open), []);
});

test('the farm pays: no budget of suite or requester stops it, its own does, and moves no job', () => {
  const one = world({ jobs: [judged('j')], runs: [check('j')], nodes: [node('c')] });
  const spent = [limit('suite:sid', 0), limit('requester:ada', 0)];
  assert.deepEqual(actionsOf({ ...one, budgets: spent }), ['cj@c']);
  assert.deepEqual(actionsOf({ ...one, budgets: [limit('requester:farm', 0)] }), []);
  const open = [{ ...judged('j'), state: 'retraining' as const }];
  assert.deepEqual(actionsOf({ ...one, jobs: open, budgets: [limit('requester:farm', 0)] }), []);
});

test('it counts as the farm’s share, and its job is idle beside it', () => {
  const retraining = { ...judged('j'), state: 'retraining' as const };
  const holding = { ...heldRun('c', 'j', 'a'), check: reason };
  const queue = Queue.of(world({ jobs: [retraining], runs: [holding], nodes: [node('a')] }));
  assert.deepEqual([...queue.heldByAccount.keys()].sort(), ['requester:farm', 'suite:(farm)']);
  assert.deepEqual([...queue.idleJobIds], ['j'], 'the job may be judged meanwhile');
  const both = Queue.of(world({ jobs: [retraining], runs: [holding, run('r', 'j')], nodes: [node('a')] }));
  assert.deepEqual([...both.idleJobIds], []);
});

test('nobody is preempted for a check', () => {
  const preemption = { points: 1, leastHeldSeconds: 0, mostAtOnce: 4, mostTimes: 2, neverAbove: 1 };
  const tenure = { leaseEpoch: 1, keptAt: ago(1), earlierSeconds: 0, leaving: null, preemptions: 0 };
  const busy = (wanted: object): World =>
    world({
      policy: { ...defaultPolicy, preemption, fairSharePoints: 0 },
      jobs: [
        job('held', 10, 'none', { requestedBy: 'bob', demand: demand('none', { estimateSeconds: 3_600 }) }),
        job('j', 400_000),
      ],
      runs: [{ ...heldRun('h', 'held', 'c'), tenure }, run('r', 'j', wanted)],
      nodes: [node('c')],
    });
  assert.deepEqual(actionsOf(busy({})), ['held preempt'], 'a run of the job would have it leave');
  assert.deepEqual(actionsOf(busy({ check: reason, class: 'amd64' })), []);
});
