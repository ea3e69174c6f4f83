// A node that errs or lies, against the api as a process: each deed is refused with its code and a hint, is logged, and leaves
// the farm as it was. At the end a good node is served as if nothing had been.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Supervisor } from '@retraind/host/supervise';
import * as runs from '@retraind/prisma/store/runs';
import { retrainPlaces } from '@retraind/shared/job/run-place';
import { protocol } from '@retraind/shared/node/protocol';
import { httpFarmClient } from '@retraind/worker/http-farm-client';
import { loadNodeKey, type NodeKey } from '@retraind/worker/node-key';
import { SignJWT } from 'jose';
import { withDatabase } from '../support/database.ts';
import { deviceOf } from '../support/device.ts';
import { makeJob } from '../support/scenario.ts';
import { selfOf } from './node-self.ts';

const { url, db } = await withDatabase();
const folder = mkdtempSync(join(tmpdir(), 'retraind-hostile-'));
const adminToken = randomBytes(24).toString('base64url');
writeFileSync(join(folder, 'token'), adminToken, { mode: 0o600 });

interface Refused {
  msg: string;
  code: string;
  detail: string;
}
const refusals: Refused[] = [];
let address = '';
let listening = () => {};
const supervisor = new Supervisor({
  line: (_, line) => {
    if (line.includes('"msg":"refused"')) refusals.push(JSON.parse(line));
    if (line.includes('"msg":"listening"')) listening();
  },
  died: () => undefined,
});
const spec = {
  name: 'api',
  argv: [process.execPath, '--import', 'tsx', 'apps/api/src/main.ts'] as [string, ...string[]],
  cwd: fileURLToPath(new URL('../..', import.meta.url)),
  env: {
    PATH: process.env.PATH ?? '',
    HOME: process.env.HOME ?? '/',
    DATABASE_URL: url,
    RETRAIND_ARTIFACTS: join(folder, 'artifacts'),
    RETRAIND_LISTEN: '127.0.0.1:0',
    RETRAIND_ADMIN_TOKEN_FILE: join(folder, 'token'),
  },
  readyWhen: (line: string) => {
    address = line.match(/"address":"(http:[^"]+)"/)?.[1] ?? '';
    return address !== '';
  },
};
after(async () => {
  await supervisor.stop();
  rmSync(folder, { recursive: true });
});
await supervisor.start(spec);
spec.env.RETRAIND_LISTEN = new URL(address).host;

async function enrol(name: string): Promise<NodeKey> {
  const key = loadNodeKey(join(folder, `${name}.pem`));
  const response = await fetch(`${address}/api/v1/nodes`, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      publicKey: key.publicKeyPem,
      name,
      class: 'amd64',
      slots: 4,
    }),
  });
  assert.equal(response.status, 201, await response.text());
  return key;
}

const leaseTo = async ({ nodeId }: NodeKey, slot: number): Promise<{ runId: string; leaseEpoch: number }> => {
  const { jobId } = await makeJob(db);
  const [runId] = await runs.add(db, jobId, retrainPlaces(1));
  const leaseEpoch = await runs.lease(db, { runId: runId!, nodeId, slot, leaseSeconds: 600 });
  return { runId: runId!, leaseEpoch: leaseEpoch! };
};

interface Signed {
  path: string;
  body: string;
  authorization: string;
}

async function sign(key: NodeKey, path: string, json: unknown, clockOffsetSeconds = 0): Promise<Signed> {
  const body = JSON.stringify(json);
  const iat = Math.floor(Date.now() / 1_000) + clockOffsetSeconds;
  const token = await new SignJWT({
    nodeId: key.nodeId,
    method: 'POST',
    path,
    bodySha256: createHash('sha256').update(body).digest('hex'),
    nonce: randomBytes(16).toString('base64url'),
    iat,
    exp: iat + 60,
    protocol,
  })
    .setProtectedHeader({ alg: 'EdDSA' })
    .sign(key.privateKey);
  return { path, body, authorization: `Node ${token}` };
}

async function post({ path, body, authorization }: Signed) {
  const response = await fetch(address + path, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body,
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? null : JSON.parse(text) };
}

/** Sends it, and holds the answer and the log line against what they should be. */
async function refused(signed: Signed, status: number, code: string, told: RegExp): Promise<void> {
  const before = refusals.length;
  const answer = await post(signed);
  assert.equal(answer.status, status, JSON.stringify(answer.body));
  assert.equal(answer.body.type, `/problems/${code}`);
  assert.match(`${answer.body.detail} ${answer.body.hint}`, told);
  assert.ok(answer.body.hint, 'has a hint');
  while (refusals.length === before) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(refusals[before]!.code, code);
  assert.equal(refusals[before]!.detail, answer.body.detail);
}

const beat = { step: 'train', progress: null };
const broken = {
  kind: 'broken',
  blame: 'recipe',
  step: 'train',
  code: 'recipe-failed',
  detail: 'no',
  hint: null,
};

/** Everything that a lease may write; no two alike in what they touch. */
const writes = (leaseEpoch: number): [string, object][] => [
  ['heartbeat', { leaseEpoch, ...beat }],
  ['log', { leaseEpoch, offset: 0, text: 'x' }],
  ['metrics', { leaseEpoch, offset: 0, text: '{}\n' }],
  ['recipe', { leaseEpoch, control: 'Retrain-Format: 1.0\n', jobSeed: '1' }],
  ['report', { leaseEpoch, outcome: broken }],
];

test('a run of another node is not written to', async () => {
  const [owner, thief] = [await enrol('owner'), await enrol('thief')];
  const { runId, leaseEpoch } = await leaseTo(owner, 0);
  for (const [deed, body] of writes(leaseEpoch)) {
    await refused(
      await sign(thief, `/api/v1/runs/${runId}/${deed}`, body),
      403,
      'not-your-run',
      /another node.* lease that it was given/,
    );
  }
  const run = await runs.byId(db, runId);
  assert.deepEqual([run?.state, run?.step, run?.nodeId], ['leased', null, owner.nodeId]);
});

test('an old epoch writes nothing, though its node has the run again', async () => {
  const key = await enrol('waker');
  const { runId, leaseEpoch } = await leaseTo(key, 0);
  await runs.giveBack(db, { runId, leaseEpoch, outcome: 'lost', blame: 'farm', detail: 'asleep' });
  await db.$executeRaw`UPDATE run SET not_before = NULL WHERE run_id = ${runId}`;
  const next = await runs.lease(db, { runId, nodeId: key.nodeId, slot: 0, leaseSeconds: 600 });
  assert.equal(next, leaseEpoch + 1);
  for (const [deed, body] of writes(leaseEpoch)) {
    await refused(
      await sign(key, `/api/v1/runs/${runId}/${deed}`, body),
      409,
      'lease-lost',
      /has ended.*stop the run/,
    );
  }
  const run = await runs.byId(db, runId);
  assert.deepEqual([run?.state, run?.leaseEpoch, run?.step], ['leased', next, null]);
});

test('a token opens one request, also after the api was killed and came back', async () => {
  const key = await enrol('parrot');
  const signed = await sign(key, '/api/v1/nodes/self', selfOf());
  assert.equal((await post(signed)).status, 204);
  await refused(signed, 401, 'unauthorized', /used before.*new nonce/);
  const back = new Promise<void>((resolve) => {
    listening = resolve;
  });
  process.kill(supervisor.pidOf('api')!, 'SIGKILL');
  await back;
  await refused(signed, 401, 'unauthorized', /used before/);
});

test('a clock two days off, either way, is told so', async () => {
  const key = await enrol('dreamer');
  const days = 2 * 86_400;
  for (const [offset, told] of [
    [days, /17\d{4} s ahead of .*clock right/],
    [-days, /17\d{4} s behind .*clock right/],
  ] as const) {
    await refused(await sign(key, '/api/v1/nodes/self', selfOf(), offset), 401, 'unauthorized', told);
  }
  assert.equal((await db.node.findUnique({ where: { nodeId: key.nodeId } }))?.seenAt, null);
});

test('an inventory with negative memory is refused whole', async () => {
  const key = await enrol('liar');
  await refused(
    await sign(key, '/api/v1/nodes/self', selfOf([deviceOf(0, { memoryBytes: -1 })])),
    400,
    'invalid-request',
    /memoryBytes.*openapi/,
  );
  const node = await db.node.findUnique({ where: { nodeId: key.nodeId } });
  assert.deepEqual([node?.accelerators, node?.seenAt], [[], null]);
});

test('a key that nobody knows, one that waits for approval, and one of a retired node say nothing', async () => {
  const stranger = loadNodeKey(join(folder, 'stranger.pem'));
  await refused(await sign(stranger, '/api/v1/nodes/self', selfOf()), 401, 'unauthorized', /not enrolled/);
  const key = await enrol('candidate');
  const become = (state: string) =>
    db.$executeRaw`UPDATE node SET state = ${state}, state_reason = 'a test' WHERE node_id = ${key.nodeId}`;
  await become('pending');
  const signed = () => sign(key, '/api/v1/nodes/self', selfOf());
  await refused(await signed(), 403, 'forbidden', /waits to be approved.*retrain node approve/);
  await become('retired');
  await refused(await signed(), 403, 'forbidden', /retired.*new key/);
});

const residentBytes = (pid: number): number =>
  Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(/^VmRSS:\s+(\d+) kB/m)![1]) * 1_024;
const gigabyte = 2 ** 30;
/** What the api may grow by while it is told a gigabyte: far less than that, and more than a garbage collector's moods. */
const mostGrowthBytes = 200 * 2 ** 20;

test('a gigabyte of log lines ends at the limit, and the api does not grow by it', async (t) => {
  const key = await enrol('chatterbox');
  const { runId, leaseEpoch } = await leaseTo(key, 0);
  const pid = supervisor.pidOf('api')!;
  const before = residentBytes(pid);
  let most = before;
  const lines = 'nothing new '.repeat(21);
  const text = `${lines}\n`.repeat(1_024);
  let [kept, refusedBytes] = [0, 0];
  const send = async () => {
    const { status, body } = await post(
      await sign(key, `/api/v1/runs/${runId}/log`, { leaseEpoch, offset: kept, text }),
    );
    if (status === 204) return true;
    assert.equal(status, 413, JSON.stringify(body));
    assert.equal(body.type, '/problems/too-large');
    refusedBytes += text.length;
    most = Math.max(most, residentBytes(pid));
    return false;
  };
  while (await send()) kept += text.length;
  // It does not take the answer, and sends the rest by several ways at once.
  const go = async () => {
    while (kept + refusedBytes < gigabyte) await send();
  };
  await Promise.all(Array.from({ length: 8 }, go));
  t.diagnostic(`kept ${kept} bytes, refused ${refusedBytes}, grew by ${most - before}`);
  assert.ok(kept >= 2 ** 20 && kept <= 64 * 2 ** 20, `${kept} bytes were kept`);
  assert.ok(most - before < mostGrowthBytes, `the api grew by ${most - before} bytes`);
});

test('a gigabyte in one request is cut off early', async () => {
  const key = await enrol('firehose');
  const { runId } = await leaseTo(key, 0);
  const path = `/api/v1/runs/${runId}/log`;
  const { authorization } = await sign(key, path, {});
  const pid = supervisor.pidOf('api')!;
  const before = residentBytes(pid);
  const line = Buffer.alloc(2 ** 18, 'x');
  let sent = 0;
  const status = await new Promise<number | string>((resolve) => {
    const request = httpRequest(address + path, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json', 'transfer-encoding': 'chunked' },
    });
    request.on('response', (response) => resolve(response.statusCode ?? 0));
    request.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    const more = () => {
      while (sent < gigabyte && !request.destroyed) {
        sent += line.length;
        if (!request.write(line)) return void request.once('drain', more);
      }
      request.end();
    };
    more();
  });
  assert.ok(status === 413 || status === 'EPIPE' || status === 'ECONNRESET', String(status));
  assert.ok(sent < gigabyte / 8, `${sent} bytes were taken`);
  assert.ok(residentBytes(pid) - before < mostGrowthBytes);
});

test('and a good node is served', async () => {
  const key = await enrol('good');
  const lease = await leaseTo(key, 0);
  const client = httpFarmClient({ api: address, key, ...lease, patienceSeconds: 5 });
  assert.equal((await client.takeAssignment()).runId, lease.runId);
  assert.deepEqual(await client.heartbeat({ step: 'train', progress: 0.5 }), { cancel: false });
  await client.appendLog('all is well\n');
  await client.report({ ...broken, kind: 'broken', blame: 'recipe', step: 'train', code: 'recipe-failed' });
  const run = await runs.byId(db, lease.runId);
  assert.deepEqual([run?.state, run?.blame], ['broken', 'recipe']);
  assert.equal(await (await fetch(`${address}/api/v1/runs/${lease.runId}/log`)).text(), 'all is well\n');
});
