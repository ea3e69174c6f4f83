// The scheduler's cursor: whatever is committed is told, at least once, whoever commits when.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { retrainPlaces } from '@retraind/shared/job/run-place';
import { demandOfTag, worldJob } from '@retraind/shared/policy/world';
import { withDatabase } from '../../tests/support/database.ts';
import {
  breakageOf,
  findVersion,
  leaseRun,
  makeJob,
  makeNode,
  resultOf,
  selfReport,
} from '../../tests/support/scenario.ts';
import { listen } from '../client.ts';
import * as jobs from './jobs.ts';
import * as nodes from './nodes.ts';
import * as runs from './runs.ts';
import * as world from './world.ts';

const { db, url } = await withDatabase({ alone: true });

const ids = (change: world.WorldChange) => ({
  jobs: [...change.jobs, ...change.movedJobs].map(({ jobId }) => jobId),
  runs: change.runs.map(({ runId }) => runId),
});

test('a job, its run and their node are told whole, then only what changed, then that they are gone', async () => {
  const { job, holder } = await leaseRun(db);
  const first = await world.read(db, null);
  assert.equal(first.isWhole, true);
  const told = first.runs.find(({ runId }) => runId === holder.runId);
  assert.deepEqual([told?.state, told?.holder], ['leased', { nodeId: holder.nodeId, slot: 0 }]);
  assert.deepEqual(first.jobs.find(({ jobId }) => jobId === job.jobId)?.demand.accelerators, [
    { kind: 'none' },
  ]);
  assert.equal(first.nodes.find(({ nodeId }) => nodeId === holder.nodeId)?.slots.length, 1);

  const idle = await world.read(db, first.cursor);
  assert.deepEqual([idle.isWhole, ids(idle)], [false, { jobs: [], runs: [] }]);

  await runs.heartbeat(db, { ...holder, step: 'fetch', progress: 0, leaseSeconds: 60 });
  const stepped = await world.read(db, idle.cursor);
  await runs.heartbeat(db, { ...holder, step: 'fetch', progress: 0.5, leaseSeconds: 60 });
  const beaten = await world.read(db, stepped.cursor);
  assert.deepEqual(
    [ids(stepped).runs, ids(beaten).runs],
    [[holder.runId], []],
    'a mere heartbeat is no change',
  );

  await runs.report(db, { ...holder, outcome: resultOf('a') });
  await jobs.move(db, job.jobId, 'judged', 'bit-identical');
  const after = await world.read(db, beaten.cursor);
  assert.deepEqual(
    [after.goneRuns, after.goneJobIds],
    [[{ runId: holder.runId, jobId: job.jobId }], [job.jobId]],
  );
});

test('a job tells what it is weighed by: section and priority of its stanza, and the data that its recipe pins', async () => {
  const { job: made } = await findVersion(db, { section: 'science', archivePriority: 'optional' });
  const jobId = made!.jobId;
  const node = await makeNode(db);
  const [runId] = await runs.add(db, jobId, retrainPlaces(1));
  const { nodeId } = node;
  const leaseEpoch = await runs.lease(db, { runId: runId!, nodeId, slot: 0, leaseSeconds: 60 });
  const holder = { runId: runId!, leaseEpoch: leaseEpoch!, nodeId };
  const dataDigests = ['b'.repeat(64), 'a'.repeat(64), 'b'.repeat(64)];
  await jobs.recordRecipe(db, {
    ...holder,
    control: 'x',
    jobSeed: '1',
    demand: demandOfTag([]),
    dataDigests,
  });
  const told = (await world.read(db, null)).jobs.find((one) => one.jobId === jobId);
  assert.deepEqual(
    [told?.section, told?.archivePriority, told?.datasetDigests],
    ['science', 'optional', ['b'.repeat(64), 'a'.repeat(64)]],
  );
});

test('what never moves of a job is told once, and again when it asks otherwise or comes back', async () => {
  const { jobId } = await makeJob(db);
  const one = (change: world.WorldChange) => ({
    whole: change.jobs.find((job) => job.jobId === jobId),
    moved: change.movedJobs.find((job) => job.jobId === jobId),
  });
  let cursor = (await world.read(db, null)).cursor;
  const next = async () => {
    const change = await world.read(db, cursor);
    cursor = change.cursor;
    return one(change);
  };
  await db.job.update({ where: { jobId }, data: { priority: 3 } });
  const moved = await next();
  assert.deepEqual([moved.whole, moved.moved?.priority], [undefined, 3]);

  await db.job.update({ where: { jobId }, data: { demand: { ...demandOfTag([]), gpus: 2 } } });
  assert.equal((await next()).whole?.demand.gpus, 2);

  await jobs.move(db, jobId, 'held', 'a person looks');
  assert.equal((await next()).whole?.state, 'held');
  await db.job.update({ where: { jobId }, data: { priority: 4 } });
  const [read, whole] = [await next(), one(await world.read(db, null)).whole!];
  assert.deepEqual(worldJob(whole, read.moved!), whole);
});

test('what a slow transaction commits after a reading is told by the next one', async () => {
  const slow = await makeJob(db);
  let cursor = (await world.read(db, null)).cursor;
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let begun = () => {};
  const hasBegun = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const writing = db.$transaction(async (tx) => {
    await tx.job.update({ where: { jobId: slow.jobId }, data: { priority: 7 } });
    begun();
    await held;
  });
  await hasBegun;
  const quick = await makeJob(db); // begins later, commits earlier
  const between = await world.read(db, cursor);
  assert.ok(ids(between).jobs.includes(quick.jobId));
  assert.ok(!ids(between).jobs.includes(slow.jobId));
  cursor = between.cursor;
  release();
  await writing;
  assert.ok(ids(await world.read(db, cursor)).jobs.includes(slow.jobId));
});

test('a run remembers the nodes that it failed on, a drained node says why', async () => {
  const { holder } = await leaseRun(db);
  await runs.report(db, { ...holder, outcome: breakageOf('node', 'sandbox-unavailable') });
  const { nodeId } = await makeNode(db);
  await db.node.update({ where: { nodeId }, data: { state: 'drained', stateReason: 'dust' } });
  const { runs: told, nodes: seen } = await world.read(db, null);
  assert.deepEqual(told.find(({ runId }) => runId === holder.runId)?.failedOn, [holder.nodeId]);
  assert.equal(seen.find((node) => node.nodeId === nodeId)?.drainReason, 'dust');
});

test('every change is notified, a heartbeat and a sign of life are not', async () => {
  const heard = new Set<string>();
  let wake = () => {};
  const until = async (subject: string) => {
    while (!heard.has(subject)) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  const listening = listen(url, (subject) => {
    heard.add(subject);
    wake();
  });
  try {
    await until('');
    const { job, holder, node } = await leaseRun(db);
    await until(`job:${job.jobId}`);
    await until(`node:${node.nodeId}`);
    await until(`run:${holder.runId}`);
    await runs.heartbeat(db, { ...holder, step: 'train', progress: 0, leaseSeconds: 60 });
    await until(`run:${holder.runId}`);
    // The first report is taken for approved, which is a change.
    await nodes.report(db, holder.nodeId, selfReport());
    const marker = await makeNode(db);
    await until(`node:${marker.nodeId}`); // all that came before it was heard
    heard.clear();
    await runs.heartbeat(db, { ...holder, step: 'train', progress: 0.5, leaseSeconds: 60 });
    await nodes.report(db, holder.nodeId, selfReport({ vitals: { ...selfReport().vitals, load: 7 } }));
    const last = await makeNode(db);
    await until(`node:${last.nodeId}`);
    assert.deepEqual([...heard], [`node:${last.nodeId}`]);
  } finally {
    await listening.close();
  }
});

test('a slot whose worker begins nothing falls silent, longer each time, until it begins again', async () => {
  const [node] = [await makeNode(db, 2)];
  const lose = async (hasBegun: boolean) => {
    const { jobId } = await makeJob(db);
    const [runId] = await runs.add(db, jobId, retrainPlaces(1));
    const wish = { runId: runId!, nodeId: node!.nodeId, slot: 1, leaseSeconds: 60 };
    const lease = { runId: runId!, leaseEpoch: (await runs.lease(db, wish))!, nodeId: node!.nodeId };
    if (hasBegun) await runs.heartbeat(db, { ...lease, step: 'fetch', progress: null, leaseSeconds: 60 });
    await runs.giveBack(db, { ...lease, outcome: 'lost', blame: 'farm', detail: 'nothing was heard' });
  };
  const silence = async () => {
    const { nodes } = await world.read(db, null);
    const { slots } = nodes.find(({ nodeId }) => nodeId === node!.nodeId)!;
    assert.equal(slots[0]!.silentUntil ?? null, null);
    const until = slots[1]!.silentUntil;
    return until ? Math.round((until.getTime() - Date.now()) / 1_000) : null;
  };
  await lose(false);
  const once = (await silence())!;
  assert.ok(once >= 1 && once <= 4, String(once));
  await lose(false);
  const twice = (await silence())!;
  assert.ok(twice > 4 && twice <= 8, String(twice));
  await lose(true);
  assert.equal(await silence(), null);
});
