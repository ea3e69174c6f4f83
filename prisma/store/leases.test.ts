// Leases: who may write, and what becomes of run, job and node. Races are run for real: two deeds at once, on two
// connections.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { retrainPlaces } from '@retraind/shared/job/run-place';
import type { ProblemCode } from '@retraind/shared/wire/problems';
import { Problem } from '@retraind/shared/wire/problems';
import { withDatabase } from '../../tests/support/database.ts';
import { breakageOf, leaseRun, makeJob, makeNode, resultOf } from '../../tests/support/scenario.ts';
import * as jobs from './jobs.ts';
import * as nodes from './nodes.ts';
import * as runs from './runs.ts';

const { db } = await withDatabase();

const refusedWith = (code: ProblemCode) => (error: unknown) =>
  error instanceof Problem && error.code === code;

const begin = (holder: runs.Holder) =>
  runs.heartbeat(db, { ...holder, step: 'fetch', progress: null, leaseSeconds: 60 });

test('of many leases of one run at once, one is given', async () => {
  const job = await makeJob(db);
  const [runId] = await runs.add(db, job.jobId, retrainPlaces(1));
  const slots = await Promise.all(Array.from({ length: 6 }, () => makeNode(db)));
  const epochs = await Promise.all(
    slots.map(({ nodeId }) => runs.lease(db, { runId: runId!, nodeId, slot: 0, leaseSeconds: 60 })),
  );
  assert.deepEqual(
    epochs.filter((epoch) => epoch !== null),
    [1],
  );
  const run = await runs.byId(db, runId!);
  assert.equal(run?.leases.length, 1);
  assert.equal(run?.nodeId, run?.leases[0]?.nodeId);
  assert.equal((await jobs.byId(db, job.jobId))?.state, 'retraining');
});

test('of many runs for one slot at once, one gets it', async () => {
  const { nodeId } = await makeNode(db);
  const made = await Promise.all(Array.from({ length: 5 }, () => makeJob(db)));
  const runIds = await Promise.all(
    made.map(async ({ jobId }) => (await runs.add(db, jobId, retrainPlaces(1)))[0]!),
  );
  const epochs = await Promise.all(
    runIds.map((runId) => runs.lease(db, { runId, nodeId, slot: 0, leaseSeconds: 60 })),
  );
  assert.equal(epochs.filter((epoch) => epoch !== null).length, 1);
});

test('a slot that the node has not, a drained node and an unknown run are not leased', async () => {
  const job = await makeJob(db);
  const [runId] = await runs.add(db, job.jobId, retrainPlaces(1));
  const { nodeId } = await makeNode(db);
  assert.equal(await runs.lease(db, { runId: runId!, nodeId, slot: 1, leaseSeconds: 60 }), null);
  assert.equal(await runs.lease(db, { runId: 'nosuchrun000', nodeId, slot: 0, leaseSeconds: 60 }), null);
  await db.node.update({ where: { nodeId }, data: { state: 'drained', stateReason: 'dust' } });
  assert.equal(await runs.lease(db, { runId: runId!, nodeId, slot: 0, leaseSeconds: 60 }), null);
});

test('a heartbeat prolongs the lease, tells the step and is a sign of the node', async () => {
  const { holder, node } = await leaseRun(db, 0);
  assert.ok((await runs.expired(db)).some(({ runId }) => runId === holder.runId));
  assert.deepEqual(await runs.heartbeat(db, { ...holder, step: 'train', progress: 0.5, leaseSeconds: 60 }), {
    cancel: false,
  });
  assert.ok(!(await runs.expired(db)).some(({ runId }) => runId === holder.runId));
  const run = await runs.byId(db, holder.runId);
  assert.deepEqual([run?.step, run?.progress], ['train', 0.5]);
  assert.ok((await nodes.byId(db, node.nodeId))?.seenAt);
});

test('every write of an old epoch is lease-lost, of another node not-your-run, of no run not-found', async () => {
  const { holder, node, job } = await leaseRun(db);
  const other = await makeNode(db);
  await begin(holder);
  await runs.giveBack(db, { ...holder, outcome: 'lost', blame: 'node', detail: 'silent' });
  const leaseEpoch = await runs.lease(db, {
    runId: holder.runId,
    nodeId: other.nodeId,
    slot: 0,
    leaseSeconds: 60,
  });
  assert.equal(leaseEpoch, 2);
  const recipe = { control: 'x', jobSeed: 's', demand: job.demand };
  const cases: [runs.Holder, ProblemCode][] = [
    [holder, 'lease-lost'],
    [{ ...holder, leaseEpoch: 2 }, 'not-your-run'],
    [{ ...holder, leaseEpoch: 9 }, 'not-your-run'],
    [{ ...holder, nodeId: other.nodeId }, 'not-your-run'],
    [{ ...holder, nodeId: other.nodeId, leaseEpoch: 9 }, 'lease-lost'],
    [{ ...holder, runId: 'nosuchrun000' }, 'not-found'],
  ];
  for (const [wrong, code] of cases) {
    const writes = [
      () => runs.heartbeat(db, { ...wrong, step: 'train', progress: null, leaseSeconds: 60 }),
      () => runs.report(db, { ...wrong, outcome: resultOf('a') }),
      () => runs.report(db, { ...wrong, outcome: breakageOf('recipe') }),
      () => jobs.recordRecipe(db, { ...wrong, ...recipe }),
      () => runs.assignment(db, wrong),
    ];
    for (const write of writes) await assert.rejects(write, refusedWith(code), `${code} ${write}`);
  }
  const run = await runs.byId(db, holder.runId);
  assert.deepEqual([run?.state, run?.leaseEpoch, run?.nodeId], ['leased', 2, other.nodeId]);
  assert.equal((await nodes.byId(db, node.nodeId))?.faultsInRow, 1);
});

test('a result is recorded once, however often and however fast it is told', async () => {
  const { holder, job } = await leaseRun(db);
  const told = await Promise.allSettled(
    ['a', 'b', 'c', 'd'].map((bytes) =>
      runs.report(db, { ...holder, outcome: resultOf(bytes), logSha256: null }),
    ),
  );
  assert.equal(told.filter(({ status }) => status === 'fulfilled').length, 1);
  for (const { reason } of told.filter((each) => each.status === 'rejected')) {
    assert.ok(refusedWith('lease-lost')(reason), String(reason));
  }
  const run = await runs.byId(db, holder.runId);
  assert.equal(run?.state, 'reported');
  assert.equal(run?.outputs.length, 1);
  assert.equal(run?.references.length, 1);
  assert.deepEqual([run?.leases[0]?.outcome, run?.seed, run?.taints], ['reported', 42, ['unsandboxed']]);
  assert.equal((await jobs.byId(db, job.jobId))?.state, 'retraining');
});

test('report against give-back: one of them ends the lease', async () => {
  for (let round = 0; round < 5; round++) {
    const { holder } = await leaseRun(db);
    const [told, taken] = await Promise.allSettled([
      runs.report(db, { ...holder, outcome: resultOf('a') }),
      runs.giveBack(db, { ...holder, outcome: 'lost', blame: 'node', detail: 'silent' }),
    ]);
    const run = await runs.byId(db, holder.runId);
    const wasTaken = taken.status === 'fulfilled' && taken.value !== null;
    assert.equal(told.status === 'fulfilled', !wasTaken);
    assert.deepEqual([run?.state, run?.outputs.length], wasTaken ? ['waiting', 0] : ['reported', 1]);
  }
});

test('the database itself refuses a second result and a change of the first', async () => {
  const { holder } = await leaseRun(db);
  await runs.report(db, { ...holder, outcome: resultOf('a') });
  const { runId } = holder;
  await assert.rejects(db.run.update({ where: { runId }, data: { seed: 7 } }), /final/);
  await assert.rejects(db.lease.updateMany({ where: { runId }, data: { outcome: 'lost' } }), /final/);
  const second = {
    runId,
    leaseEpoch: 2,
    nodeId: holder.nodeId,
    slot: 0,
    outcome: 'reported',
    endedAt: new Date(),
  };
  await assert.rejects(db.lease.create({ data: second }), /lease_one_result_per_run|Unique/);
  await assert.rejects(db.runOutput.deleteMany({ where: { runId } }), /refused/);
  await assert.rejects(db.runOutput.updateMany({ where: { runId }, data: { model: 'other' } }), /refused/);
});

/** Leases the waiting run again, without the wait that a give-back brought. */
const leaseAgain = async (holder: runs.Holder): Promise<runs.Holder> => {
  const { runId, nodeId } = holder;
  await db.run.update({ where: { runId }, data: { notBefore: null } });
  const leaseEpoch = await runs.lease(db, { runId, nodeId, slot: 0, leaseSeconds: 60 });
  return { ...holder, leaseEpoch: leaseEpoch! };
};

test('a run is given back five times, then the farm takes the blame', async () => {
  const { holder, job } = await leaseRun(db);
  const lost = { outcome: 'lost', blame: 'farm', detail: 'silent' } as const;
  let held = holder;
  for (let epoch = 1; epoch < 5; epoch++) {
    await begin(held);
    assert.equal((await runs.giveBack(db, { ...held, ...lost }))?.run, 'waiting');
    held = await leaseAgain(held);
    assert.equal(held.leaseEpoch, epoch + 1);
  }
  await begin(held);
  const end = await runs.giveBack(db, { ...held, ...lost });
  assert.deepEqual(end, { jobId: job.jobId, run: 'broken', job: 'attempted' });
  assert.equal((await runs.byId(db, holder.runId))?.blame, 'farm');
  assert.equal(await runs.giveBack(db, { ...held, ...lost }), null);
});

test('a lost lease is had again at once: the silence was the wait', async () => {
  const { holder, node } = await leaseRun(db);
  await begin(holder);
  await runs.giveBack(db, { ...holder, outcome: 'lost', blame: 'farm', detail: 'silent' });
  const again = { runId: holder.runId, nodeId: node.nodeId, slot: 0, leaseSeconds: 60 };
  assert.equal(await runs.lease(db, again), 2);
});

test('leases that no worker began wear out neither run nor node', async () => {
  const { holder, node } = await leaseRun(db);
  let held = holder;
  for (let time = 1; time <= 7; time++) {
    const end = await runs.giveBack(db, { ...held, outcome: 'lost', blame: 'node', detail: 'silent' });
    assert.equal(end?.run, 'waiting');
    assert.ok((await runs.byId(db, holder.runId))?.notBefore);
    held = await leaseAgain(held);
  }
  const { faultsInRow, state } = (await nodes.byId(db, node.nodeId))!;
  assert.deepEqual([faultsInRow, state], [0, 'approved']);
});

test('blame farm waits before it tries again', async () => {
  const { holder, node } = await leaseRun(db);
  await runs.report(db, { ...holder, outcome: breakageOf('farm', 'network-unreachable') });
  const run = await runs.byId(db, holder.runId);
  assert.ok(run?.notBefore && run.notBefore.getTime() > Date.now());
  assert.equal(
    await runs.lease(db, { runId: holder.runId, nodeId: node.nodeId, slot: 0, leaseSeconds: 60 }),
    null,
  );
});

test('three runs in a row that blame the node drain it; a result between them forgives', async () => {
  const node = await makeNode(db);
  const end = async (outcome: Parameters<typeof runs.report>[1]['outcome']) => {
    const job = await makeJob(db);
    const [runId] = await runs.add(db, job.jobId, retrainPlaces(1));
    const leaseEpoch = await runs.lease(db, {
      runId: runId!,
      nodeId: node.nodeId,
      slot: 0,
      leaseSeconds: 60,
    });
    assert.ok(leaseEpoch, 'the node takes runs');
    await runs.report(db, { runId: runId!, leaseEpoch, nodeId: node.nodeId, outcome });
    return nodes.byId(db, node.nodeId);
  };
  await end(breakageOf('node'));
  assert.equal((await end(breakageOf('node')))?.faultsInRow, 2);
  assert.equal((await end(resultOf('a')))?.faultsInRow, 0);
  await end(breakageOf('node'));
  await end(breakageOf('node'));
  const drained = await end(breakageOf('node'));
  assert.deepEqual([drained?.state, drained?.stateBy], ['drained', 'farm']);
  assert.match(drained?.stateReason ?? '', /3 runs in a row/);
  const again = await nodes.register(db, node, 'ada');
  assert.deepEqual([again.state, again.faultsInRow], ['approved', 0]);
});

test('what breaks decides where run and job go', async () => {
  const table: [ReturnType<typeof breakageOf>, string, string, string][] = [
    [breakageOf('recipe'), 'broken', 'attempted', 'broken'],
    [breakageOf('recipe', 'dep-wait'), 'broken', 'dep-wait', 'broken'],
    [breakageOf('data', 'data-wait'), 'broken', 'data-wait', 'broken'],
    [breakageOf('budget', 'conflict'), 'broken', 'budget-wait', 'broken'],
    [breakageOf('node', 'disk-full'), 'waiting', 'retraining', 'given-back'],
    [breakageOf('farm', 'a-code-of-tomorrow'), 'waiting', 'retraining', 'given-back'],
    [breakageOf('cancelled', 'conflict'), 'cancelled', 'retraining', 'cancelled'],
  ];
  for (const [outcome, run, state, lease] of table) {
    const { holder, job } = await leaseRun(db);
    const end = await runs.report(db, { ...holder, outcome });
    assert.deepEqual(end, { jobId: job.jobId, run, job: state }, outcome.blame);
    assert.equal((await jobs.byId(db, job.jobId))?.state, state);
    assert.equal((await runs.byId(db, holder.runId))?.leases[0]?.outcome, lease);
  }
});

test('blame recipe ends the other runs: waiting ones at once, leased ones by their heartbeat', async () => {
  const { holder, job } = await leaseRun(db);
  const [second, third] = await runs.add(db, job.jobId, retrainPlaces(3));
  const other = await makeNode(db);
  const leaseEpoch = await runs.lease(db, {
    runId: second!,
    nodeId: other.nodeId,
    slot: 0,
    leaseSeconds: 60,
  });
  await runs.report(db, { ...holder, outcome: breakageOf('recipe') });
  assert.equal((await runs.byId(db, third!))?.state, 'cancelled');
  const beat = {
    runId: second!,
    leaseEpoch: leaseEpoch!,
    nodeId: other.nodeId,
    step: 'train',
    progress: null,
  } as const;
  assert.deepEqual(await runs.heartbeat(db, { ...beat, leaseSeconds: 60 }), { cancel: true });
  await runs.report(db, { ...beat, outcome: breakageOf('cancelled', 'conflict') });
  assert.equal((await runs.byId(db, second!))?.state, 'cancelled');
});

test('a job that is asked again after `attempted` gets new runs of the same seeds', async () => {
  const { holder, job } = await leaseRun(db);
  await runs.report(db, { ...holder, outcome: breakageOf('recipe') });
  await assert.rejects(runs.add(db, job.jobId, retrainPlaces(1)), refusedWith('conflict'));
  await jobs.move(db, job.jobId, 'needs-retrain', 'the recipe was mended', 'ada');
  const [again] = await runs.add(db, job.jobId, retrainPlaces(1));
  assert.notEqual(again, holder.runId);
  assert.deepEqual(
    (await runs.ofJob(db, job.jobId)).map(({ seedIndex, state }) => [seedIndex, state]),
    [
      [1, 'broken'],
      [1, 'waiting'],
    ],
  );
  assert.deepEqual(await runs.add(db, job.jobId, retrainPlaces(1)), []);
});
