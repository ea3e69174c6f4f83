// The node's token over the wire: what is bound to it, and what is refused.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import { protocol } from '@retraind/shared/node/protocol';
import type { NodeKey } from '@retraind/worker/node-key';
import { loadNodeKey } from '@retraind/worker/node-key';
import { SignJWT } from 'jose';
import { startFarm } from './farm-server.ts';
import { selfOf } from './node-self.ts';

const server = await startFarm();
const path = '/api/v1/nodes/self';
const inventory = JSON.stringify(selfOf());
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

interface Forgery {
  claims?: Record<string, unknown>;
  signer?: NodeKey;
  algorithm?: string;
}

let count = 0;
const tokenOf = (key: NodeKey, { claims = {}, signer = key, algorithm = 'EdDSA' }: Forgery = {}) => {
  const now = Math.floor(Date.now() / 1_000);
  return new SignJWT({
    nodeId: key.nodeId,
    method: 'POST',
    path,
    bodySha256: sha256(inventory),
    nonce: `nonce-number-${String(count++).padStart(6, '0')}`,
    iat: now,
    exp: now + 60,
    protocol,
    ...claims,
  })
    .setProtectedHeader({ alg: algorithm })
    .sign(signer.privateKey);
};

const send = (token: string, body = inventory) =>
  server.ask<{ detail: string; hint?: string }>('POST', path, {
    json: JSON.parse(body),
    headers: { authorization: `Node ${token}` },
  });

test('a right token is taken once', async () => {
  const key = await server.enrol('once');
  const token = await tokenOf(key);
  assert.equal((await send(token)).status, 204);
  const replayed = await send(token);
  assert.equal(replayed.status, 401);
  assert.match(replayed.body.detail, /used before/);
});

test('a token for another path, method, body or time is refused, with what is wrong', async () => {
  const key = await server.enrol('strict');
  const now = Math.floor(Date.now() / 1_000);
  const cases: [Record<string, unknown>, RegExp][] = [
    [{ path: '/api/v1/nodes' }, /is for \/api\/v1\/nodes/],
    [{ path: `${path}?x=1` }, /\?x=1/],
    [{ method: 'PUT' }, /is for PUT/],
    [{ bodySha256: sha256('other') }, /body/],
    [{ iat: now, exp: now + 600 }, /wants to live 600 s/],
    [{ iat: now - 4_000, exp: now - 3_940 }, /40\d\d s behind the farm's clock/],
    [{ iat: now + 500, exp: now + 560 }, /ahead of the farm's clock/],
    [{ nonce: 'short' }, /has not the claims/],
    [{ nodeId: 'x' }, /has not the claims/],
  ];
  for (const [claims, told] of cases) {
    const { status, body } = await send(await tokenOf(key, { claims }));
    assert.equal(status, 401, JSON.stringify(claims));
    assert.match(body.detail, told);
  }
});

test('a token of a stranger, or signed by another key, is refused', async () => {
  const key = await server.enrol('owner');
  const stranger = loadNodeKey(join(server.folder, 'stranger.pem'));
  const unknown = await send(await tokenOf(stranger));
  assert.equal(unknown.status, 401);
  assert.match(unknown.body.detail, new RegExp(`Node ${stranger.nodeId} is not enrolled`));
  const forged = await send(await tokenOf(key, { signer: stranger }));
  assert.equal(forged.status, 401);
  assert.match(forged.body.detail, /not signed by the key/);
});

test('no token, a bearer token, and one without a signature are refused', async () => {
  const key = await server.enrol('unsigned');
  const [head, claims] = (await tokenOf(key)).split('.');
  const none = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url');
  for (const authorization of [
    '',
    'Bearer token-of-the-admin',
    'Node x',
    `Node ${head}.${claims}.`,
    `Node ${none}.${claims}.`,
  ]) {
    const { status } = await server.ask('POST', path, {
      json: JSON.parse(inventory),
      headers: { authorization },
    });
    assert.equal(status, 401, authorization);
  }
});
