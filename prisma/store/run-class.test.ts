// Runs whose bytes are compared with an earlier one's get its class, from the lease in which that computed, and the decision keeps to it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Device } from '@retraind/shared/gpu/device';
import { parseWishes } from '@retraind/shared/gpu/wish';
import { type RunPlace, retrainPlaces } from '@retraind/shared/job/run-place';
import { decide } from '@retraind/shared/policy/decide';
import { defaultPolicy, demandOfTag, nodeSilenceSeconds, type World } from '@retraind/shared/policy/world';
import { declaredPlace, rerunPlace } from '@retraind/shared/verdict/run-plan';
import { withDatabase } from '../../tests/support/database.ts';
import { deviceOf } from '../../tests/support/device.ts';
import { findVersion, makeNode, resultOf, selfReport } from '../../tests/support/scenario.ts';
import { explained } from '../../tests/support/world.ts';
import * as jobs from './jobs.ts';
import * as nodes from './nodes.ts';
import * as runs from './runs.ts';
import * as world from './world.ts';

const { db } = await withDatabase();
const accelerators = parseWishes('cuda | none').wishes;

const nodeWith = async (devices: Device[]): Promise<nodes.Node> => {
  const node = await makeNode(db);
  const { inventory, ...self } = selfReport();
  await nodes.report(db, node.nodeId, { ...self, inventory: { ...inventory, devices } });
  return node;
};
const [gpu, cpu] = [await nodeWith([deviceOf(0)]), await nodeWith([])];

interface Made {
  jobId: string;
  runId: string;
  leaseEpoch: number;
}

/** A run of this place, trained on the node with these devices. */
const made = async (jobId: string, place: RunPlace, node: nodes.Node, deviceIds: string[]): Promise<Made> => {
  const [runId] = await runs.add(db, jobId, [place]);
  const wish = { runId: runId!, nodeId: node.nodeId, slot: 0, deviceIds, leaseSeconds: 60 };
  const holder = { runId: runId!, leaseEpoch: (await runs.lease(db, wish))!, nodeId: node.nodeId };
  await jobs.recordRecipe(db, { ...holder, control: 'c', jobSeed: 's', demand: demandOfTag(accelerators) });
  await runs.report(db, { ...holder, outcome: resultOf('x') });
  return { jobId, runId: runId!, leaseEpoch: holder.leaseEpoch };
};
const newJob = async (): Promise<string> => (await findVersion(db, { accelerators })).job!.jobId;
const firstSeed = retrainPlaces(1)[0]!;
const dependence: RunPlace = { ...rerunPlace, purpose: 'dependence' };

/** By place: the class that the world tells of the runs of a job that wait. */
const worldNow = async (): Promise<World> => ({
  ...(await world.read(db, null)),
  policy: defaultPolicy,
  nodeSilenceSeconds,
});
const bound = async (runId: string): Promise<string | null> =>
  (await worldNow()).runs.find((run) => run.runId === runId)!.class;

test('a rerun and a dependence run are bound to the class in which their seed was run, others to none', async () => {
  for (const [node, deviceIds, expected] of [
    [gpu, ['GPU-0'], 'amd64+sm80'],
    [cpu, [], 'amd64'],
    // The slot has a GPU, and its run was given none.
    [gpu, [], 'amd64'],
  ] as const) {
    const jobId = await newJob();
    await made(jobId, firstSeed, node, [...deviceIds]);
    const places = [rerunPlace, dependence, declaredPlace(42, 0), declaredPlace(42, 1), retrainPlaces(2)[1]!];
    const ids = await runs.add(db, jobId, places);
    assert.deepEqual(await Promise.all(ids.map(bound)), [expected, expected, null, null, null]);
    await jobs.cancel(db, jobId, 'seen', 'ada');
  }
});

test('a declared seed binds by its own arithmetic, run again or on shortened data', async () => {
  const jobId = await newJob();
  await made(jobId, firstSeed, cpu, []);
  await made(jobId, declaredPlace(42, 0), gpu, ['GPU-0']);
  const ids = await runs.add(db, jobId, [
    declaredPlace(42, 0, 1),
    { ...declaredPlace(42, 0), purpose: 'dependence' },
    declaredPlace(42, 1),
    rerunPlace,
  ]);
  assert.deepEqual(await Promise.all(ids.map(bound)), ['amd64+sm80', 'amd64+sm80', null, 'amd64']);
  await jobs.cancel(db, jobId, 'seen', 'ada');
});

test('a bound run waits for its class beside a free slot of another, and explain says so', async () => {
  const jobId = await newJob();
  await made(jobId, firstSeed, gpu, ['GPU-0']);
  const [runId] = await runs.add(db, jobId, [rerunPlace]);
  const placeOf = (one: World) =>
    decide(one, new Date()).actions.find((action) => action.kind === 'place' && action.runId === runId);
  const whole = await worldNow();
  const place = placeOf(whole);
  assert.ok(place?.kind === 'place');
  assert.deepEqual([place.nodeId, place.deviceIds], [gpu.nodeId, ['GPU-0']]);

  const without = { ...whole, nodes: whole.nodes.filter(({ nodeId }) => nodeId !== gpu.nodeId) };
  assert.equal(placeOf(without), undefined);
  const [told] = explained(without, new Date(), jobId)!.runs.filter((run) => run.runId === runId);
  assert.match(told!.sentence, /compared bit by bit with a run of amd64\+sm80; here it is amd64/);
  await jobs.cancel(db, jobId, 'seen', 'ada');
});
