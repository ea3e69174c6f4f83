// Nodes: enrolment by people, and what a node says of itself.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { nodeIdOf } from '@retraind/shared/attest/node-token';
import type { Device } from '@retraind/shared/gpu/device';
import type { Node } from '@retraind/shared/wire/resources';
import { tellInventory } from '@retraind/worker/http-farm-client';
import { adminToken, porterToken, startFarm } from './farm-server.ts';

const server = await startFarm();

const wish = () => {
  const { publicKey } = generateKeyPairSync('ed25519');
  return {
    nodeId: nodeIdOf(publicKey),
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    name: 'new',
    class: 'amd64+sm90',
    slots: 2,
    accelerators: [{ kind: 'cuda', capability: 90, name: 'H100', memoryBytes: 80e9 }],
  };
};

test('an admin enrols a node; again, it is described anew', async () => {
  const json = wish();
  const made = await server.ask<Node>('POST', '/api/v1/nodes', { token: adminToken, json });
  assert.equal(made.status, 201);
  assert.equal(made.headers.get('location'), `/api/v1/nodes/${json.nodeId}`);
  assert.equal(made.body.state, 'offline');
  assert.deepEqual(made.body.accelerators, json.accelerators);
  const again = await server.ask<Node>('POST', '/api/v1/nodes', {
    token: adminToken,
    json: { ...json, name: 'renamed' },
  });
  assert.equal(again.status, 200);
  assert.equal(again.body.name, 'renamed');
});

test('enrolment is refused without a token, with an unknown one, and to a porter', async () => {
  const json = wish();
  const stranger = await server.ask('POST', '/api/v1/nodes', { json });
  assert.equal(stranger.status, 401);
  assert.match(stranger.headers.get('www-authenticate')!, /^Bearer/);
  assert.match(String(stranger.body.hint), /Authorization: Bearer/);
  assert.equal((await server.ask('POST', '/api/v1/nodes', { token: 'guess', json })).status, 401);
  const porter = await server.ask('POST', '/api/v1/nodes', { token: porterToken, json });
  assert.equal(porter.status, 403);
  assert.match(String(porter.body.detail), /pia is porter/);
  const { body } = await server.ask<{ items: Node[] }>('GET', '/api/v1/nodes');
  assert.ok(!body.items.some(({ nodeId }) => nodeId === json.nodeId));
});

test('a node id that is not the key’s, and a key of another kind, are refused', async () => {
  const json = wish();
  const other = await server.ask('POST', '/api/v1/nodes', {
    token: adminToken,
    json: { ...json, nodeId: '0123456789abcdef' },
  });
  assert.equal(other.status, 400);
  assert.match(String(other.body.detail), new RegExp(json.nodeId));
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

test('what a node says of itself shows, and makes it online', async () => {
  const key = await server.enrol('talker');
  const device: Device = {
    deviceId: 'GPU-513536b6-7d19-9063-b049-1e69664bb298',
    vendor: 'nvidia',
    name: 'NVIDIA A100-SXM4-80GB',
    architecture: 'sm80',
    memoryBytes: 81_920 * 2 ** 20,
    driver: '535.54.03',
    runtime: '12.2',
    sliceOf: null,
    vulkan: false,
    faults: [],
    temperatureCelsius: 27,
    energy: 'sampled',
  };
  const inventory = { devices: [device], replayedFrom: 'a100.xml', program: '0.1.0' };
  await tellInventory({ api: server.address, key }, inventory);
  const { body } = await server.ask<Node>('GET', `/api/v1/nodes/${key.nodeId}`);
  assert.equal(body.state, 'online');
  assert.deepEqual(body.accelerators, [
    {
      kind: 'cuda',
      capability: 80,
      name: device.name,
      memoryBytes: device.memoryBytes,
      device: { deviceId: device.deviceId, ordinal: 0 },
    },
  ]);
  for (const lie of [{ memoryBytes: -1 }, { memoryBytes: 2 ** 60 }, { architecture: '../sm80' }]) {
    await assert.rejects(
      tellInventory({ api: server.address, key }, { ...inventory, devices: [{ ...device, ...lie }] }),
      { code: 'invalid-request' },
    );
  }
  assert.equal((await server.ask('GET', '/api/v1/nodes/0123456789abcdef')).status, 404);
});
