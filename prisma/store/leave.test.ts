// A run that leaves its slot and goes on later, and what failures lead to that are told apart by what was said last.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { retrainPlaces } from '@retraind/shared/job/run-place';
import type { Blame } from '@retraind/shared/job/states';
import type { ReportOutcome } from '@retraind/shared/wire/messages';
import { withDatabase } from '../../tests/support/database.ts';
import { breakageOf, leaseRun, makeJob, makeNode, resultOf, sha256Of } from '../../tests/support/scenario.ts';
import * as audit from './audit.ts';
import * as jobs from './jobs.ts';
import * as leave from './leave.ts';
import * as nodes from './nodes.ts';
import * as runs from './runs.ts';
import * as world from './world.ts';

const { db } = await withDatabase();

const beat = (holder: runs.Holder) =>
  runs.heartbeat(db, { ...holder, step: 'train', progress: 0.5, leaseSeconds: 60 });

const leaseAgain = async (runId: string, nodeId: string): Promise<runs.Holder> => {
  await db.run.update({ where: { runId }, data: { notBefore: null } });
  const leaseEpoch = await runs.lease(db, { runId, nodeId, slot: 0, leaseSeconds: 60 });
  assert.ok(leaseEpoch, 'leased again');
  return { runId, nodeId, leaseEpoch };
};

const left = (code: 'preempted' | 'given-back' | 'node-stopped'): ReportOutcome => ({
  kind: 'given-back',
  code,
  step: 'train',
  detail: 'a larger run waits',
});

test('a run that is preempted keeps its checkpoint, waits without blame, and begins with it on another node', async () => {
  const { holder, job, node } = await leaseRun(db);
  await beat(holder);
  const wish = { ...holder, code: 'preempted', reason: 'a larger run waits', actor: 'scheduler' } as const;
  assert.equal(await leave.ask(db, wish), true);
  assert.equal(await leave.ask(db, wish), false, 'asked once');
  assert.deepEqual(await beat(holder), {
    cancel: false,
    leave: { code: 'preempted', reason: 'a larger run waits' },
  });
  assert.equal(await leave.keepCheckpoint(db, holder, sha256Of('first')), null);
  assert.equal(await leave.keepCheckpoint(db, holder, sha256Of('first')), null);
  assert.equal(await leave.keepCheckpoint(db, holder, sha256Of('second')), sha256Of('first'));
  const end = await runs.report(db, { ...holder, outcome: left('preempted') });
  assert.deepEqual(end, { jobId: job.jobId, run: 'waiting', job: 'retraining' });
  await assert.rejects(leave.keepCheckpoint(db, holder, sha256Of('late')), { code: 'lease-lost' });

  const other = await makeNode(db);
  const next = await leaseAgain(holder.runId, other.nodeId);
  const { run } = await runs.assignment(db, next);
  assert.deepEqual([run.checkpointSha256, run.checkpointEpoch], [sha256Of('second'), 1]);
  const { leases } = (await runs.byId(db, holder.runId))!;
  assert.deepEqual(
    leases.map(({ outcome, blame, code, detail, step, resumedFrom }) => ({
      ...{ outcome, blame, code, detail, step, resumedFrom },
    })),
    [
      {
        ...{
          outcome: 'given-back',
          blame: null,
          code: 'preempted',
          detail: 'a larger run waits',
          step: 'train',
        },
        resumedFrom: null,
      },
      {
        ...{ outcome: null, blame: null, code: null, detail: null, step: null },
        resumedFrom: sha256Of('second'),
      },
    ],
  );
  // The lease that began with it names it: it is kept though another takes its place.
  assert.equal(await leave.keepCheckpoint(db, next, sha256Of('third')), sha256Of('second'));
  assert.deepEqual(
    [await leave.isNamed(db, sha256Of('first')), await leave.isNamed(db, sha256Of('second'))],
    [false, true],
  );
  const done = await runs.report(db, { ...next, outcome: resultOf('a') });
  assert.equal(done.droppedCheckpoint, sha256Of('third'));
  assert.equal(await leave.isNamed(db, sha256Of('third')), false);
  assert.equal((await nodes.byId(db, node.nodeId))?.faultsInRow, 0);
  const notes = await audit.ofSubject(db, `run:${holder.runId}`);
  assert.deepEqual(
    notes.map(({ actor, deed, reason }) => [actor, deed, reason]),
    [['scheduler', 'runs.leave', 'a larger run waits']],
  );
});

test('leaving seven times wears a run out as little as never; its fifth fault does', async () => {
  const { holder, node } = await leaseRun(db);
  let held = holder;
  for (const code of ['node-stopped', 'preempted', 'given-back'] as const) {
    for (let time = 0; time < 3; time++) {
      await beat(held);
      assert.equal((await runs.report(db, { ...held, outcome: left(code) })).run, 'waiting');
      held = await leaseAgain(held.runId, node.nodeId);
    }
  }
  for (let fault = 1; fault <= 5; fault++) {
    const { run } = await runs.report(db, { ...held, outcome: breakageOf('farm', 'internal') });
    assert.equal(run, fault < 5 ? 'waiting' : 'broken');
    if (fault < 5) held = await leaseAgain(held.runId, node.nodeId);
  }
});

test('a lease that no worker has begun is given back at once; a cancelled run that leaves is cancelled', async () => {
  const { holder } = await leaseRun(db);
  const wish = { code: 'given-back', reason: 'the node smokes', actor: 'ada' } as const;
  assert.equal(await leave.ask(db, { ...holder, ...wish }), true);
  assert.equal((await runs.byId(db, holder.runId))?.state, 'waiting');
  await assert.rejects(beat(holder), { code: 'lease-lost' });

  const second = await leaseRun(db);
  await beat(second.holder);
  await leave.ask(db, { ...second.holder, ...wish });
  await jobs.cancel(db, second.job.jobId, 'no need', 'ada');
  const end = await runs.report(db, { ...second.holder, outcome: left('given-back') });
  assert.equal(end.run, 'cancelled');
});

test('a lease that is lost while its run was leaving leaves nothing behind', async () => {
  const { holder, node } = await leaseRun(db);
  await beat(holder);
  await leave.ask(db, { ...holder, code: 'preempted', reason: 'a larger run waits', actor: 'scheduler' });
  await runs.giveBack(db, { ...holder, outcome: 'lost', blame: 'farm', detail: 'silent' });
  const next = await leaseAgain(holder.runId, node.nodeId);
  assert.deepEqual(await beat(next), { cancel: false }, 'the next lease was asked nothing');
});

const failed = (code: string, blame: Blame, said: string): ReportOutcome => ({
  ...breakageOf(blame, code),
  failureSha256: sha256Of(said),
});

test('the same failure on two nodes is the recipe’s; another failure is not the same', async () => {
  const { holder, job } = await leaseRun(db);
  const other = await makeNode(db);
  await runs.report(db, { ...holder, outcome: failed('device-fault', 'node', 'Xid 79') });
  const whole = await world.read(db, null);
  const seen = whole.runs.find(({ runId }) => runId === holder.runId)!;
  assert.deepEqual(seen.excludedNodes, [{ nodeId: holder.nodeId, reason: 'make: *** [bootstrap] Error 1' }]);
  assert.deepEqual(seen.failedOn, [holder.nodeId]);
  await nodes.register(db, { ...(await nodes.byId(db, holder.nodeId))!, slots: 1 }, 'ada');
  const again = (await world.read(db, whole.cursor)).runs.find(({ runId }) => runId === holder.runId);
  assert.deepEqual(again?.excludedNodes, [], 'whoever resumes a node has looked at it');
  const second = await leaseAgain(holder.runId, other.nodeId);
  await runs.report(db, { ...second, outcome: failed('device-fault', 'node', 'Xid 31') });
  const third = await leaseAgain(holder.runId, other.nodeId);
  const end = await runs.report(db, { ...third, outcome: failed('device-fault', 'node', 'Xid 79') });
  assert.deepEqual(end, { jobId: job.jobId, run: 'broken', job: 'attempted' });
  const run = await runs.byId(db, holder.runId);
  assert.deepEqual([run?.blame, run?.leases.at(-1)?.blame], ['recipe', 'node']);
  assert.match((await jobs.byId(db, job.jobId))!.reason, /alike on two nodes/);
});

const gibibyte = 2 ** 30;
/** A node with one CUDA device of so much memory, and a run leased to it. */
async function leaseOnDevice(gibibytes: number, runId: string) {
  const node = await makeNode(db);
  const device = { kind: 'cuda', capability: 80, name: 'A', memoryBytes: gibibytes * gibibyte };
  await db.node.update({ where: { nodeId: node.nodeId }, data: { accelerators: [device] } });
  return leaseAgain(runId, node.nodeId);
}

test('a device that is too small raises what the job asks for once, and blames neither node nor recipe', async () => {
  const { holder, job } = await leaseRun(db);
  await runs.report(db, { ...holder, outcome: left('preempted') });
  const large = await makeNode(db);
  const device = { kind: 'cuda', capability: 80, name: 'A', memoryBytes: 24 * gibibyte };
  await db.node.update({ where: { nodeId: large.nodeId }, data: { accelerators: [device] } });

  const small = await leaseOnDevice(8, holder.runId);
  const first = await runs.report(db, { ...small, outcome: failed('device-memory', 'node', 'CUDA') });
  assert.deepEqual([first.run, first.job], ['waiting', 'retraining']);
  assert.equal((await jobs.byId(db, job.jobId))!.leastDeviceMemoryBytes, 24 * gibibyte);
  assert.equal((await nodes.byId(db, small.nodeId))?.faultsInRow, 0);
  const seen = (await world.read(db, null)).jobs.find(({ jobId }) => jobId === job.jobId)!;
  assert.equal(seen.leastDeviceMemoryBytes, 24 * gibibyte);
  const [raise] = (await audit.ofSubject(db, `job:${job.jobId}`)).slice(-1);
  assert.equal(raise?.deed, 'jobs.raise-device-memory');

  const again = await leaseAgain(holder.runId, large.nodeId);
  const second = await runs.report(db, { ...again, outcome: failed('device-memory', 'node', 'CUDA') });
  assert.deepEqual([second.run, second.job], ['broken', 'attempted']);
  assert.equal((await runs.byId(db, holder.runId))?.blame, 'recipe');
});

test('a run that failed after it was resumed begins without its checkpoint', async () => {
  const { holder, node } = await leaseRun(db);
  await leave.keepCheckpoint(db, holder, sha256Of('torn'));
  await runs.report(db, { ...holder, outcome: left('preempted') });
  const second = await leaseAgain(holder.runId, node.nodeId);
  const end = await runs.report(db, { ...second, outcome: breakageOf('farm', 'resume-failed') });
  assert.equal(end.run, 'waiting');
  const third = await leaseAgain(holder.runId, node.nodeId);
  assert.equal((await runs.assignment(db, third)).run.checkpointSha256, null);
});

test('one job, however many of its runs blame a node, drains none', async () => {
  const { holder, job } = await leaseRun(db);
  await runs.report(db, { ...holder, outcome: left('preempted') });
  const node = await makeNode(db);
  for (const runId of await runs.add(db, job.jobId, retrainPlaces(5))) {
    const lease = await leaseAgain(runId, node.nodeId);
    const outcome = failed('device-fault', 'node', `Xid in ${runId}`);
    assert.equal((await runs.report(db, { ...lease, outcome })).run, 'waiting');
  }
  const after = (await nodes.byId(db, node.nodeId))!;
  assert.deepEqual([after.faultsInRow, after.state], [1, 'approved']);
});

test('a run leaves for one that waits: its slot is promised to that one until it has a lease, and to one at a time', async () => {
  const { holder } = await leaseRun(db);
  await beat(holder);
  const waiting = await makeJob(db);
  const [forRunId] = await runs.add(db, waiting.jobId, retrainPlaces(1));
  const wish = { ...holder, code: 'preempted', reason: 'it waits', actor: 'scheduler' } as const;
  const promise = { runId: forRunId!, seconds: 60 };
  assert.equal(await leave.ask(db, { ...wish, promise }), true);
  const seen = (await world.read(db, null)).runs;
  const told = (runId: string) => seen.find((run) => run.runId === runId)!;
  const leaving = { leaseEpoch: 1, keptAt: null, leaving: 'it waits', preemptions: 0, earlierSeconds: 0 };
  assert.deepEqual([told(holder.runId).tenure, told(holder.runId).promise], [leaving, null]);
  const { until, ...slot } = told(forRunId!).promise!;
  assert.deepEqual([told(forRunId!).tenure, slot], [null, { nodeId: holder.nodeId, slot: 0 }]);
  assert.ok(until > new Date());

  const other = await leaseRun(db);
  assert.equal(await leave.ask(db, { ...wish, ...other.holder, promise }), false, 'it is promised one');
  assert.equal('leave' in (await beat(other.holder)), false, 'nobody leaves for nothing');

  await leave.keepCheckpoint(db, holder, sha256Of('first'));
  const kept = (await world.read(db, null)).runs.find(({ runId }) => runId === holder.runId)!;
  assert.ok(kept.tenure!.keptAt! > kept.leasedAt!);
  await runs.report(db, { ...holder, outcome: left('preempted') });
  const lease = { runId: forRunId!, nodeId: holder.nodeId, slot: 0, leaseSeconds: 60 };
  assert.equal(await runs.lease(db, lease), 1);
  const again = await leaseAgain(holder.runId, other.node.nodeId).catch(() => null);
  assert.equal(again, null, 'that slot is held');
  const after = (await world.read(db, null)).runs;
  assert.equal(after.find(({ runId }) => runId === forRunId)!.promise, null);

  const ended = await makeJob(db);
  const [cancelled] = await runs.add(db, ended.jobId, retrainPlaces(1));
  await jobs.cancel(db, ended.jobId, 'no need', 'ada');
  const late = { ...wish, ...other.holder, promise: { runId: cancelled!, seconds: 60 } };
  assert.equal(await leave.ask(db, late), false, 'it waits no more');
  assert.equal('leave' in (await beat(other.holder)), false);
});

test('what the world tells of a lease counts how often its run was preempted, and forgets an older checkpoint', async () => {
  const { holder, node } = await leaseRun(db);
  await beat(holder);
  const tenure = async () =>
    (await world.read(db, null)).runs.find(({ runId }) => runId === holder.runId)!.tenure!;
  await runs.report(db, { ...holder, outcome: left('preempted') });
  const second = await leaseAgain(holder.runId, node.nodeId);
  assert.equal((await tenure()).earlierSeconds, 0, 'it began at the beginning');
  await leave.keepCheckpoint(db, second, sha256Of('first'));
  await db.$executeRaw`UPDATE lease SET started_at = now() - interval '2 hours' WHERE run_id = ${holder.runId} AND outcome IS NULL`;
  await runs.report(db, { ...second, outcome: left('preempted') });
  const next = await leaseAgain(holder.runId, node.nodeId);
  const { earlierSeconds, ...told } = await tenure();
  assert.deepEqual(told, { leaseEpoch: 3, keptAt: null, leaving: null, preemptions: 2 });
  // All leases count: what was lost of the first is not told apart, and makes the run look nearer to its end.
  assert.ok(earlierSeconds > 7_199 && earlierSeconds < 7_300, `${earlierSeconds} s`);
  await beat(next);
});
