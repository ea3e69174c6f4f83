// Nodes: registered by people, governed by people, and what a node says of itself.
import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import * as world from '@retraind/prisma/store/world';
import { nodeIdOf } from '@retraind/shared/attest/node-token';
import { protocol } from '@retraind/shared/node/protocol';
import type { Node, NodeDetail, NodeReport } from '@retraind/shared/wire/node';
import { askToServe, tellSelf } from '@retraind/worker/http-farm-client';
import { loadNodeKey, type NodeKey } from '@retraind/worker/node-key';
import { SignJWT } from 'jose';
import { deviceOf } from '../support/device.ts';
import { adminToken, porterToken, startFarm } from './farm-server.ts';
import { enrolmentOf, selfOf } from './node-self.ts';

const server = await startFarm();
const { address: api } = server;

const wish = () => {
  const { publicKey } = generateKeyPairSync('ed25519');
  const json = {
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    name: 'new',
    class: 'amd64+sm90',
    slots: 2,
  };
  return { nodeId: nodeIdOf(publicKey), json };
};
const read = async (nodeId: string) => (await server.ask<NodeDetail>('GET', `/api/v1/nodes/${nodeId}`)).body;
const act = (nodeId: string, deed: string, json: object, token = adminToken) =>
  server.ask<Node & { detail: string }>('POST', `/api/v1/nodes/${nodeId}/${deed}`, { token, json });
const tell = (key: NodeKey, report: NodeReport = selfOf()) =>
  tellSelf({ api, key, patienceSeconds: 2 }, report);
const why = { reason: 'a test' };

test('an admin registers a node; again, it is described anew', async () => {
  const { nodeId, json } = wish();
  const made = await server.ask<Node>('POST', '/api/v1/nodes', { token: adminToken, json });
  assert.equal(made.status, 201);
  assert.equal(made.headers.get('location'), `/api/v1/nodes/${nodeId}`);
  assert.deepEqual(
    [made.body.state, made.body.stateBy, made.body.approvedInventory],
    ['offline', 'ada', null],
  );
  const again = await server.ask<Node>('POST', '/api/v1/nodes', {
    token: adminToken,
    json: { ...json, name: 'renamed' },
  });
  assert.equal(again.status, 200);
  assert.equal(again.body.name, 'renamed');
});

test('registration and deeds are refused without a token, with an unknown one, and to a porter', async () => {
  const { nodeId, json } = wish();
  const stranger = await server.ask('POST', '/api/v1/nodes', { json });
  assert.equal(stranger.status, 401);
  assert.match(stranger.headers.get('www-authenticate')!, /^Bearer/);
  assert.match(String(stranger.body.hint), /Authorization: Bearer/);
  assert.equal((await server.ask('POST', '/api/v1/nodes', { token: 'guess', json })).status, 401);
  const porter = await server.ask('POST', '/api/v1/nodes', { token: porterToken, json });
  assert.equal(porter.status, 403);
  assert.match(String(porter.body.detail), /pia is porter/);
  const { body } = await server.ask<{ items: Node[] }>('GET', '/api/v1/nodes');
  assert.ok(!body.items.some((node) => node.nodeId === nodeId));
  const key = await server.enrol('governed');
  for (const deed of ['approve', 'drain', 'resume', 'retire']) {
    assert.equal((await act(key.nodeId, deed, why, porterToken)).status, 403, deed);
    assert.equal((await act(key.nodeId, deed, {})).status, 400, `${deed} without a reason`);
  }
});

test('a key of another kind is refused', async () => {
  const { json } = wish();
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
  for (const key of [
    publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    'no key',
  ]) {
    const refused = await server.ask('POST', '/api/v1/nodes', {
      token: adminToken,
      json: { ...json, publicKey: key },
    });
    assert.equal(refused.status, 400);
    assert.match(String(refused.body.detail), /ed25519/);
  }
});

test('what a registered node reports first is approved; its vitals, tags, program and clock show', async () => {
  const key = await server.enrol('talker');
  await tell(key, selfOf([deviceOf(0)], { tags: ['scratch'] }));
  const node = await read(key.nodeId);
  assert.equal(node.state, 'online');
  assert.deepEqual(node.approvedInventory?.devices, [deviceOf(0)]);
  assert.deepEqual(node.accelerators[0]?.device, { deviceId: 'GPU-0', ordinal: 0 });
  assert.deepEqual(node.vitals?.pressure, { cpu: 2.5, memory: 0, io: 40 });
  assert.deepEqual([node.program, node.protocol], ['test 0.1.0', protocol]);
  assert.ok(Math.abs(node.clockOffsetSeconds!) < 10);
  assert.deepEqual(
    node.tags.map(({ tag, provenance, by }) => [tag, provenance, by]),
    [
      ['cuda:sm_80', 'probed', 'farm'],
      ['scratch', 'claimed', key.nodeId],
      ['vendor:nvidia', 'probed', 'farm'],
    ],
  );
  assert.equal((await server.ask('GET', '/api/v1/nodes/0123456789abcdef')).status, 404);
});

test('fewer GPUs or another driver drain the node with the reason; more are shown and not used until approved', async () => {
  const key = await server.enrol('shrinking');
  await tell(key, selfOf([deviceOf(0), deviceOf(1)]));
  await tell(key, selfOf([deviceOf(0), deviceOf(1), deviceOf(2)]));
  const grown = await read(key.nodeId);
  assert.deepEqual([grown.state, grown.newDeviceIds, grown.accelerators.length], ['online', ['GPU-2'], 2]);
  assert.equal((await act(key.nodeId, 'approve', why)).body.accelerators.length, 3);

  await tell(key, selfOf([deviceOf(0), deviceOf(2)]));
  const shrunk = await read(key.nodeId);
  assert.deepEqual([shrunk.state, shrunk.stateBy], ['drained', 'farm']);
  assert.match(shrunk.reason!, /^inventory: NVIDIA A100.*\(GPU-1\) is gone$/);
  // Whole again, it waits for a person; resumed while it still lacks something, it is drained again.
  await tell(key, selfOf([deviceOf(0), deviceOf(1), deviceOf(2, { driver: '550.1' })]));
  assert.equal((await read(key.nodeId)).state, 'drained');
  assert.equal((await act(key.nodeId, 'resume', why)).body.state, 'online');
  await tell(key, selfOf([deviceOf(0), deviceOf(1), deviceOf(2, { driver: '550.1' })]));
  assert.match((await read(key.nodeId)).reason!, /driver of .*\(GPU-2\) was 535.54.03 and is 550.1/);
  assert.equal((await act(key.nodeId, 'approve', why)).body.state, 'online');
  const { deeds } = await read(key.nodeId);
  assert.deepEqual(deeds.map(({ deed, actor }) => `${actor} ${deed}`).slice(0, 4), [
    'ada nodes.approve',
    'farm nodes.drain',
    'ada nodes.resume',
    'farm nodes.drain',
  ]);
});

test('lies of a node are refused and change nothing', async () => {
  const key = await server.enrol('liar');
  await tell(key, selfOf([deviceOf(0)]));
  const before = await read(key.nodeId);
  const vitals = selfOf().vitals;
  const lies: [string, object][] = [
    ['negative memory of a device', selfOf([deviceOf(0, { memoryBytes: -1 })])],
    ['negative main memory', selfOf([], { memoryBytes: -1 })],
    ['an absurd size', selfOf([], { memoryBytes: 2 ** 61 })],
    ['no core', selfOf([], { cores: 0 })],
    ['half a core', selfOf([], { cores: 1.5 })],
    ['another architecture', selfOf([deviceOf(0, { architecture: '../sm80' })])],
    ['257 devices', selfOf(Array.from({ length: 257 }, (_, i) => deviceOf(i)))],
    ['negative free disk', selfOf([], { vitals: { ...vitals, diskFreeBytes: -5 } })],
    [
      'pressure over the whole',
      selfOf([], { vitals: { ...vitals, pressure: { cpu: 101, memory: 0, io: 0 } } }),
    ],
    ['a load that is no number', selfOf([], { vitals: { ...vitals, load: Number.NaN } })],
    ['a digest that is none', selfOf([], { vitals: { ...vitals, datasetDigests: ['../../etc/passwd'] } })],
    [
      'a thousand digests',
      selfOf([], { vitals: { ...vitals, datasetDigests: Array(1_000).fill('d'.repeat(64)) } }),
    ],
    ['a tag with a tag', selfOf([], { tags: ['<script>'] })],
    ['65 tags', selfOf([], { tags: Array.from({ length: 65 }, (_, i) => `t${i}`) })],
    ['a date of another day', selfOf([], { vitals: { ...vitals, at: '2026-01-01T00:00:00.000Z' } })],
    ['a body of a megabyte', { ...selfOf(), padding: 'x'.repeat(2 ** 20) }],
    ['nothing', {}],
  ];
  for (const [what, lie] of lies) {
    await assert.rejects(
      tell(key, lie as NodeReport),
      (error: { code: string }) => ['invalid-request', 'too-large'].includes(error.code),
      what,
    );
  }
  assert.deepEqual(await read(key.nodeId), before);
});

/** A signed report with other claims than ours. */
async function tellWith(key: NodeKey, claims: object) {
  const body = JSON.stringify(selfOf());
  const now = Math.floor(Date.now() / 1_000);
  const token = await new SignJWT({
    nodeId: key.nodeId,
    method: 'POST',
    path: '/api/v1/nodes/self',
    bodySha256: createHash('sha256').update(body).digest('hex'),
    nonce: `${Math.random().toString(36).slice(2)}0000000000000000`.slice(0, 20),
    iat: now,
    exp: now + 60,
    ...claims,
  })
    .setProtectedHeader({ alg: 'EdDSA' })
    .sign(key.privateKey);
  const headers = { authorization: `Node ${token}` };
  return server.ask<{ detail: string }>('POST', '/api/v1/nodes/self', { json: JSON.parse(body), headers });
}

test('a clock two days off: the node is told how far, the farm shows it, a right clock clears it', async () => {
  const key = await server.enrol('late');
  await tell(key);
  const now = Math.floor(Date.now() / 1_000);
  for (const off of [-172_800, 172_800]) {
    const told = await tellWith(key, { protocol, iat: now + off, exp: now + off + 60 });
    assert.equal(told.status, 401);
    assert.match(
      told.body.detail,
      off < 0 ? /17\d{4} s behind the farm's clock/ : /17\d{4} s ahead of the farm's clock/,
    );
  }
  const node = await read(key.nodeId);
  assert.ok(node.clockRefusedAt !== null);
  assert.ok(Math.abs(node.clockOffsetSeconds! + 172_800) < 60, 'noted once a minute, the first');
  await tell(key);
  const mended = await read(key.nodeId);
  assert.equal(mended.clockRefusedAt, null);
  assert.ok(Math.abs(mended.clockOffsetSeconds!) < 10);
});

test('a node of another protocol gets no runs, and is told why, as are its page and explain', async () => {
  const key = await server.enrol('old');
  await tell(key);
  for (const [claims, cure] of [
    [{ program: 'retraind-worker 0.0.9' }, /0\.0\.9\) speaks protocol 0.*upgrade the node/],
    [{ protocol: protocol + 1, program: 'retraind-worker 9' }, /upgrade the farm first/],
  ] as const) {
    const told = await tellWith(key, claims);
    assert.equal(told.status, 409);
    assert.match(told.body.detail, cure);
    const node = await read(key.nodeId);
    assert.equal(node.state, 'incompatible');
    assert.match(node.reason!, cure);
    const { nodes } = await world.read(server.db, null);
    assert.match(nodes.find(({ nodeId }) => nodeId === key.nodeId)?.drainReason ?? '', cure);
  }
  await tell(key);
  assert.equal((await read(key.nodeId)).state, 'online');
});

test('a machine asks to serve, has no effect until approved, and asks again in vain once it was retired', async () => {
  const key = loadNodeKey(join(server.folder, 'asker.pem'));
  const asked = await askToServe({ api, key }, enrolmentOf(key));
  assert.deepEqual([asked.state, asked.tags[0]?.provenance, asked.accelerators], ['pending', 'claimed', []]);
  assert.equal((await askToServe({ api, key }, enrolmentOf(key, { name: 'renamed' }))).name, 'renamed');
  await assert.rejects(tell(key), { code: 'forbidden', detail: /waits to be approved/ });
  assert.equal((await read(key.nodeId)).seenAt, null);
  await assert.rejects(server.lease(key), /no slot is free/);

  const approved = await act(key.nodeId, 'approve', {
    ...why,
    tags: [{ tag: 'scarce', mandatory: true }],
    slots: 4,
  });
  assert.deepEqual([approved.body.slots, approved.body.accelerators.length], [4, 1]);
  await tell(key, selfOf([deviceOf(0)]));
  assert.equal(
    (await askToServe({ api, key }, enrolmentOf(key, { name: 'takeover', slots: 200 }))).name,
    'renamed',
  );
  const lease = await server.lease(key);

  const retired = await act(key.nodeId, 'retire', { reason: 'sold' });
  assert.equal(retired.body.state, 'retired');
  const run = await server.ask<{ state: string; leases: { outcome: string }[] }>(
    'GET',
    `/api/v1/runs/${lease.runId}`,
  );
  assert.deepEqual([run.body.state, run.body.leases[0]!.outcome], ['waiting', 'given-back']);
  const revoked = { code: 'forbidden', detail: /was retired \(sold\): its key is revoked for good/ };
  await assert.rejects(tell(key), revoked);
  await assert.rejects(server.client(key, lease).heartbeat({ step: 'train', progress: null }), revoked);
  await assert.rejects(server.client(key, lease).takeAssignment(), revoked);
  await assert.rejects(askToServe({ api, key }, enrolmentOf(key)), { code: 'forbidden' });
  for (const deed of ['approve', 'resume', 'drain', 'retire']) {
    assert.equal((await act(key.nodeId, deed, why)).status, 409, deed);
  }
  const again = { publicKey: key.publicKeyPem, name: 'x', class: 'amd64', slots: 1 };
  assert.equal((await server.ask('POST', '/api/v1/nodes', { token: adminToken, json: again })).status, 409);
});

test('an enrolment proves that it holds its key, and strangers cannot fill the farm', async () => {
  const [mine, other] = ['mine', 'other'].map((name) => loadNodeKey(join(server.folder, `${name}.pem`))) as [
    NodeKey,
    NodeKey,
  ];
  await assert.rejects(askToServe({ api, key: mine }, enrolmentOf(other)), { code: 'unauthorized' });
  await assert.rejects(askToServe({ api, key: mine }, enrolmentOf(mine, { memoryBytes: -1 })), {
    code: 'invalid-request',
  });
  const forged = { ...mine, privateKey: other.privateKey };
  await assert.rejects(askToServe({ api, key: forged }, enrolmentOf(mine)), {
    code: 'unauthorized',
    detail: /not signed/,
  });
  assert.equal((await server.ask('GET', `/api/v1/nodes/${mine.nodeId}`)).status, 404);
  const asks = Array.from({ length: 40 }, () =>
    askToServe({ api, key: mine, patienceSeconds: 0.01 }, enrolmentOf(mine)).then(
      () => 'taken',
      ({ code }: { code: string }) => code,
    ),
  );
  const answers = await Promise.all(asks);
  assert.ok(answers.includes('busy'), answers.join(' '));
  const { body } = await server.ask<{ items: Node[] }>('GET', '/api/v1/nodes');
  assert.equal(body.items.filter(({ nodeId }) => nodeId === mine.nodeId).length, 1);
});

test('an admin’s tags keep their author and may be taken back; a claim cannot be', async () => {
  const key = await server.enrol('tagged');
  await tell(key, selfOf([], { tags: ['scratch'] }));
  const set = await act(key.nodeId, 'tags', {
    ...why,
    add: [{ tag: 'scarce', mandatory: true }],
    remove: [],
  });
  assert.deepEqual(
    set.body.tags.map(({ tag, provenance, by, mandatory }) => [tag, provenance, by, mandatory]),
    [
      ['scarce', 'set', 'ada', true],
      ['scratch', 'claimed', key.nodeId, false],
    ],
  );
  const { nodes } = await world.read(server.db, null);
  assert.deepEqual(nodes.find(({ nodeId }) => nodeId === key.nodeId)?.tags, [
    { tag: 'scarce', mandatory: true },
  ]);
  assert.equal((await act(key.nodeId, 'tags', { ...why, add: [], remove: ['scratch'] })).status, 404);
  assert.equal((await act(key.nodeId, 'tags', { ...why, add: [], remove: ['scarce'] })).body.tags.length, 1);
});
