import assert from 'node:assert/strict';
import { test } from 'node:test';
import { retrainPlaces } from '../job/run-place.ts';
import { demandOfTag } from '../policy/world.ts';
import { Chronicle } from './chronicle.ts';
import { drawFleet, worldNodeOf } from './fleet.ts';
import type { JobRow, Told } from './rows.ts';
import { Truth } from './truth.ts';

const nothing = () => undefined;

function farm(fencing = true) {
  let now = 0;
  const listener = {
    ...{
      jobEnded: nothing,
      changed: nothing,
      cancelAsked: nothing,
      leaveAsked: nothing,
      nodeDrained: nothing,
      waits: nothing,
      slotSilent: nothing,
    },
  };
  const chronicle = new Chronicle(() => now, null, listener);
  const toDate = (milliseconds: number) => new Date(milliseconds);
  const truth = new Truth({ now: () => now, toDate, leaseSeconds: 20, fencing, witness: chronicle });
  const nodes = drawFleet(3).map(worldNodeOf);
  for (const world of nodes) truth.register(world);
  const job: JobRow = {
    world: {
      ...{ jobId: 'job', source: 's', version: '1', suite: 'sid', state: 'needs-retrain', reason: null },
      ...{ demand: demandOfTag([]), requestedAt: new Date(0), requestedBy: 'ada', priority: 0, section: '' },
      ...{ archivePriority: '', datasetDigests: [], releaseId: null, leastDeviceMemoryBytes: 0 },
    },
    ...{ runs: [], requestedAt: 0, endedAt: null },
  };
  truth.request(job);
  truth.add(job, retrainPlaces(2));
  const [run, other] = job.runs;
  return {
    ...{ truth, chronicle, job, run: run!, other: other!, nodes: nodes.map(({ nodeId }) => nodeId) },
    at: (milliseconds: number) => {
      now = milliseconds;
    },
  };
}

const done: Told = { kind: 'reported' };
const fault: Told = { kind: 'broken', blame: 'node', code: 'disk-full', failureSha256: null };

test('a run is leased once, a slot has one run, and a drained node gets none', () => {
  const { truth, run, other, nodes, job } = farm();
  const [a, b] = nodes as [string, string];
  assert.equal(truth.lease(run.world.runId, a, 0), 1);
  assert.equal(job.world.state, 'retraining');
  assert.equal(truth.lease(run.world.runId, b, 0), null);
  assert.equal(truth.lease(other.world.runId, a, 0), null);
  assert.equal(truth.lease(other.world.runId, a, 99), null);
  truth.setNode(b, { drainReason: 'dust' });
  assert.equal(truth.lease(other.world.runId, b, 0), null);
});

test('a lease expires by its last heartbeat; what its worker says afterwards is refused', () => {
  const { truth, run, nodes, at, chronicle } = farm();
  const [a, b] = nodes as [string, string];
  const { runId } = run.world;
  const old = { runId, leaseEpoch: truth.lease(runId, a, 0)!, nodeId: a };
  assert.deepEqual(truth.heartbeat(old), { cancel: false });
  assert.equal(truth.silence(old, 3_000), 23_000);
  at(22_999);
  assert.equal(truth.expire(runId, 1), false);
  at(23_000);
  assert.equal(truth.expire(runId, 1), true);
  assert.equal(run.state, 'waiting');
  const next = { runId, leaseEpoch: truth.lease(runId, b, 0)!, nodeId: b };
  assert.equal(next.leaseEpoch, 2);
  assert.equal(truth.heartbeat(old), 'lease-lost');
  assert.equal(truth.report(old, done), 'lease-lost');
  assert.equal(truth.report({ ...next, nodeId: a }, done), 'lease-lost');
  assert.equal(truth.report(next, done), 'taken');
  assert.equal(truth.report(next, done), 'lease-lost');
  assert.deepEqual(chronicle.books.violations, []);
  assert.equal(chronicle.figures.refusedWrites.report, 3);
});

test('a heartbeat in time keeps the lease', () => {
  const { truth, run, nodes, at } = farm();
  const holder = { runId: run.world.runId, leaseEpoch: 1, nodeId: nodes[0]! };
  truth.lease(holder.runId, holder.nodeId, 0);
  truth.heartbeat(holder);
  truth.silence(holder, 0);
  at(19_000);
  truth.heartbeat(holder);
  at(500_000);
  assert.equal(truth.expire(holder.runId, 1), false);
});

test('three faults in a row drain a node, and the run is tried elsewhere', () => {
  const { truth, run, other, nodes, at, chronicle } = farm();
  const node = nodes[0]!;
  for (const [index, which] of [run, other, run].entries()) {
    at(index * 1_000_000);
    const { runId } = which.world;
    const leaseEpoch = truth.lease(runId, node, 0)!;
    truth.heartbeat({ runId, leaseEpoch, nodeId: node });
    truth.report({ runId, leaseEpoch, nodeId: node }, fault);
    assert.deepEqual(which.world.failedOn, [node]);
  }
  assert.match(truth.nodes.get(node)!.world.drainReason!, /3 runs in a row/);
  assert.equal(chronicle.figures.nodesDrained, 1);
});

test('a job that ends cancels what waits and asks what runs to stop', () => {
  const { truth, run, other, nodes, job } = farm();
  const holder = { runId: run.world.runId, leaseEpoch: 1, nodeId: nodes[0]! };
  truth.lease(holder.runId, holder.nodeId, 0);
  truth.moveJob(job, 'cancelled', 'a person');
  assert.equal(other.state, 'cancelled');
  assert.deepEqual(truth.heartbeat(holder), { cancel: true });
  truth.report(holder, { ...fault, blame: 'cancelled', code: 'run-cancelled' } as Told);
  assert.equal(run.state, 'cancelled');
});

test('the books see what a store without fencing takes', () => {
  const { truth, run, nodes, at, chronicle } = farm(false);
  const [a, b] = nodes as [string, string];
  const { runId } = run.world;
  truth.lease(runId, a, 0);
  truth.heartbeat({ runId, leaseEpoch: 1, nodeId: a });
  truth.silence({ runId, leaseEpoch: 1, nodeId: a }, 0);
  at(30_000);
  truth.expire(runId, 1);
  truth.lease(runId, b, 0);
  truth.report({ runId, leaseEpoch: 1, nodeId: a }, done);
  truth.report({ runId, leaseEpoch: 2, nodeId: b }, done);
  assert.equal(chronicle.books.doubledResults, 1);
  assert.match(chronicle.books.violations.join('\n'), /2 results of run/);
});
