// The scheduler's tick on a real database, with workers played by the test: what it makes, leases, rings, gives back and judges,
// and that a tick which died half-way is simply taken again.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { after, test } from 'node:test';
import { ArtifactStore } from '@retraind/host/artifacts';
import { appendLive, liveFilePath } from '@retraind/host/live-file';
import * as budgets from '@retraind/prisma/store/budgets';
import * as jobs from '@retraind/prisma/store/jobs';
import * as nodes from '@retraind/prisma/store/nodes';
import * as runs from '@retraind/prisma/store/runs';
import * as verdicts from '@retraind/prisma/store/verdicts';
import { WorldMemory } from '@retraind/prisma/store/world-memory';
import { explainQueued } from '@retraind/shared/policy/explain';
import { defaultPolicy, demandOfTag } from '@retraind/shared/policy/world';
import type { WithheldRecords } from '@retraind/shared/verdict/evidence';
import type { Ring } from '@retraind/shared/wire/doorbell';
import { Problem } from '@retraind/shared/wire/problems';
import { pino } from 'pino';
import { attend } from '../../apps/scheduler/src/judge.ts';
import { createMetrics } from '../../apps/scheduler/src/metrics.ts';
import type { Bell } from '../../apps/scheduler/src/queue/bell.ts';
import { type TickParts, tick } from '../../apps/scheduler/src/tick.ts';
import { withDatabase } from '../support/database.ts';
import { breakageOf, evidenceOf, makeJob, makeNode, resultOf, selfReport } from '../support/scenario.ts';

const { db } = await withDatabase();
const folder = await mkdtemp('/tmp/retraind-tick-');
after(() => rm(folder, { recursive: true, force: true }));
const artifacts = new ArtifactStore(folder);
const log = pino({ level: 'silent' });

/** examples/anthy-like: one opaque model compared bit by bit. */
const bitwise = `Retrain-Format: 1.0
Policy: on-upload

Model: tiny
File: models/tiny.bin
Output: tiny.bin
Comparison: bitwise
License: Expat
Task: opaque
`;

type NotedRing = Ring & { nodeId: string; slot: number };

/** A bell that notes whom it rang; a queue that is down refuses. */
class NotedBell implements Bell {
  readonly rings: NotedRing[] = [];
  isDown = false;

  async ring(nodeId: string, slot: number, ring: Ring): Promise<void> {
    if (this.isDown) throw new Problem('queue-unavailable', 'down');
    this.rings.push({ ...ring, nodeId, slot });
  }

  async health(): Promise<void> {}
  async close(): Promise<void> {}
}

const newParts = (bell: Bell, leaseSeconds = 60): TickParts => ({
  db,
  bell,
  artifacts,
  log,
  metrics: createMetrics(),
  memory: new WorldMemory(defaultPolicy, 60),
  leaseSeconds,
  failures: new Map(),
  stirred: new Set(),
});

/** A job of its own and a node that was just seen. What other tests left is ended first, so that these are the only ones. */
async function scene(slots = 1) {
  for (const { jobId } of await jobs.open(db)) await jobs.cancel(db, jobId, 'of another test', 'ada');
  for (const { runId, leaseEpoch } of await db.run.findMany({ where: { state: 'leased' } })) {
    const breakage = {
      blame: 'cancelled',
      code: 'run-cancelled',
      detail: 'of another test',
      hint: null,
    } as const;
    await runs.breakRun(db, { runId, leaseEpoch }, breakage);
  }
  await db.node.updateMany({
    where: { state: 'approved' },
    data: { state: 'drained', stateReason: 'of another test' },
  });
  const node = await makeNode(db, slots);
  await nodes.report(db, node.nodeId, selfReport());
  return { node, job: await makeJob(db) };
}

/** Plays a worker from ring to report; `bytes` are the trained file's. */
async function work(
  ring: Ring & { nodeId: string },
  bytes: string,
  control = bitwise,
  withheld?: WithheldRecords[],
): Promise<void> {
  const { runId, leaseEpoch, nodeId } = ring;
  const holder = { runId, leaseEpoch, nodeId };
  await runs.heartbeat(db, { ...holder, step: 'unpack', progress: null, leaseSeconds: 60 });
  const demand = demandOfTag([]);
  await jobs.recordRecipe(db, { ...holder, control, jobSeed: '7', demand });
  await runs.report(db, { ...holder, outcome: { ...resultOf(bytes), ...(withheld && { withheld }) } });
}

test('a new job gets one run, which is leased and rung; equal bytes get a dependence run before they are judged', async () => {
  const { node, job } = await scene();
  const bell = new NotedBell();
  const parts = newParts(bell);
  await tick(parts, true);
  const [first] = await runs.ofJob(db, job.jobId);
  assert.deepEqual(bell.rings, [{ nodeId: node.nodeId, slot: 0, runId: first!.runId, leaseEpoch: 1 }]);
  assert.equal((await jobs.byId(db, job.jobId))!.state, 'retraining');

  await work(bell.rings[0]!, 'shipped');
  await tick(parts, true);
  assert.equal((await jobs.byId(db, job.jobId))!.state, 'retraining');
  const waits = (await verdicts.ofJob(db, job.jobId))[0]!.verdict;
  assert.deepEqual([waits.rung, waits.asks?.[0]?.purpose], ['inconclusive', 'dependence']);
  await work(bell.rings[1]!, 'poorer', bitwise, [
    { dataset: 'd', path: 'train.gz', records: 20, withheld: 2 },
  ]);
  await tick(parts, true);
  const judged = (await jobs.byId(db, job.jobId))!;
  assert.equal(judged.state, 'judged');
  const [stored] = await verdicts.ofJob(db, job.jobId);
  assert.equal(stored!.verdict.rung, 'bit-identical');
  const statement = JSON.parse((await artifacts.readWhole(stored!.statementSha256!)).toString());
  assert.equal(statement.predicateType, 'https://retraind.invalid/verdict/v1');
  assert.equal(statement.subject[0].digest.sha256, evidenceOf('shipped').file.sha256);
  assert.deepEqual(statement.predicate.verdict, stored!.verdict);
});

test('a verdict that asks for another run gets it before the job is judged', async () => {
  const { job } = await scene();
  const bell = new NotedBell();
  const parts = newParts(bell);
  await tick(parts, true);
  await work(bell.rings[0]!, 'other bytes');
  await tick(parts, true);
  assert.equal((await jobs.byId(db, job.jobId))!.state, 'retraining');
  assert.equal(bell.rings.length, 2);
  assert.deepEqual(
    (await runs.ofJob(db, job.jobId)).map(({ purpose, seedIndex }) => [purpose, seedIndex]),
    [
      ['retrain', 1],
      ['rerun', 1],
    ],
    'the first seed again: bytes that differ may come from a recipe that is not deterministic',
  );
  await work(bell.rings[1]!, 'other bytes');
  await tick(parts, true);
  assert.equal((await jobs.byId(db, job.jobId))!.state, 'judged');
  assert.deepEqual(
    (await verdicts.historyOf(db, job.jobId, 'tiny')).map(({ verdict }) => [verdict.rung, verdict.k]),
    [
      ['inconclusive', 1],
      ['different', 2],
    ],
  );
});

test('a dependence run that the recipe refuses fails no job, and is not made again', async () => {
  const { job } = await scene();
  const bell = new NotedBell();
  const parts = newParts(bell);
  await tick(parts, true);
  await work(bell.rings[0]!, 'shipped');
  await tick(parts, true);
  const { runId, leaseEpoch, nodeId } = bell.rings[1]!;
  const holder = { runId, leaseEpoch, nodeId };
  await runs.heartbeat(db, { ...holder, step: 'unpack', progress: null, leaseSeconds: 60 });
  const outcome = breakageOf('recipe', 'recipe-failed');
  const end = await runs.report(db, { ...holder, outcome });
  assert.deepEqual([end.run, end.job], ['broken', 'retraining']);
  await tick(parts, true);
  assert.equal((await jobs.byId(db, job.jobId))!.state, 'judged');
  assert.equal((await runs.ofJob(db, job.jobId)).length, 2);
  const { rung, taints } = (await verdicts.ofJob(db, job.jobId))[0]!.verdict;
  assert.deepEqual([rung, taints], ['bit-identical', ['dependence-unchecked', 'unsandboxed']]);
});

test('a statistical recipe is topped up to its first look as soon as it is known', async () => {
  const { job } = await scene(3);
  const bell = new NotedBell();
  const parts = newParts(bell);
  await tick(parts, true);
  assert.equal(bell.rings.length, 1);
  const { runId, leaseEpoch, nodeId } = bell.rings[0]!;
  const control = await readFile(
    new URL('../../examples/tiny/debian/retrain/control', import.meta.url),
    'utf8',
  );
  const demand = demandOfTag([]);
  await jobs.recordRecipe(db, { runId, leaseEpoch, nodeId, control, jobSeed: '7', demand });
  await tick(parts, true);
  const all = await runs.ofJob(db, job.jobId);
  assert.deepEqual(
    all.map(({ seedIndex, state }) => [seedIndex, state]),
    [
      [1, 'leased'],
      [2, 'leased'],
      [3, 'leased'],
    ],
  );
  assert.equal(bell.rings.length, 3);
});

test('judging again after a death writes nothing twice', async () => {
  const { job } = await scene();
  const bell = new NotedBell();
  await tick(newParts(bell), true);
  await work(bell.rings[0]!, 'other bytes');
  // The death came after the verdict was stored and before the next run was made: the memory is new, the verdict is there.
  assert.equal(await attend(newParts(bell), job.jobId), 'more-runs');
  assert.equal(await attend(newParts(bell), job.jobId), 'nothing');
  await tick(newParts(bell), true);
  await work(bell.rings.at(-1)!, 'other bytes');
  const outcomes = await Promise.allSettled([
    attend(newParts(bell), job.jobId),
    attend(newParts(bell), job.jobId),
  ]);
  assert.ok(outcomes.some((outcome) => outcome.status === 'fulfilled' && outcome.value === 'judged'));
  assert.equal((await verdicts.historyOf(db, job.jobId, 'tiny')).length, 2);
  assert.equal(await attend(newParts(bell), job.jobId), 'nothing');
});

test('a lease that nobody began is rung again, then lost, then leased anew with the same seed', async () => {
  const { job } = await scene();
  const bell = new NotedBell();
  bell.isDown = true;
  const leaseSeconds = 0.4;
  const parts = newParts(bell, leaseSeconds);
  await tick(parts, true);
  assert.equal(bell.rings.length, 0, 'the first ring was lost');
  bell.isDown = false;
  const until = async (done: () => Promise<boolean> | boolean) => {
    while (!(await done())) await tick(parts, true);
  };
  await until(() => bell.rings.length > 0);
  assert.equal(bell.rings[0]!.leaseEpoch, 1, 'the same lease, rung again');
  await until(() => bell.rings.some(({ leaseEpoch }) => leaseEpoch === 2));
  const all = await runs.ofJob(db, job.jobId);
  assert.equal(all.length, 1);
  assert.deepEqual(
    all[0]!.leases.slice(0, 1).map(({ outcome, code, blame }) => ({ outcome, code, blame })),
    [{ outcome: 'lost', code: 'not-begun', blame: 'farm' }],
  );
  await assert.rejects(work({ ...bell.rings[0]!, leaseEpoch: 1 }, 'late'), { code: 'lease-lost' });
});

test('what a lost worker had written is kept by its digest', async () => {
  const { job } = await scene();
  const bell = new NotedBell();
  const parts = newParts(bell, 0.05);
  await tick(parts, false);
  const { runId, leaseEpoch, nodeId } = bell.rings[0]!;
  await runs.heartbeat(db, { runId, leaseEpoch, nodeId, step: 'train', progress: null, leaseSeconds: 0.05 });
  const path = liveFilePath(folder, runId, leaseEpoch, 'log');
  await appendLive(path, 0, 'epoch 1/12\n', 1_000);
  await db.$executeRaw`SELECT pg_sleep(0.1)`;
  await tick(parts, true);
  const [run] = await runs.ofJob(db, job.jobId);
  const { outcome, logSha256, metricsSha256 } = run!.leases[0]!;
  assert.deepEqual([outcome, metricsSha256], ['lost', null]);
  assert.equal(await readFile(artifacts.pathOf(logSha256!), 'utf8'), 'epoch 1/12\n');
  await assert.rejects(readFile(path), { code: 'ENOENT' });
});

test('a leader does not reap in its first moments', async () => {
  const { job } = await scene();
  const bell = new NotedBell();
  const parts = newParts(bell, 0.05);
  await tick(parts, false);
  const [run] = await runs.ofJob(db, job.jobId);
  await db.$executeRaw`SELECT pg_sleep(0.1)`;
  await tick(parts, false);
  assert.equal((await runs.byId(db, run!.runId))!.leaseEpoch, 1);
  await tick(parts, true);
  assert.notEqual((await runs.byId(db, run!.runId))!.leases[0]!.outcome, null);
});

test('a recipe that fails ends its job, and no second run is spent on it', async () => {
  const { job } = await scene();
  const bell = new NotedBell();
  const parts = newParts(bell);
  await tick(parts, true);
  const { runId, leaseEpoch, nodeId } = bell.rings[0]!;
  await runs.report(db, { runId, leaseEpoch, nodeId, outcome: breakageOf('recipe') });
  await tick(parts, true);
  assert.equal((await jobs.byId(db, job.jobId))!.state, 'attempted');
  assert.equal(bell.rings.length, 1);
});

test('a superseded job’s leased run is told to stop, and its slot serves the next', async () => {
  const { job } = await scene();
  const bell = new NotedBell();
  const parts = newParts(bell);
  await tick(parts, true);
  const { runId, leaseEpoch, nodeId } = bell.rings[0]!;
  await jobs.supersede(db, job.jobId, 'a newer version');
  const answer = await runs.heartbeat(db, {
    runId,
    leaseEpoch,
    nodeId,
    step: 'train',
    progress: null,
    leaseSeconds: 60,
  });
  assert.deepEqual(answer, { cancel: true });
  await runs.report(db, { runId, leaseEpoch, nodeId, outcome: breakageOf('cancelled', 'run-cancelled') });
  assert.equal((await runs.byId(db, runId))!.state, 'cancelled');
  const next = await makeJob(db);
  await tick(parts, true);
  const [run] = await runs.ofJob(db, next.jobId);
  assert.equal(bell.rings.at(-1)!.runId, run!.runId);
});

test('evidence that is gone holds the job for a person', async () => {
  const { job } = await scene();
  const bell = new NotedBell();
  const parts = newParts(bell);
  await tick(parts, true);
  const ring = bell.rings[0]!;
  const { runId, leaseEpoch, nodeId } = ring;
  const outcome = resultOf('bytes');
  outcome.outputs[0]!.evidence.sets = { test: { sha256: 'ab'.repeat(32), rows: 1, columns: 2 } };
  const demand = demandOfTag([]);
  await jobs.recordRecipe(db, { runId, leaseEpoch, nodeId, control: bitwise, jobSeed: '7', demand });
  await runs.report(db, { runId, leaseEpoch, nodeId, outcome });
  await tick(parts, true);
  const held = (await jobs.byId(db, job.jobId))!;
  assert.equal(held.state, 'held');
  assert.match(held.reason, /no artifact abab/);
});

test('a job that no machine could serve leaves the queue within one tick, and one that no node serves yet says why', async () => {
  const { job } = await scene();
  const far = { accelerators: [{ kind: 'cuda' as const, minimumCapability: 0 }], gpuMemoryBytes: 2 ** 41 };
  const demand = { ...demandOfTag([]), ...far };
  await db.job.update({ where: { jobId: job.jobId }, data: { demand: demand as unknown as object } });
  const waits = await makeJob(db);
  const wants = { ...demand, gpuMemoryBytes: 2 ** 33 };
  await db.job.update({ where: { jobId: waits.jobId }, data: { demand: wants as unknown as object } });
  const bell = new NotedBell();
  const parts = newParts(bell);
  await tick(parts, true);
  const { state, reason } = (await jobs.byId(db, job.jobId))!;
  assert.deepEqual(
    [state, reason],
    ['auto-not-for-us', 'No farm can serve it: no device has 2.00 TiB of memory.'],
  );
  assert.deepEqual(bell.rings, []);
  const told = explainQueued(parts.memory.queue, new Date(), waits.jobId)!;
  assert.match(told.sentence, /no slot fits; nearest is .* wants cuda; the slot has no accelerator/);
});

test('a job waits for a spent budget, and goes on by itself when there is room', async () => {
  const { job } = await scene();
  const account = `suite:${job.suite}` as const;
  const limits = { gpuHours: null, approvalGpuHours: null, approvalCpuHours: null, renew: false };
  const by = { actor: 'ada', reason: 'a test' };
  await budgets.set(db, { ...limits, account, cpuHours: 0 }, by);
  const bell = new NotedBell();
  const parts = newParts(bell);
  await tick(parts, true);
  const waiting = (await jobs.byId(db, job.jobId))!;
  assert.equal(waiting.state, 'budget-wait');
  assert.match(waiting.reason, /the budget of suite .* has 0\.00 CPU-hours/);
  await budgets.set(db, { ...limits, account, cpuHours: 5 }, by);
  await tick(parts, true);
  await tick(parts, true);
  assert.equal(bell.rings.length, 1);
  assert.equal((await jobs.byId(db, job.jobId))!.state, 'retraining');
  await budgets.set(db, { ...limits, account, cpuHours: null }, by);
});
