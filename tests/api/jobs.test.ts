// Jobs over HTTP: wishes, reads, pages, and the deeds of people.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import * as jobs from '@retraind/prisma/store/jobs';
import * as runs from '@retraind/prisma/store/runs';
import type { Page } from '@retraind/shared/wire/page';
import type { Job, JobSummary, Run } from '@retraind/shared/wire/resources';
import { findVersion, makeJob, sha256Of } from '../support/scenario.ts';
import { adminToken, porterToken, startFarm, type Told } from './farm-server.ts';

const server = await startFarm();
const onDemand = { policy: 'on-demand' as const, job: null };

test('a wish makes a job; the same open wish is the same job', async () => {
  const { source } = await findVersion(server.db, onDemand);
  const json = { source, seed: '0011', reason: 'before the freeze' };
  const made = await server.ask<Job>('POST', '/api/v1/jobs', { token: porterToken, json });
  assert.equal(made.status, 201);
  assert.equal(made.headers.get('location'), made.body.href);
  assert.equal(made.body.state, 'needs-retrain');
  assert.equal(made.body.seedOverride, '11', 'a number in its one form');
  assert.equal(made.body.reason, 'before the freeze');
  const again = await server.ask<Job>('POST', '/api/v1/jobs', { token: adminToken, json });
  assert.equal(again.status, 200);
  assert.equal(again.body.jobId, made.body.jobId);
});

test('an Idempotency-Key answers with the job of the first time, and is refused for another wish', async () => {
  const { source } = await findVersion(server.db, onDemand);
  const post = (json: object) =>
    server.ask<Job & { detail: string }>('POST', '/api/v1/jobs', {
      token: porterToken,
      json,
      headers: { 'idempotency-key': 'press-once' },
    });
  const first = await post({ source });
  await jobs.cancel(server.db, first.body.jobId, 'not now', 'ada');
  const second = await post({ source });
  assert.equal(second.body.jobId, first.body.jobId, 'though the job is no longer open');
  const other = await post({ source, seed: '1' });
  assert.equal(other.status, 409);
  assert.match(other.body.detail, /Idempotency-Key/);
});

test('who changes something must be somebody', async () => {
  const { jobId } = await makeJob(server.db);
  for (const path of ['/api/v1/jobs', `/api/v1/jobs/${jobId}/cancel`, `/api/v1/jobs/${jobId}/give-back`]) {
    const refused = await server.ask('POST', path, { json: { source: 'x', reason: 'x' } });
    assert.ok([400, 401].includes(refused.status));
    const well = path.endsWith('jobs') ? { source: 'x' } : { reason: 'x' };
    assert.equal((await server.ask('POST', path, { json: well })).status, 401);
    assert.equal((await server.ask('POST', path, { json: well, token: 'guess' })).status, 401);
  }
  assert.equal((await jobs.byId(server.db, jobId))!.state, 'needs-retrain');
});

test('a wish for nothing known, for an ambiguous suite, or of a wrong form says what to do', async () => {
  const post = (json: object) =>
    server.ask<{ detail: string; hint: string; faults: { field: string }[] }>('POST', '/api/v1/jobs', {
      token: porterToken,
      json,
    });
  const unknown = await post({ source: 'nothing-here' });
  assert.equal(unknown.status, 404);
  assert.match(unknown.body.hint, /XS-Retrain/);

  const { source } = await findVersion(server.db, onDemand);
  await findVersion(server.db, { ...onDemand, source, suite: 'forky' });
  const ambiguous = await post({ source });
  assert.equal(ambiguous.status, 400);
  assert.match(ambiguous.body.detail, /body\.suite.*(sid, forky|forky, sid)/);
  assert.equal((await post({ source, suite: 'forky' })).status, 201);

  const wrong = await post({ source: 'Not A Name', sead: '1', seed: 'x' });
  assert.equal(wrong.status, 400);
  assert.deepEqual(wrong.body.faults.map(({ field }) => field).sort(), [
    'body.sead',
    'body.seed',
    'body.source',
  ]);
  assert.match(wrong.body.detail, /`body.sead` is not known here/);
  assert.equal((await post({})).body.faults[0]!.field, 'body.source');
});

test('a body that is no JSON, of another kind, or too large is told as a problem', async () => {
  const headers = { authorization: `Bearer ${porterToken}`, 'content-type': 'application/json' };
  const post = async (body: string, more: Record<string, string> = {}) => {
    const response = await fetch(`${server.address}/api/v1/jobs`, {
      method: 'POST',
      headers: { ...headers, ...more },
      body,
    });
    assert.match(response.headers.get('content-type')!, /^application\/problem\+json/);
    return { status: response.status, ...((await response.json()) as { type: string; requestId: string }) };
  };
  assert.equal((await post('{"source":')).type, '/problems/invalid-request');
  assert.equal((await post('')).type, '/problems/invalid-request');
  assert.equal((await post('a=b', { 'content-type': 'text/csv' })).type, '/problems/invalid-request');
  const large = await post(JSON.stringify({ source: 'x'.repeat(600 * 1024) }));
  assert.equal(large.status, 413);
  assert.match(large.requestId, /^[\w-]{12}$/);
  assert.equal((await post('{"source":"x","__proto__":{"a":1}}')).type, '/problems/invalid-request');
});

test('pages follow each other, filters hold, and a foreign cursor is refused', async () => {
  const { source } = await findVersion(server.db, onDemand);
  for (const seed of ['1', '2', '3', '4', '5']) {
    await server.ask('POST', '/api/v1/jobs', { token: porterToken, json: { source, seed } });
  }
  const seen: string[] = [];
  let path: string | null = `/api/v1/jobs?source=${source}&limit=2`;
  let pages = 0;
  while (path !== null) {
    const told: Told<Page<JobSummary>> = await server.ask('GET', path);
    seen.push(...told.body.items.map(({ jobId }) => jobId));
    pages++;
    const link: string | null = told.headers.get('link')?.match(/^<([^>]+)>; rel="next"$/)?.[1] ?? null;
    assert.equal(link === null, told.body.next === null);
    path = link;
  }
  assert.equal(pages, 3);
  assert.equal(new Set(seen).size, 5);
  const none = await server.ask<Page<JobSummary>>('GET', `/api/v1/jobs?source=${source}&state=judged`);
  assert.deepEqual(none.body, { items: [], next: null });
  for (const query of ['cursor=nonsense', 'limit=0', 'limit=x', 'state=odd', 'sauce=x']) {
    const { status, body } = await server.ask<{ detail: string }>('GET', `/api/v1/jobs?${query}`);
    assert.equal(status, 400, query);
    assert.match(body.detail, new RegExp(query.split('=')[0]!));
  }
});

test('a job can be cancelled once, and given back afterwards', async () => {
  const { jobId } = await makeJob(server.db);
  const deed = (name: string) =>
    server.ask<Job & { detail: string }>('POST', `/api/v1/jobs/${jobId}/${name}`, {
      token: porterToken,
      json: { reason: 'no GPU hours left' },
    });
  const cancelled = await deed('cancel');
  assert.equal(cancelled.body.state, 'cancelled');
  assert.equal(cancelled.body.reason, 'no GPU hours left');
  const again = await deed('cancel');
  assert.equal(again.status, 409);
  assert.match(again.body.detail, /is cancelled/);
  const back = await deed('give-back');
  assert.equal(back.body.state, 'needs-retrain');
  assert.match(back.body.reason!, /given back by pia: no GPU hours left/);
  const noReason = await server.ask('POST', `/api/v1/jobs/${jobId}/cancel`, { token: porterToken, json: {} });
  assert.equal(noReason.status, 400);
});

test('giving back a job that is retraining ends its leases and keeps their seeds', async () => {
  const key = await server.enrol('given');
  const lease = await server.lease(key);
  const { body } = await server.ask<Job>('POST', `/api/v1/jobs/${lease.jobId}/give-back`, {
    token: porterToken,
    json: { reason: 'the node smokes' },
  });
  assert.equal(body.state, 'retraining');
  assert.equal(body.runs[0]!.state, 'waiting');
  assert.equal(body.runs[0]!.seedIndex, 1);
  const client = server.client(key, lease);
  await assert.rejects(client.heartbeat({ step: 'fetch', progress: null }), { code: 'lease-lost' });
});

test('a run that trains is told to leave its slot, keeps its checkpoint, and the job tells of the attempt', async () => {
  const key = await server.enrol('leaving');
  const lease = await server.lease(key);
  const client = server.client(key, lease);
  await client.heartbeat({ step: 'train', progress: 0.5 });
  const give = (path: string) =>
    server.ask<Run & { detail: string }>('POST', path, { token: porterToken, json: { reason: 'it smokes' } });
  const asked = await give(`/api/v1/runs/${lease.runId}/give-back`);
  assert.deepEqual([asked.status, asked.body.state], [200, 'leased']);
  const again = await give(`/api/v1/runs/${lease.runId}/give-back`);
  assert.equal(again.status, 409);
  assert.match(again.body.detail, /leaving already: given back by pia: it smokes/);
  assert.deepEqual(await client.heartbeat({ step: 'train', progress: 0.5 }), {
    cancel: false,
    leave: { code: 'given-back', reason: 'given back by pia: it smokes', graceSeconds: 30 },
  });
  const path = join(server.folder, 'checkpoint');
  await assert.rejects(client.keepCheckpoint(sha256Of('never sent')), { code: 'not-found' });
  const sums: string[] = [];
  for (const text of ['epoch 1', 'epoch 2']) {
    writeFileSync(path, text);
    const { sha256 } = await client.putArtifact(path);
    await client.keepCheckpoint(sha256);
    sums.push(sha256);
  }
  assert.equal(await server.farm.artifacts.has(sums[0]!), false, 'what was replaced is forgotten');
  await client.report({ kind: 'given-back', code: 'given-back', step: 'train', detail: 'it smokes' });
  const leaseEpoch = await runs.lease(server.db, {
    ...{ runId: lease.runId, nodeId: key.nodeId, slot: 3, leaseSeconds: 60 },
  });
  const next = server.client(key, { ...lease, leaseEpoch: leaseEpoch! });
  assert.deepEqual((await next.takeAssignment()).checkpoint, { sha256: sums[1], leaseEpoch: 1 });
  const { body: job } = await server.ask<Job>('GET', `/api/v1/jobs/${lease.jobId}`);
  assert.deepEqual(
    job.attempts.map(({ nodeName, outcome, blame, step, detail }) => [
      nodeName,
      outcome,
      blame,
      step,
      detail,
    ]),
    [['leaving', 'given-back', null, 'train', 'it smokes']],
  );
  const waiting = await server.ask<{ detail: string }>('POST', '/api/v1/runs/nosuchrun/give-back', {
    token: porterToken,
    json: { reason: 'x' },
  });
  assert.equal(waiting.status, 404);
});

test('a job that there is not is not found, and a read that has not changed is 304', async () => {
  const missing = await server.ask('GET', '/api/v1/jobs/nosuchjob');
  assert.equal(missing.status, 404);
  assert.equal(missing.body.type, '/problems/not-found');
  const { jobId } = await makeJob(server.db);
  const first = await server.ask('GET', `/api/v1/jobs/${jobId}`);
  const etag = first.headers.get('etag')!;
  const headers = { 'if-none-match': `"other", ${etag}` };
  const second = await server.ask<string>('GET', `/api/v1/jobs/${jobId}`, { headers });
  assert.equal(second.status, 304);
  assert.equal(second.body, '');
  await jobs.cancel(server.db, jobId, 'changed', 'ada');
  assert.equal((await server.ask('GET', `/api/v1/jobs/${jobId}`, { headers })).status, 200);
});
