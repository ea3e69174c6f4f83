// The hard stop of budgets, and what a first run teaches of a job's cost.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reservationOf } from '@retraind/shared/cost/reservation';
import { retrainPlaces } from '@retraind/shared/job/run-place';
import { withDatabase } from '../../tests/support/database.ts';
import { findVersion, makeNode, resultOf } from '../../tests/support/scenario.ts';
import * as budgets from './budgets.ts';
import { learnCost } from './job-birth.ts';
import * as jobs from './jobs.ts';
import * as runs from './runs.ts';

const { db } = await withDatabase();
const because = { actor: 'ada', reason: 'test' };
const limits = {
  gpuHours: null,
  cpuHours: null,
  approvalGpuHours: null,
  approvalCpuHours: null,
  renew: false,
};

/** A job whose only run began so many hours ago, with half an hour set aside for it. */
const runningFor = async (hours: number, suite: string) => {
  const { job } = await findVersion(db, { suite });
  const { nodeId } = await makeNode(db);
  const [runId] = await runs.add(db, job!.jobId, retrainPlaces(1));
  const reservation = reservationOf({ estimateSeconds: 1_800, timeLimitSeconds: 0 }, []);
  const leaseEpoch = await runs.lease(db, { runId: runId!, nodeId, slot: 0, leaseSeconds: 60, reservation });
  await db.$executeRaw`UPDATE lease SET started_at = now() - make_interval(secs => ${hours * 3_600}::float8) WHERE run_id = ${runId}`;
  return { jobId: job!.jobId, runId: runId!, leaseEpoch: leaseEpoch!, nodeId };
};

test('a run is stopped when it has used what was set aside and its budget has no more', async () => {
  const longer = await runningFor(2, 'stop');
  await runningFor(0.25, 'stop');
  const stopped = async (cpuHours: number | null) => {
    await budgets.set(db, { ...limits, account: 'suite:stop', cpuHours }, because);
    return (await budgets.overrunning(db)).map(({ runId }) => runId);
  };
  assert.deepEqual(await stopped(null), []);
  assert.deepEqual(await stopped(3), [], '2 hours used and half an hour promised fit');
  assert.deepEqual(await stopped(2.4), [longer.runId], 'the other one is within what was set aside for it');
  const other = { ...limits, account: 'requester:nobody' as const, cpuHours: 0 };
  await budgets.set(db, other, because);
  assert.deepEqual(await stopped(3), []);
});

test('what is spent never falls, and never below zero', async () => {
  await assert.rejects(
    db.$executeRaw`INSERT INTO budget (account, set_by, spent_cpu_hours) VALUES ('suite:x', 'ada', -1)`,
  );
  const { runId, leaseEpoch, nodeId } = await runningFor(-1, 'clock');
  await budgets.set(db, { ...limits, account: 'suite:clock', cpuHours: 1 }, because);
  await runs.report(db, { runId, leaseEpoch, nodeId, outcome: resultOf('x') });
  const [row] = (await budgets.list(db)).filter(({ account }) => account === 'suite:clock');
  assert.equal(row!.spentCpuHours, 0, 'a lease that began in the future used nothing');
});

test('the first run tells what the others cost: it is set aside for them, and a large job is held', async () => {
  const { jobId, runId, leaseEpoch, nodeId } = await runningFor(3, 'learn');
  await budgets.set(db, { ...limits, account: 'suite:learn', cpuHours: 100, approvalCpuHours: 2 }, because);
  assert.equal(await learnCost(db, jobId), false, 'nothing was timed yet');
  await runs.report(db, { runId, leaseEpoch, nodeId, outcome: resultOf('x') });
  assert.equal(await learnCost(db, jobId), true);
  const job = await jobs.byId(db, jobId);
  assert.equal(job!.state, 'held');
  assert.match(job!.reason, /about 3 CPU-hours expected/);
  assert.equal(Math.round(job!.demand.estimateSeconds / 60), 180);
  await jobs.approve(db, jobId, 'worth it', 'ada');
  assert.equal(await learnCost(db, jobId), false);
});
