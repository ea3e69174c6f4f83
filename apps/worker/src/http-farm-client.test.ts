// Against a small server that fails in ways a network fails; the same client against the real API is tests/api/nodes.test.ts.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { emptySha256 } from '@retraind/shared/attest/node-token';
import { decodeJwt } from 'jose';
import { farmConnection } from './farm-connection.ts';
import { httpFarmClient } from './http-farm-client.ts';
import { loadNodeKey } from './node-key.ts';

interface Seen {
  method: string;
  path: string;
  body: Buffer;
  claims: Record<string, unknown>;
}
type Answer = { status: number; body?: unknown } | 'hang up';

const refusal = (code: string, status: number) => ({
  status,
  body: { type: `/problems/${code}`, title: '', status, detail: code },
});

/** A server that answers by script, in order; what it saw, and a lease's client for it. */
async function scripted(context: TestContext, answers: Answer[]) {
  const folder = mkdtempSync(join(tmpdir(), 'farm-client-'));
  const seen: Seen[] = [];
  const server = createServer(async (request: IncomingMessage, reply) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const token = request.headers.authorization!.replace(/^Node /, '');
    seen.push({
      method: request.method!,
      path: request.url!,
      body: Buffer.concat(parts),
      claims: decodeJwt(token),
    });
    const answer = answers.shift() ?? { status: 204 };
    if (answer === 'hang up') return request.socket.destroy();
    reply.writeHead(answer.status, { 'content-type': 'application/json' });
    reply.end(answer.body instanceof Buffer ? answer.body : answer.body && JSON.stringify(answer.body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  });
  const api = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const key = loadNodeKey(join(folder, 'key.pem'));
  const client = httpFarmClient({ api, key, runId: 'r1', leaseEpoch: 3, patienceSeconds: 20 });
  return { api, key, seen, client, folder };
}

test('a heartbeat is asked again when the line breaks or the farm is starting, with a new nonce each time', async (context) => {
  const { client, seen } = await scripted(context, [
    'hang up',
    { status: 503, body: { type: '/problems/database-unavailable', detail: 'starting' } },
    { status: 200, body: { cancel: true } },
  ]);
  assert.deepEqual(await client.heartbeat({ step: 'train', progress: 0.5 }), { cancel: true });
  assert.equal(seen.length, 3);
  assert.equal(new Set(seen.map(({ claims }) => claims.nonce)).size, 3);
  for (const { body, claims, path } of seen) {
    assert.deepEqual(JSON.parse(body.toString()), { leaseEpoch: 3, step: 'train', progress: 0.5 });
    assert.equal(path, '/api/v1/runs/r1/heartbeat');
    assert.equal(claims.path, path);
    assert.equal(claims.method, 'POST');
    assert.equal(claims.bodySha256, createHash('sha256').update(body).digest('hex'));
    assert.ok(Number(claims.exp) - Number(claims.iat) <= 60);
  }
});

test('a lost lease and a foreign run are Problems at once', async (context) => {
  const { client, seen } = await scripted(context, [
    refusal('lease-lost', 409),
    refusal('not-your-run', 403),
  ]);
  await assert.rejects(client.takeAssignment(), { name: 'Problem', code: 'lease-lost' });
  await assert.rejects(client.heartbeat({ step: 'fetch', progress: null }), { code: 'not-your-run' });
  assert.equal(seen.length, 2);
  assert.equal(seen[0]!.path, '/api/v1/runs/r1/assignment?leaseEpoch=3');
  assert.equal(seen[0]!.claims.bodySha256, emptySha256);
});

test('log chunks go in order with byte offsets and never split a character', async (context) => {
  const { client, seen } = await scripted(context, []);
  const long = `${'é'.repeat(131_071)}😀end`;
  await Promise.all([client.appendLog('größe\n'), client.appendLog(long), client.appendLog('last')]);
  const chunks = seen.map(({ body }) => JSON.parse(body.toString()) as { offset: number; text: string });
  assert.equal(chunks.map(({ text }) => text).join(''), `größe\n${long}last`);
  let offset = 0;
  for (const chunk of chunks) {
    assert.equal(chunk.offset, offset);
    assert.ok(chunk.text.length <= 131_072);
    assert.equal(Buffer.from(chunk.text).toString(), chunk.text, 'well-formed');
    offset += Buffer.byteLength(chunk.text);
  }
});

test('a report whose answer was lost is not told twice as an error', async (context) => {
  const broken = {
    kind: 'broken',
    blame: 'recipe',
    step: 'train',
    code: 'recipe-failed',
    detail: 'exit 2',
    hint: null,
  } as const;
  const { client, key, seen } = await scripted(context, ['hang up', refusal('lease-lost', 409)]);
  // Filled in after the key is known: what the farm says of the run then.
  const leases = [{ leaseEpoch: 3, nodeId: key.nodeId, outcome: 'broken' }];
  const told = scripted(context, ['hang up', refusal('lease-lost', 409), { status: 200, body: { leases } }]);
  await assert.rejects(client.report(broken), 'the run cannot be read: the refusal stands');
  assert.equal(seen.length, 3);
  const other = await told;
  const mine = httpFarmClient({ ...other, key, runId: 'r1', leaseEpoch: 3, patienceSeconds: 20 });
  await mine.report(broken);
  assert.equal(other.seen.length, 3);
});

test('an artifact is sent once, streamed, and comes back only with its digest', async (context) => {
  const bytes = Buffer.alloc(300_000, 'weights');
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const { client, seen, folder } = await scripted(context, [
    { status: 404 },
    { status: 201 },
    { status: 200 },
    { status: 200, body: bytes },
    { status: 200, body: Buffer.from('other bytes') },
  ]);
  const path = join(folder, 'model.onnx');
  writeFileSync(path, bytes);
  assert.deepEqual(await client.putArtifact(path), { sha256, bytes: bytes.length });
  assert.deepEqual(
    seen.map(({ method }) => method),
    ['HEAD', 'PUT'],
  );
  assert.equal(seen[1]!.path, `/api/v1/artifacts/${sha256}?runId=r1&leaseEpoch=3`);
  assert.equal(seen[1]!.claims.bodySha256, sha256);
  assert.deepEqual(seen[1]!.body, bytes);
  await client.putArtifact(path);
  assert.equal(seen.length, 3, 'the farm has it: nothing is sent');
  await client.getArtifact(sha256, join(folder, 'copy'));
  await assert.rejects(client.getArtifact(sha256, join(folder, 'bad')), { code: 'digest-mismatch' });
  assert.deepEqual(readdirSync(folder).sort(), ['copy', 'key.pem', 'model.onnx'], 'no half file is left');
});

test('a farm that never answers is told with its address', async (context) => {
  const { key } = await scripted(context, []);
  const ask = farmConnection({ api: 'http://127.0.0.1:9', key, patienceSeconds: 0 });
  await assert.rejects(ask({ method: 'GET', path: '/healthz' }), {
    code: 'farm-unreachable',
    detail: /127\.0\.0\.1:9/,
  });
});
