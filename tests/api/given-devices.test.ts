// Which devices a run may have: from what an admin approved, by the decision and its lease, to the assignment that a worker takes,
// and to the report that says what it used.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as runs from '@retraind/prisma/store/runs';
import * as world from '@retraind/prisma/store/world';
import { retrainPlaces } from '@retraind/shared/job/run-place';
import { decide } from '@retraind/shared/policy/decide';
import { defaultPolicy, nodeSilenceSeconds } from '@retraind/shared/policy/world';
import type { Node } from '@retraind/shared/wire/node';
import type { Problem } from '@retraind/shared/wire/problems';
import type { Run } from '@retraind/shared/wire/resources';
import { tellSelf } from '@retraind/worker/http-farm-client';
import type { NodeKey } from '@retraind/worker/node-key';
import { deviceOf } from '../support/device.ts';
import { findVersion, resultOf } from '../support/scenario.ts';
import { adminToken, startFarm } from './farm-server.ts';
import { selfOf } from './node-self.ts';

const server = await startFarm();
const { address: api, db } = server;
const tell = (key: NodeKey, ordinals: number[]) =>
  tellSelf({ api, key }, selfOf(ordinals.map((ordinal) => deviceOf(ordinal))));
const approve = ({ nodeId }: NodeKey, slots: number) =>
  server.ask<Node & { detail: string }>('POST', `/api/v1/nodes/${nodeId}/approve`, {
    token: adminToken,
    json: { reason: 'a test', slots },
  });

/** A job that wants CUDA, leased as the scheduler would: by its decision over the world that the database tells. */
async function leaseByDecision(): Promise<{ runId: string; leaseEpoch: number; slot: number }> {
  const { job } = await findVersion(db, { accelerators: [{ kind: 'cuda', minimumCapability: 80 }] });
  const [runId] = await runs.add(db, job!.jobId, retrainPlaces(1));
  const read = await world.read(db, null);
  const { actions } = decide({ ...read, policy: defaultPolicy, nodeSilenceSeconds }, new Date());
  const place = actions.find((action) => action.kind === 'place' && action.runId === runId);
  assert.ok(place?.kind === 'place', 'is placed');
  const epochs = await runs.leaseAll(db, [place], 60);
  return { runId: runId!, leaseEpoch: epochs.get(runId!)!, slot: place.slot };
}

test('an assignment names the approved devices of its slot, and none that came later, wherever that stands', async () => {
  const key = await server.enrol('growing');
  await tell(key, [0, 1]);
  await approve(key, 1);
  await tell(key, [7, 0, 1]);
  const lease = await leaseByDecision();
  const client = server.client(key, lease);
  assert.deepEqual((await client.takeAssignment()).deviceIds, ['GPU-0', 'GPU-1']);

  const used = ({ deviceId, name, architecture, driver } = deviceOf(7)) => [
    { deviceId, name, architecture, driver },
  ];
  await assert.rejects(client.report({ ...resultOf('x'), devices: used() }), (error: Problem) => {
    assert.equal(error.code, 'conflict');
    assert.match(error.detail, /was not to use .*\(GPU-7\): its lease names GPU-0, GPU-1/);
    return true;
  });
  const { body } = await server.ask<Run>('GET', `/api/v1/runs/${lease.runId}`);
  assert.equal(body.state, 'leased');
  assert.deepEqual(body.leases[0]?.deviceIds, ['GPU-0', 'GPU-1']);
  await client.report({
    kind: 'given-back',
    code: 'node-stopped',
    step: 'fetch',
    detail: 'the end of the test',
  });
  await server.ask('POST', `/api/v1/nodes/${key.nodeId}/retire`, {
    token: adminToken,
    json: { reason: 'done' },
  });
});

test('a device that comes moves no other to another slot, and approval waits where it would', async () => {
  const key = await server.enrol('dealing');
  await tell(key, [0, 1]);
  await approve(key, 2);
  const lease = await leaseByDecision();
  const mine = (await server.client(key, lease).takeAssignment()).deviceIds;
  assert.deepEqual(mine, [`GPU-${lease.slot}`]);
  // In front of the others: by place among all, each device would be of the other slot now.
  await tell(key, [7, 0, 1]);
  const next = await leaseByDecision();
  assert.notEqual(next.slot, lease.slot);
  assert.deepEqual((await server.client(key, next).takeAssignment()).deviceIds, [`GPU-${next.slot}`]);

  const refused = await approve(key, 2);
  assert.equal(refused.status, 409);
  assert.match(refused.body.detail, /GPU-\d would be of slot \d, and run \w+ has it in slot \d/);
  await tell(key, [0, 1, 7]);
  assert.equal((await approve(key, 2)).status, 200);
});

test('no device is given to two runs, though the node was registered anew with other slots', async () => {
  const key = await server.enrol('recut');
  await tell(key, [0, 1]);
  await approve(key, 2);
  const first = await leaseByDecision();
  const json = { publicKey: key.publicKeyPem, name: 'recut', class: 'amd64', slots: 3 };
  const { job } = await findVersion(db, { accelerators: [{ kind: 'cuda', minimumCapability: 80 }] });
  const [runId] = await runs.add(db, job!.jobId, retrainPlaces(1));
  assert.equal((await server.ask('POST', '/api/v1/nodes', { token: adminToken, json })).status, 200);
  const other = { runId: runId!, nodeId: key.nodeId, slot: 2, leaseSeconds: 60 };
  const [held] = (await server.client(key, first).takeAssignment()).deviceIds;
  assert.equal(await runs.lease(db, { ...other, deviceIds: [held!, 'GPU-9'] }), null);
  assert.equal((await runs.byId(db, runId!))?.state, 'waiting');
  assert.ok(await runs.lease(db, { ...other, deviceIds: ['GPU-9'] }));
});
