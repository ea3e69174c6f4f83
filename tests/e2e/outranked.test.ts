// A run leaves its slot for one that outranks it, through the scheduler's own tick on a real database: who is asked, who gets the slot,
// what either is told, and that the one which left goes on with its checkpoint. Workers are played by the test.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { after, test } from 'node:test';
import { ArtifactStore } from '@retraind/host/artifacts';
import * as jobs from '@retraind/prisma/store/jobs';
import * as leave from '@retraind/prisma/store/leave';
import * as nodes from '@retraind/prisma/store/nodes';
import * as runs from '@retraind/prisma/store/runs';
import { WorldMemory } from '@retraind/prisma/store/world-memory';
import { explainQueued } from '@retraind/shared/policy/explain';
import { defaultPolicy, type Preemption } from '@retraind/shared/policy/world';
import type { Ring } from '@retraind/shared/wire/doorbell';
import { pino } from 'pino';
import { dispatch } from '../../apps/scheduler/src/dispatch.ts';
import { createMetrics } from '../../apps/scheduler/src/metrics.ts';
import type { Bell } from '../../apps/scheduler/src/queue/bell.ts';
import { look, type TickParts, tick } from '../../apps/scheduler/src/tick.ts';
import { withDatabase } from '../support/database.ts';
import { findVersion, makeNode, selfReport, sha256Of } from '../support/scenario.ts';

const { db } = await withDatabase();
const folder = await mkdtemp('/tmp/retraind-outranked-');
after(() => rm(folder, { recursive: true, force: true }));

const rule: Preemption = {
  points: 10,
  leastHeldSeconds: 0,
  mostAtOnce: 1,
  mostTimes: 1,
  neverAbove: 0.9,
};

/** A scheduler of its own, and the rings of its bell. */
function scheduler(preemption: Preemption | null) {
  const rings: (Ring & { nodeId: string; slot: number })[] = [];
  const bell: Bell = {
    ring: async (nodeId, slot, ring) => {
      rings.push({ ...ring, nodeId, slot });
    },
    health: async () => {},
    close: async () => {},
  };
  const policy = { ...defaultPolicy, fairSharePoints: 0, preemption };
  const parts: TickParts = {
    ...{ db, bell, artifacts: new ArtifactStore(folder), log: pino({ level: 'silent' }) },
    ...{ metrics: createMetrics(), memory: new WorldMemory(policy, 60), leaseSeconds: 60 },
    failures: new Map(),
    stirred: new Set(),
  };
  const explain = async (jobId: string): Promise<string> => {
    await look(parts);
    return explainQueued(parts.memory.queue, new Date(), jobId)!.runs[0]!.sentence;
  };
  return { parts, rings, explain, tick: () => tick(parts, true) };
}

/** A job of a package of its own. Each asks for as much as the other: one slot. */
async function ask(requestedBy: string, priority: number): Promise<string> {
  const { suite, source } = await findVersion(db, { policy: 'on-demand', job: null });
  const { job } = await jobs.request(db, { suite, source, requestedBy, priority });
  return job.jobId;
}

async function oneSlot(): Promise<string> {
  for (const { jobId } of await jobs.open(db)) await jobs.cancel(db, jobId, 'of another test', 'ada');
  await db.node.updateMany({ data: { state: 'drained', stateReason: 'of another test' } });
  const { nodeId } = await makeNode(db);
  await nodes.report(db, nodeId, selfReport());
  return nodeId;
}

const beat = (holder: runs.Holder) =>
  runs.heartbeat(db, { ...holder, step: 'train', progress: 0.1, leaseSeconds: 60 });

test('a run is asked to leave for one that outranks it; the slot is that one’s, whoever comes meanwhile', async () => {
  const nodeId = await oneSlot();
  const farm = scheduler(rule);
  const low = await ask('ada', 0);
  await farm.tick();
  const victim = { ...farm.rings[0]!, nodeId };
  assert.deepEqual(await beat(victim), { cancel: false });
  await leave.keepCheckpoint(db, victim, sha256Of('kept'));

  const equal = await ask('bob', 9);
  await farm.tick();
  assert.deepEqual(await beat(victim), { cancel: false }, 'nine points are no reason');
  const high = await ask('eve', 20);
  await farm.tick();
  const asked = await beat(victim);
  const [highRun] = await runs.ofJob(db, high);
  assert.equal(asked.leave?.code, 'preempted');
  assert.match(asked.leave!.reason, new RegExp(`^preempted for run ${highRun!.runId} of .* \\(asked by eve`));
  assert.equal(farm.rings.length, 1, 'nothing is placed meanwhile');
  assert.match(await farm.explain(low), /is leaving its slot: preempted for run/);
  assert.match(
    await farm.explain(high),
    /slot 0 is kept for it: run .* is leaving; expected to start in about/,
  );
  const audited = await db.audit.findMany({ where: { subject: `run:${victim.runId}` } });
  assert.deepEqual(
    audited.map(({ actor, deed }) => [actor, deed]),
    [['scheduler', 'runs.leave']],
  );

  // Whoever is first in the order by now, and however often the farm looks.
  const highest = await ask('dora', 30);
  await farm.tick();
  const step = 'train' as const;
  const outcome = { kind: 'given-back', code: 'preempted', step, detail: asked.leave!.reason } as const;
  await runs.report(db, { ...victim, outcome });
  await farm.tick();
  assert.deepEqual(
    farm.rings.slice(1).map(({ runId, slot }) => [runId, slot]),
    [[highRun!.runId, 0]],
  );
  const left = (await runs.byId(db, victim.runId))!;
  assert.deepEqual(
    [left.state, left.checkpointSha256, left.leases[0]!.code, left.leases[0]!.blame],
    ['waiting', sha256Of('kept'), 'preempted', null],
  );
  assert.equal(left.leases[0]!.detail, asked.leave!.reason, 'the lease says for whom');

  for (const jobId of [equal, high, highest]) await jobs.cancel(db, jobId, 'enough', 'ada');
  const held = { ...farm.rings[1]!, nodeId };
  await runs.breakRun(db, held, { blame: 'cancelled', code: 'run-cancelled', detail: '', hint: null });
  await farm.tick();
  const again = (await runs.byId(db, victim.runId))!;
  assert.deepEqual([again.state, again.leaseEpoch], ['leased', 2]);
  assert.equal(again.leases[1]!.resumedFrom, sha256Of('kept'));
  await ask('eve', 30);
  await farm.tick();
  assert.deepEqual(await beat({ ...victim, leaseEpoch: 2 }), { cancel: false }, 'not twice');
});

test('by default nobody leaves; a lease that ended before the scheduler could ask promises nothing', async () => {
  const nodeId = await oneSlot();
  const usual = scheduler(null);
  await ask('ada', 0);
  await usual.tick();
  const victim = { ...usual.rings[0]!, nodeId };
  await beat(victim);
  const high = await ask('eve', 30);
  await usual.tick();
  assert.deepEqual(await beat(victim), { cancel: false });

  const farm = scheduler(rule);
  await look(farm.parts);
  const outcome = { kind: 'given-back', code: 'node-stopped', step: 'train', detail: 'stopped' } as const;
  await runs.report(db, { ...victim, outcome });
  await dispatch(farm.parts, farm.parts.memory.queue, new Date());
  const [highRun] = await runs.ofJob(db, high);
  assert.deepEqual([highRun!.state, highRun!.promisedUntil], ['waiting', null]);
  await farm.tick();
  assert.equal((await runs.byId(db, highRun!.runId))!.state, 'leased');
});
