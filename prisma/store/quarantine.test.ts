// Quarantine on a real database: twice contradicted by two others, a node is out and its results are made again, once.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunPlace } from '@retraind/shared/job/run-place';
import { demandOfTag } from '@retraind/shared/policy/world';
import { withDatabase } from '../../tests/support/database.ts';
import { makeJob, makeNode, resultOf } from '../../tests/support/scenario.ts';
import { ofSubject } from './audit.ts';
import * as jobs from './jobs.ts';
import * as deeds from './node-deeds.ts';
import * as nodes from './nodes.ts';
import * as quarantine from './quarantine.ts';
import * as runs from './runs.ts';

const { db } = await withDatabase();

const again = (repeat: number): RunPlace => ({
  purpose: 'rerun',
  seedIndex: 1,
  declaredSeed: null,
  numerics: 0,
  repeat,
});
const places: RunPlace[] = [
  { purpose: 'retrain', seedIndex: 1, declaredSeed: null, numerics: 0, repeat: 0 },
  again(0),
  again(1),
];

/** A job whose one seed was run by each node, with these bytes. */
async function jobWith(by: [node: nodes.Node, bytes: string][]) {
  const job = await makeJob(db);
  const runIds = await runs.add(db, job.jobId, places.slice(0, by.length));
  for (const [i, [{ nodeId }, bytes]] of by.entries()) {
    const runId = runIds[i]!;
    const leaseEpoch = await runs.lease(db, { runId, nodeId, slot: 0, leaseSeconds: 60 });
    const holder = { runId, nodeId, leaseEpoch: leaseEpoch! };
    await jobs.recordRecipe(db, { ...holder, control: 'c', jobSeed: 's', demand: demandOfTag([]) });
    await runs.report(db, { ...holder, outcome: resultOf(bytes) });
  }
  return { job, runIds };
}
const stateOf = async ({ nodeId }: nodes.Node) => (await nodes.byId(db, nodeId))!.state;

test('one contradiction is kept in mind; the second quarantines, voids and makes again, and reopens what was judged', async () => {
  const [a, b, c] = [await makeNode(db), await makeNode(db), await makeNode(db)];
  const [good, bad] = ['good', 'bad'];
  const first = await jobWith([
    [a, good],
    [b, good],
    [c, bad],
  ]);
  assert.deepEqual(await quarantine.inspect(db, first.job.jobId), []);
  assert.equal(await stateOf(c), 'approved');
  await jobs.move(db, first.job.jobId, 'judged', 'bit-identical');
  const innocent = await jobWith([
    [a, good],
    [c, bad],
  ]);
  assert.deepEqual(await quarantine.inspect(db, innocent.job.jobId), [], 'two alone decide nothing');

  const second = await jobWith([
    [c, bad],
    [a, good],
    [b, good],
  ]);
  const [done] = await quarantine.inspect(db, second.job.jobId);
  assert.equal(done?.nodeId, c.nodeId);
  assert.deepEqual(
    [...done!.voidRunIds].sort(),
    [first.runIds[2]!, innocent.runIds[1]!, second.runIds[0]!].sort(),
  );
  assert.equal(done!.newRunIds.length, 3);
  assert.deepEqual(
    [await stateOf(a), await stateOf(b), await stateOf(c)],
    ['approved', 'approved', 'quarantined'],
  );
  assert.deepEqual(await quarantine.inspect(db, second.job.jobId), [], 'once');

  const voided = await runs.byId(db, first.runIds[2]!);
  assert.deepEqual([voided?.state, voided?.blame, voided?.outputs.length], ['void', 'node', 1]);
  assert.equal((await jobs.byId(db, first.job.jobId))?.state, 'needs-retrain');
  const all = await runs.ofJob(db, first.job.jobId);
  assert.deepEqual(all.map(({ state }) => state).sort(), ['reported', 'reported', 'void', 'waiting']);
  assert.deepEqual(await runs.add(db, first.job.jobId, places), [], 'each place is taken once');
  const deedsOnNode = (await ofSubject(db, `node:${c.nodeId}`)).map(({ deed }) => deed);
  assert.ok(deedsOnNode.includes('nodes.quarantine'));
  // Final for the database too.
  await assert.rejects(
    db.$executeRaw`UPDATE run SET state = 'reported' WHERE run_id = ${voided!.runId}`,
    /is final/,
  );
  await assert.rejects(
    db.$executeRaw`UPDATE run SET state = 'void', engine = 'x', blame = 'node', code = 'x', detail = 'x' WHERE run_id = ${first.runIds[0]!}`,
    /is final/,
  );
});

test('a quarantined node gets no run and loses those that it has; resumed, its past does not count again', async () => {
  const [a, b, c] = [await makeNode(db), await makeNode(db), await makeNode(db, 2)];
  await jobWith([
    [a, 'x'],
    [b, 'x'],
    [c, 'y'],
  ]);
  const held = await makeJob(db);
  const [runId] = await runs.add(db, held.jobId, places.slice(0, 1));
  const leaseEpoch = await runs.lease(db, { runId: runId!, nodeId: c.nodeId, slot: 1, leaseSeconds: 60 });
  const { job } = await jobWith([
    [a, 'x'],
    [b, 'x'],
    [c, 'y'],
  ]);
  assert.equal((await quarantine.inspect(db, job.jobId)).length, 1);
  assert.equal((await runs.byId(db, runId!))?.state, 'waiting');
  await assert.rejects(
    runs.report(db, { runId: runId!, leaseEpoch: leaseEpoch!, nodeId: c.nodeId, outcome: resultOf('late') }),
    { code: 'lease-lost' },
  );
  assert.equal(await runs.lease(db, { runId: runId!, nodeId: c.nodeId, slot: 0, leaseSeconds: 60 }), null);
  const move = { nodeId: c.nodeId, actor: 'ada', reason: 'new memory' };
  await assert.rejects(deeds.approve(db, move), { code: 'conflict', detail: /quarantined/ });
  assert.equal((await deeds.resume(db, move)).state, 'approved');
  const { job: later } = await jobWith([
    [a, 'x'],
    [b, 'x'],
    [c, 'y'],
  ]);
  assert.deepEqual(await quarantine.inspect(db, later.jobId), [], 'one since it was mended');
});

test('what others agreed with stands; what a node reports while its leases are ended is void too', async () => {
  const [a, b, c] = [await makeNode(db), await makeNode(db), await makeNode(db, 3)];
  const agreed = await jobWith([
    [c, 'x'],
    [a, 'x'],
  ]);
  const odd: [nodes.Node, string][] = [
    [a, 'x'],
    [b, 'x'],
    [c, 'y'],
  ];
  await jobWith(odd);
  const held: { runId: string; jobId: string; leaseEpoch: number }[] = [];
  for (const slot of [1, 2]) {
    const { jobId } = await makeJob(db);
    const [runId] = await runs.add(db, jobId, places.slice(0, 1));
    const leaseEpoch = await runs.lease(db, { runId: runId!, nodeId: c.nodeId, slot, leaseSeconds: 60 });
    const holder = { runId: runId!, nodeId: c.nodeId, leaseEpoch: leaseEpoch! };
    await jobs.recordRecipe(db, { ...holder, control: 'c', jobSeed: 's', demand: demandOfTag([]) });
    held.push({ ...holder, jobId });
  }
  // Their leases are ended in the order of the runs: the first one's is kept from it.
  const [kept, late] = held.sort((one, other) => (one.runId < other.runId ? -1 : 1));
  const { job } = await jobWith(odd);
  let inspecting: Promise<quarantine.Quarantine[]> | undefined;
  await db.$transaction(async (tx) => {
    await tx.$queryRaw`SELECT FROM job WHERE job_id = ${kept!.jobId} FOR UPDATE`;
    inspecting = quarantine.inspect(db, job.jobId);
    while ((await stateOf(c)) !== 'quarantined') await new Promise((resolve) => setTimeout(resolve, 10));
    const { runId, leaseEpoch } = late!;
    await runs.report(db, { runId, leaseEpoch, nodeId: c.nodeId, outcome: resultOf('late') });
  });
  const [done] = await inspecting!;
  assert.equal(done!.voidRunIds.includes(late!.runId), true);
  const runStates = await Promise.all(
    [agreed.runIds[0]!, kept!.runId, late!.runId].map(async (runId) => (await runs.byId(db, runId))?.state),
  );
  assert.deepEqual(runStates, ['reported', 'waiting', 'void']);
  assert.deepEqual((await runs.ofJob(db, late!.jobId)).map(({ state }) => state).sort(), ['void', 'waiting']);
});

test('a void run that another is bound to is made again in its class, others anywhere', async () => {
  const [a, b, c] = [await makeNode(db), await makeNode(db), await makeNode(db)];
  const by: [nodes.Node, string][] = [
    [a, 'good'],
    [b, 'good'],
    [c, 'bad'],
  ];
  const [first, second] = [await jobWith(by), await jobWith(by)];
  await runs.add(db, first.job.jobId, [again(2)]);
  const [done] = await quarantine.inspect(db, second.job.jobId);
  assert.deepEqual(done?.voidRunIds.toSorted(), [first.runIds[2]!, second.runIds[2]!].toSorted());
  const made = await Promise.all(done!.newRunIds.map((runId) => runs.byId(db, runId)));
  const classIn = ({ job }: typeof first) => made.find((run) => run?.jobId === job.jobId)?.class;
  assert.deepEqual([classIn(first), classIn(second)], ['amd64', null]);
});
