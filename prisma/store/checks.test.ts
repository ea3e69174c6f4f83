// Checks of nodes on a real database: ordered once, placed beside the job's life, paid for by the farm, and told.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { retrainPlaces } from '@retraind/shared/job/run-place';
import { withDatabase } from '../../tests/support/database.ts';
import { findVersion, resultOf } from '../../tests/support/scenario.ts';
import { ofSubject } from './audit.ts';
import * as budgets from './budgets.ts';
import * as checks from './checks.ts';
import * as jobs from './jobs.ts';
import * as nodes from './nodes.ts';
import * as quarantine from './quarantine.ts';
import * as releases from './releases.ts';
import * as runs from './runs.ts';
import { read } from './world.ts';

const { db } = await withDatabase();
const every = { spotCheckShare: 1, spotCheckHours: 1 };
const none = { spotCheckShare: 0, spotCheckHours: 1 };

/** Machines of a class of their own: each test has its farm. */
const farmOf = (machine: string, count: number) =>
  Promise.all(
    Array.from({ length: count }, (_, i) => {
      const nodeId = randomBytes(8).toString('hex');
      const node = {
        nodeId,
        publicKey: `key of ${nodeId}`,
        name: `${machine}-${i}`,
        class: machine,
        slots: 1,
      };
      return nodes.register(db, node, 'ada');
    }),
  );

async function trains(runId: string, { nodeId }: nodes.Node, bytes: string): Promise<void> {
  const leaseEpoch = await runs.lease(db, { runId, nodeId, slot: 0, leaseSeconds: 60 });
  assert.ok(leaseEpoch, 'it waits, and the node is free');
  await runs.report(db, { runId, nodeId, leaseEpoch, outcome: resultOf(bytes) });
}

/** A job of a package of its own, whose first seed this node has trained. */
async function trainedBy(node: nodes.Node, bytes: string) {
  const { job } = await findVersion(db);
  const [runId] = await runs.add(db, job!.jobId, retrainPlaces(1));
  await trains(runId!, node, bytes);
  return { jobId: job!.jobId, runId: runId! };
}
const ordersIn = (jobId: string, policy = every) => checks.order(db, jobId, policy);
const settleAll = async (): Promise<string[]> => {
  const found: string[] = [];
  for (const ended of await checks.unsettled(db)) found.push(...(await checks.settle(db, ended)));
  return found;
};

test('a result is checked once, on another node of the class, though its job is judged meanwhile', async () => {
  const [a, b] = await farmOf('amd64', 2);
  await budgets.set(
    db,
    { ...unlimited, account: 'requester:farm', cpuHours: 1 },
    { actor: 'ada', reason: 'for checks' },
  );
  const { jobId, runId } = await trainedBy(a!, 'good');
  assert.deepEqual(
    await ordersIn(jobId, { spotCheckShare: 1, spotCheckHours: 1 / 3_600_000 }),
    [],
    'too long',
  );
  const [ordered, ...others] = await ordersIn(jobId);
  assert.deepEqual([ordered?.kind, ordered?.ofRunId, others.length], ['spot', runId, 0]);
  assert.deepEqual(await ordersIn(jobId), [], 'once');
  const { cursor } = await read(db, null);
  await jobs.move(db, jobId, 'judged', 'bit-identical');
  const check = ordered!.runId;
  assert.equal((await runs.byId(db, check))?.state, 'waiting', 'the verdict does not end it');

  const seen = (await read(db, cursor)).jobs.find((job) => job.jobId === jobId);
  assert.equal(seen?.state, 'judged', 'the scheduler still sees the job');
  const whole = await read(db, null);
  assert.ok(whole.jobs.some((job) => job.jobId === jobId));
  const told = whole.runs.find((run) => run.runId === check)!;
  assert.deepEqual([told.class, told.excludedNodes.map(({ nodeId }) => nodeId)], ['amd64', [a!.nodeId]]);
  assert.match(told.check ?? '', /^a spot check of run .* of node amd64-0 /);

  const before = await releases.spentByJob(db, jobId);
  const leaseEpoch = await runs.lease(db, { runId: check, nodeId: b!.nodeId, slot: 0, leaseSeconds: 60 });
  assert.ok(leaseEpoch, 'a judged job gets this run');
  await db.$executeRaw`UPDATE lease SET started_at = now() - interval '36 s' WHERE run_id = ${check}`;
  await runs.report(db, { runId: check, nodeId: b!.nodeId, leaseEpoch, outcome: resultOf('good') });
  assert.deepEqual(await releases.spentByJob(db, jobId), before, 'it is on no bill of the job');
  const [budget] = (await budgets.list(db)).filter(({ account }) => account === 'requester:farm');
  assert.ok(Math.abs(budget!.spentCpuHours - 0.01) < 0.001, 'the farm pays');

  const later = await read(db, null);
  assert.deepEqual(await settleAll(), []);
  const [kept] = await checks.ofJob(db, jobId);
  assert.deepEqual([kept?.outcome, kept?.contradicts], ['agrees', []]);
  assert.ok((await read(db, later.cursor)).goneJobIds.includes(jobId), 'nothing is left to do for the job');
  assert.deepEqual(await ordersIn(jobId), []);
});

const unlimited = {
  gpuHours: null,
  cpuHours: null,
  approvalGpuHours: null,
  approvalCpuHours: null,
  renew: false,
};

test('where no other node of the class is, nothing is spot-checked; a cancelled job takes its check along', async () => {
  const [alone] = await farmOf('ppc64el', 1);
  const { jobId } = await trainedBy(alone!, 'good');
  assert.deepEqual(await ordersIn(jobId), []);
  await farmOf('ppc64el', 1);
  const [ordered] = await ordersIn(jobId);
  assert.equal(ordered?.kind, 'spot');
  await jobs.cancel(db, jobId, 'not wanted', 'ada');
  assert.equal((await runs.byId(db, ordered!.runId))?.state, 'cancelled');
  await settleAll();
  assert.equal((await checks.ofJob(db, jobId))[0]?.outcome, 'not-made');
});

test('two that differ get one tie-break on a third; what it tells makes a suspect, and the second package a quarantine', async () => {
  const [a, b, c] = await farmOf('arm64', 3);
  const earlier = await trainedBy(c!, 'bad of another package');
  const first = await trainedBy(c!, 'bad');
  const [spot] = await ordersIn(first.jobId);
  await trains(spot!.runId, a!, 'good');
  const [tie, ...others] = await ordersIn(first.jobId, none);
  assert.deepEqual([tie?.kind, others.length], ['tie-break', 0], 'whatever the share of spot checks');
  assert.match(tie!.reason, /give different bytes for the seed .* a third node of class arm64 has to tell/);
  assert.deepEqual(await ordersIn(first.jobId, none), [], 'once for each disagreement');
  const { nodeId } = c!;
  const { excludedNodes } = (await read(db, null)).runs.find(({ runId }) => runId === tie!.runId)!;
  assert.deepEqual(excludedNodes.map((one) => one.nodeId).sort(), [a!.nodeId, nodeId].sort());
  assert.deepEqual(await settleAll(), [], 'two alone accuse nobody');

  await trains(tie!.runId, b!, 'good');
  assert.deepEqual(await quarantine.inspect(db, first.jobId), [], 'one package does not quarantine');
  const [ended] = await checks.unsettled(db);
  assert.deepEqual(await checks.settle(db, ended!), [nodeId]);
  const deeds = (await ofSubject(db, `node:${nodeId}`)).map(({ deed }) => deed);
  assert.ok(deeds.includes('nodes.check') && deeds.includes('nodes.contradict'), deeds.join());

  // Its earlier result of another package is looked at now, whatever the lot says.
  const least = { spotCheckShare: 1e-9, spotCheckHours: 1 };
  const next = await checks.orderAfter(db, { nodeId, source: ended!.source }, least);
  assert.deepEqual([next?.kind, next?.ofRunId], ['suspicion', earlier.runId]);
  await trains(next!.runId, a!, 'good of another package');
  const [second] = await ordersIn(earlier.jobId, least);
  assert.equal(second?.kind, 'tie-break');
  await trains(second!.runId, b!, 'good of another package');
  const [done] = await quarantine.inspect(db, earlier.jobId);
  assert.equal(done?.nodeId, nodeId);
  assert.deepEqual([...done!.voidRunIds].sort(), [first.runId, earlier.runId].sort());
  assert.equal(done!.newRunIds.length, 2, 'made again, and the checks are not');
});

test('a package that gives other bytes each time is checked no more and accuses nobody', async () => {
  const [a, b, c] = await farmOf('riscv64', 3);
  for (let i = 0; i < 4; i++) {
    const { jobId } = await trainedBy(a!, `noise ${i} 1`);
    const [spot] = await ordersIn(jobId);
    await trains(spot!.runId, b!, `noise ${i} 2`);
    const [tie] = await ordersIn(jobId);
    await trains(tie!.runId, c!, `noise ${i} 3`);
    assert.deepEqual(await quarantine.inspect(db, jobId), []);
    assert.deepEqual(await settleAll(), []);
    const [more] = await runs.add(db, jobId, retrainPlaces(2));
    await trains(more!, a!, `noise ${i} 4`);
    assert.deepEqual(await ordersIn(jobId), [], 'a second opinion on it means nothing');
  }
  for (const { nodeId } of [a!, b!, c!]) assert.equal((await nodes.byId(db, nodeId))?.state, 'approved');
});

test('a check that finds no node is given up after so many days, and holds up nothing', async () => {
  const [a] = await farmOf('s390x', 2);
  const { jobId } = await trainedBy(a!, 'good');
  const [ordered] = await ordersIn(jobId);
  assert.equal(await checks.giveUp(db, 30), 0);
  await db.$executeRaw`UPDATE run SET created_at = now() - interval '31 days' WHERE run_id = ${ordered!.runId}`;
  assert.equal(await checks.giveUp(db, 30), 1);
  await settleAll();
  assert.equal((await checks.ofJob(db, jobId))[0]?.outcome, 'not-made');
});
