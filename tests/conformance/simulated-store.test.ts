// The store that `retrain simulate` plays with, held against the real one: the same deeds in the same order, right and wrong
// ones, and after each the same answer and the same rows.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import * as jobs from '@retraind/prisma/store/jobs';
import * as leave from '@retraind/prisma/store/leave';
import * as nodes from '@retraind/prisma/store/nodes';
import * as runs from '@retraind/prisma/store/runs';
import { retrainPlaces } from '@retraind/shared/job/run-place';
import type { Blame, JobState } from '@retraind/shared/job/states';
import { demandOfStored, slotsOfNode } from '@retraind/shared/policy/world';
import { worldNodeOf } from '@retraind/shared/simulate/fleet';
import type { JobRow, Told, Witness } from '@retraind/shared/simulate/rows';
import { Truth } from '@retraind/shared/simulate/truth';
import { ProbeStream } from '@retraind/shared/verdict/probe-stream';
import { Problem, type ProblemCode } from '@retraind/shared/wire/problems';
import { withDatabase } from '../support/database.ts';
import { breakageOf, makeJob, makeNode, resultOf, sha256Of } from '../support/scenario.ts';

const { db } = await withDatabase();

const runsOfJob = 3;
const deedsOfStory = 60;
const hour = 3_600_000;
const breakages: [Blame, ProblemCode][] = [
  ['node', 'device-fault'],
  ['node', 'disk-full'],
  ['node', 'try-elsewhere'],
  ['farm', 'internal'],
  ['farm', 'resume-failed'],
  ['data', 'data-wait'],
  ['recipe', 'recipe-failed'],
  ['cancelled', 'run-cancelled'],
];

const silent = () => undefined;
const witness: Witness = {
  ...{ leased: silent, leaseEnded: silent, recorded: silent, refused: silent, waits: silent },
  ...{
    leaveAsked: silent,
    kept: silent,
    cancelAsked: silent,
    jobMoved: silent,
    nodeDrained: silent,
    slotSilent: silent,
  },
};

/** What a deed was answered; a Problem about the lease counts as `lease-lost`, as a worker takes it. */
async function answerOf(deed: () => Promise<unknown>): Promise<unknown> {
  try {
    return await deed();
  } catch (error) {
    const refused = error instanceof Problem && ['lease-lost', 'not-your-run'].includes(error.code);
    if (refused) return 'lease-lost';
    if (error instanceof Problem && error.code === 'conflict') return false;
    throw error;
  }
}

async function tellStory(seed: string): Promise<string[]> {
  const stream = new ProbeStream(seed, 'story');
  const pick = <T>(values: readonly T[]): T => values[Math.floor(stream.uniform() * values.length)]!;

  const real = await makeJob(db);
  const machines = [await makeNode(db), await makeNode(db)];
  const runIds = await runs.add(db, real.jobId, retrainPlaces(runsOfJob));

  let now = hour;
  const toDate = (milliseconds: number) => new Date(milliseconds);
  const truth = new Truth({ now: () => now, toDate, leaseSeconds: 20, fencing: true, witness });
  for (const [index, { nodeId }] of machines.entries()) {
    const shape = { name: nodeId, class: 'amd64', slots: slotsOfNode(1, []), tags: [] };
    const limits = { memoryBytes: null, diskFreeBytes: null, longestRunSeconds: 0 };
    truth.register({ ...worldNodeOf({ ...shape, ...limits }, index), nodeId });
  }
  const job: JobRow = {
    world: {
      ...{ jobId: 'j', source: 's', version: '1', suite: 'sid', state: 'needs-retrain', reason: null },
      ...{
        demand: demandOfStored({}),
        requestedAt: new Date(0),
        requestedBy: 'ada',
        priority: 0,
        section: '',
      },
      ...{ archivePriority: '', datasetDigests: [], releaseId: null, leastDeviceMemoryBytes: 0 },
    },
    ...{ runs: [], requestedAt: 0, endedAt: null },
  };
  truth.request(job);
  truth.add(job, retrainPlaces(runsOfJob));

  const seen: string[] = [];
  for (let step = 0; step < deedsOfStory; step++) {
    // Pauses are over in both.
    now += hour;
    await db.run.updateMany({ where: { jobId: real.jobId, state: 'waiting' }, data: { notBefore: null } });
    await db.run.updateMany({
      where: { jobId: real.jobId, promisedUntil: { not: null } },
      data: { promisedUntil: new Date(0) },
    });
    const index = Math.floor(stream.uniform() * job.runs.length);
    const [runId, row] = [runIds[index]!, job.runs[index]!];
    const own = row.world.holder?.nodeId;
    const nodeId = own !== undefined && stream.uniform() < 0.8 ? own : pick(machines).nodeId;
    const leaseEpoch = Math.max(1, row.leaseEpoch - (stream.uniform() < 0.2 ? 1 : 0));
    const holder = { runId, leaseEpoch, nodeId };
    const played = { ...holder, runId: row.world.runId };
    const [blame, code] = pick(breakages);
    const deeds: Record<string, () => [() => Promise<unknown>, () => unknown]> = {
      lease: () => [
        () => runs.lease(db, { runId, nodeId, slot: 0, leaseSeconds: 60 }),
        () => truth.lease(played.runId, nodeId, 0),
      ],
      heartbeat: () => [
        async () => {
          const beat = { ...holder, step: 'train', progress: null, leaseSeconds: 60 } as const;
          const { leave: asked, ...answer } = await runs.heartbeat(db, beat);
          return { ...answer, ...(asked && { leave: asked.code }) };
        },
        () => truth.heartbeat(played),
      ],
      keep: () => [
        async () => (await leave.keepCheckpoint(db, holder, sha256Of(`checkpoint ${step}`))) !== undefined,
        () => truth.keep(played, 1_000 * step) || 'lease-lost',
      ],
      leave: () => {
        const other = Math.floor(stream.uniform() * job.runs.length);
        const isFor = other !== index && stream.uniform() < 0.5;
        const wish = { leaseEpoch, reason: 'another waits' };
        return [
          () =>
            leave.ask(db, {
              ...{ ...wish, runId, code: 'preempted', actor: 'scheduler' },
              ...(isFor && { promise: { runId: runIds[other]!, seconds: 60 } }),
            }),
          () =>
            truth.ask({
              ...{ ...wish, runId: played.runId, cause: 'preempted' },
              ...(isFor && { forRunId: job.runs[other]!.world.runId }),
            }),
        ];
      },
      'give-back': () => [
        async () => {
          const left = { kind: 'given-back', code: 'preempted', step: 'train', detail: 'left' } as const;
          return (await runs.report(db, { ...holder, outcome: left })) && 'taken';
        },
        () => truth.report(played, { kind: 'given-back' }),
      ],
      report: () => [
        async () => (await runs.report(db, { ...holder, outcome: resultOf(`bytes ${step}`) })) && 'taken',
        () => truth.report(played, { kind: 'reported' }),
      ],
      break: () => [
        async () => (await runs.report(db, { ...holder, outcome: breakageOf(blame, code) })) && 'taken',
        () => truth.report(played, { kind: 'broken', blame, code, failureSha256: null } satisfies Told),
      ],
      lose: () => [
        async () => {
          const lost = { runId, leaseEpoch, outcome: 'lost', blame: 'farm', detail: 'silent' } as const;
          return (await runs.giveBack(db, lost)) !== null;
        },
        () => truth.silence(played, 0) !== null && truth.expire(played.runId, leaseEpoch),
      ],
      cancel: () => [
        async () => (await jobs.move(db, real.jobId, 'cancelled', 'enough')) && true,
        () => truth.moveJob(job, 'cancelled', 'enough'),
      ],
      again: () => [
        async () => {
          await jobs.move(db, real.jobId, 'needs-retrain', 'once more');
          runIds.push(...(await runs.add(db, real.jobId, retrainPlaces(runsOfJob))));
          return true;
        },
        () =>
          truth.moveJob(job, 'needs-retrain', 'once more') && truth.add(job, retrainPlaces(runsOfJob)) >= 0,
      ],
      resume: () => [
        async () => void (await nodes.register(db, { ...(await nodes.byId(db, nodeId))!, slots: 1 }, 'ada')),
        () => truth.resume(nodeId),
      ],
    };
    const names = ['lease', 'lease', 'lease', 'heartbeat', 'heartbeat', 'report', 'break', 'lose', 'lose'];
    names.push('keep', 'leave', 'leave', 'give-back');
    const name = stream.uniform() < 0.12 ? pick(['cancel', 'again', 'resume']) : pick(names);
    const [does, plays] = deeds[name]!();
    const told = `${name} run ${index} epoch ${leaseEpoch} of ${row.leaseEpoch} ${name === 'break' ? code : ''}`;
    assert.deepEqual(plays(), await answerOf(does), `${seed}, deed ${step}: ${told}`);
    seen.push(name);
    await compare(`${seed}, after deed ${step}: ${told}`);
  }
  return [...seen, job.world.state];

  async function compare(place: string): Promise<void> {
    const kept = await jobs.byId(db, real.jobId);
    assert.equal(job.world.state, kept!.state as JobState, place);
    const found = new Map((await runs.ofJob(db, real.jobId)).map((run) => [run.runId, run]));
    for (const [index, row] of job.runs.entries()) {
      const run = found.get(runIds[index]!)!;
      const { state, leaseEpoch, cancelAsked, world } = row;
      assert.deepEqual(
        [state, leaseEpoch, cancelAsked && state === 'leased', world.holder?.nodeId ?? null],
        [run.state, run.leaseEpoch, run.cancelAsked && run.state === 'leased', run.nodeId],
        `${place}: run ${index}`,
      );
      if (state !== 'waiting' && state !== 'leased') continue;
      const { tenure, promise = null } = world;
      const promised = promise && { promisedNodeId: promise.nodeId, promisedSlot: promise.slot };
      const { promisedNodeId, promisedSlot } = run;
      assert.deepEqual(
        [row.keptMilliseconds > 0, tenure?.leaving ?? null, promised],
        [
          run.checkpointSha256 !== null,
          run.leaveReason,
          promisedNodeId === null ? null : { promisedNodeId, promisedSlot },
        ],
        `${place}: run ${index} leaves`,
      );
    }
    for (const { nodeId } of machines) {
      const node = (await nodes.byId(db, nodeId))!;
      const { world, faultsInRow } = truth.nodes.get(nodeId)!;
      assert.deepEqual(
        [world.drainReason !== null, faultsInRow],
        [node.state === 'drained', node.faultsInRow],
        place,
      );
    }
  }
}

const told: string[] = [];
for (const seed of ['a', 'b', 'c', 'd']) {
  test(`story ${seed}: the played store does what the real one does`, async () => {
    told.push(...(await tellStory(seed)));
  });
}

after(() => {
  const deeds = ['lease', 'heartbeat', 'report', 'break', 'lose', 'cancel', 'again', 'resume'];
  deeds.push('keep', 'leave', 'give-back');
  assert.deepEqual(
    deeds.filter((deed) => !told.includes(deed)),
    [],
    'every deed was done',
  );
});
