// Releases, budgets, approvals and the ledger over the real API and database.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as budgets from '@retraind/prisma/store/budgets';
import * as runs from '@retraind/prisma/store/runs';
import { read } from '@retraind/prisma/store/world';
import { reservationOf } from '@retraind/shared/cost/reservation';
import { retrainPlaces } from '@retraind/shared/job/run-place';
import type { LedgerEntry, Release, ReleasePlan, ReleaseStarted } from '@retraind/shared/wire/campaigns';
import type { Job } from '@retraind/shared/wire/resources';
import type { Static } from 'typebox';
import { findVersion, makeNode, resultOf } from '../support/scenario.ts';
import { adminToken, porterToken, startFarm } from './farm-server.ts';

const { db, ask } = await startFarm();
const post = <T>(path: string, json: unknown, token = adminToken) => ask<T>('POST', path, { json, token });

const control = (name: string, comparison = 'bitwise'): string => `Retrain-Format: 1.0
Policy: per-release
Accelerator: none
Memory: 1 GiB
Time-Limit: 2 h

Model: ${name}
File: ${name}.bin
Output: ${name}.bin
Comparison: ${comparison}
License: Expat
Task: opaque
`;

const perRelease = (source: string, overlay = true) =>
  findVersion(db, {
    suite: 'forky',
    source,
    policy: 'per-release',
    overlaySha256: overlay ? 'a'.repeat(64) : null,
    control: overlay ? control(source) : null,
    job: null,
  });

test('a dry run lists, sums and refuses, and asks for nothing', async () => {
  await perRelease('alpha');
  await perRelease('beta', false);
  await perRelease('closed');
  await findVersion(db, { suite: 'forky', source: 'manual', policy: 'on-demand', job: null });
  await post('/api/v1/pilots', {
    source: 'alpha',
    version: '1.0-1',
    seconds: [3_000, 3_600, 4_200],
    gpus: 0,
    device: 'a laptop',
    reason: 'tried at home',
  });
  const entered = await post<LedgerEntry>('/api/v1/ledger', {
    source: 'closed',
    reason: 'no-data',
    detail: 'never published',
    evidence: ['https://example.org/why'],
    training: { parameters: 1e9, tokens: 1e10, basis: 'a guess' },
    expiresAt: '2099-01-01T00:00:00Z',
    why: 'asked upstream',
  });
  assert.equal(entered.status, 201);
  assert.ok(Math.abs(entered.body.estimate!.gpuHours - (6 * 1e19) / (989e12 * 0.4) / 3_600) < 1e-9);

  const { body: plan } = await ask<Static<typeof ReleasePlan>>('GET', '/api/v1/suites/forky/release-plan');
  assert.deepEqual(
    plan.items.map(({ source, models, runs: { fewest, expected, most } }) => [
      source,
      models,
      fewest,
      expected,
      most,
    ]),
    [
      ['alpha', ['alpha'], 1, 2, 3],
      ['beta', null, 1, 1, 1],
    ],
  );
  const [alpha, beta] = plan.items;
  assert.equal(alpha!.estimate.basis, 'pilot');
  assert.equal(alpha!.hours!.expected, 2);
  assert.equal(alpha!.hours!.least, 3_000 / 3_600);
  assert.equal(alpha!.hours!.most, (3 * 4_200) / 3_600);
  assert.equal(alpha!.boundHours, 6);
  assert.equal(beta!.hours, null);
  assert.equal(plan.sums.untimed, 1);
  assert.equal(plan.sums.cpuHours.expected, 2);
  assert.deepEqual(
    plan.refusals.map(({ source, code }) => [source, code]),
    [
      ['closed', 'ledger'],
      ['manual', 'policy'],
    ],
  );
  assert.match(plan.refusals[0]!.reason, /never published/);
  assert.equal(await db.job.count({ where: { suite: 'forky' } }), 0);
  assert.equal(await db.release.count(), 0);
  assert.equal((await ask('GET', '/api/v1/suites/nowhere/release-plan')).status, 404);
});

test('started twice, at once too, it asks once; it pauses, goes on and reports', async () => {
  const starts = await Promise.all(
    Array.from({ length: 3 }, () =>
      post<ReleaseStarted>('/api/v1/releases', { suite: 'forky', reason: 'freeze' }, porterToken),
    ),
  );
  assert.deepEqual(starts.map(({ status }) => status).sort(), [200, 200, 201]);
  assert.equal(
    starts.reduce((sum, { body }) => sum + body.jobsMade, 0),
    2,
  );
  const { release } = starts[0]!.body;
  assert.equal(release.jobs.length, 2);
  const jobs = await db.job.findMany({ where: { releaseId: release.releaseId } });
  assert.deepEqual(jobs.map(({ requestedBy, state }) => [requestedBy, state]).sort(), [
    ['pia', 'needs-retrain'],
    ['pia', 'needs-retrain'],
  ]);
  assert.equal(
    (jobs.find(({ source }) => source === 'alpha')!.demand as { estimateSeconds: number }).estimateSeconds,
    3_600,
  );

  // What comes later is taken in by starting again.
  await perRelease('gamma');
  const again = await post<ReleaseStarted>(
    '/api/v1/releases',
    { suite: 'forky', reason: 'late' },
    porterToken,
  );
  assert.equal(again.body.jobsMade, 1);
  assert.deepEqual(again.body.release.plan.items.map(({ source }) => source).sort(), [
    'alpha',
    'beta',
    'gamma',
  ]);

  const { cursor } = await read(db, null);
  const paused = await post<Release>('/api/v1/suites/forky/release/pause', { reason: 'too hot' });
  assert.equal(paused.body.state, 'paused');
  const seen = await read(db, cursor);
  assert.equal(seen.movedJobs.length, 3, 'the scheduler sees each job change');
  for (const job of seen.jobs) assert.match(job.releasePaused!, /paused: too hot/);
  const [job] = jobs;
  const node = await makeNode(db);
  const [runId] = await runs.add(db, job!.jobId, retrainPlaces(1));
  const wish = { runId: runId!, nodeId: node.nodeId, slot: 0, leaseSeconds: 60 };
  assert.equal(await runs.lease(db, wish), null, 'no run of a paused release is leased');
  assert.equal((await post('/api/v1/suites/forky/release/pause', { reason: 'again' })).status, 409);

  await post('/api/v1/suites/forky/release/resume', { reason: 'cool' });
  const leaseEpoch = await runs.lease(db, wish);
  assert.equal(leaseEpoch, 1);
  await db.$executeRaw`UPDATE lease SET started_at = now() - interval '30 minutes' WHERE run_id = ${runId}`;
  await runs.report(db, {
    runId: runId!,
    leaseEpoch: 1,
    nodeId: node.nodeId,
    outcome: { ...resultOf('x'), energyWattHours: { value: 40, source: 'counter' } },
  });
  const { body: report } = await ask<Release>('GET', '/api/v1/releases/forky');
  assert.ok(Math.abs(report.spent.cpuHours - 0.5) < 0.01);
  assert.equal(report.spent.kilowattHours, 0.04);
  assert.equal(report.spent.countedKilowattHours, 0.04);
  assert.equal(report.spent.gramsCo2e, null);
  assert.deepEqual(report.jobCounts, [
    { state: 'needs-retrain', count: 2 },
    { state: 'retraining', count: 1 },
  ]);

  for (const path of ['/releases', '/releases/forky', '/ledger', `/jobs/${job!.jobId}`, `/runs/${runId}`]) {
    const page = await ask<string>('GET', path);
    assert.equal(page.status, 200, path);
    assert.match(String(page.body), /^<!doctype html>/);
  }
  const page = await ask<string>('GET', '/releases/forky');
  assert.match(String(page.body), /never published/);
  assert.match(String(page.body), /0\.5 CPU-hours/);

  const ended = await post<Release>('/api/v1/suites/forky/release/end', { reason: 'released' });
  assert.equal(ended.body.state, 'ended');
  assert.deepEqual(ended.body.jobCounts, [
    { state: 'cancelled', count: 2 },
    { state: 'retraining', count: 1 },
  ]);
});

test('a job over the threshold is held until an admin approves, whatever else a porter does', async () => {
  const { source } = await findVersion(db, {
    suite: 'sid',
    overlaySha256: 'b'.repeat(64),
    control: control('large'),
    job: null,
  });
  const pilot = {
    source,
    version: '1.0-1',
    seconds: [36_000],
    gpus: 2,
    device: 'NVIDIA A100',
    reason: 'timed',
  };
  await post('/api/v1/pilots', pilot);
  await post('/api/v1/budgets', {
    account: 'suite:sid',
    gpuHours: 1_000,
    approvalGpuHours: 30,
    reason: 'autumn',
  });
  const { body: job } = await post<Job>('/api/v1/jobs', { source, suite: 'sid' }, porterToken);
  assert.equal(job.state, 'held');
  assert.match(job.reason!, /about 40 GPU-hours expected, and suite:sid may spend 30/);
  const giveBack = await post(`/api/v1/jobs/${job.jobId}/give-back`, { reason: 'please' }, porterToken);
  assert.equal(giveBack.status, 403);
  assert.equal(
    (await post(`/api/v1/jobs/${job.jobId}/approve`, { reason: 'please' }, porterToken)).status,
    403,
  );
  const approved = await post<Job>(`/api/v1/jobs/${job.jobId}/approve`, { reason: 'worth it' });
  assert.equal(approved.body.state, 'needs-retrain');
  assert.equal((await post(`/api/v1/jobs/${job.jobId}/approve`, { reason: 'twice' })).status, 409);
});

test('what the ledger refuses is auto-not-for-us, until the entry is removed or an admin overrides', async () => {
  const { source } = await findVersion(db, { suite: 'sid', job: null });
  const entry = {
    source,
    reason: 'cost',
    detail: 'too large',
    expiresAt: '2099-01-01T00:00:00Z',
    why: 'why',
  };
  const { body: entered } = await post<LedgerEntry>('/api/v1/ledger', entry);
  const wish = () => post<Job>('/api/v1/jobs', { source, suite: 'sid' }, porterToken);
  const first = await wish();
  assert.equal(first.body.state, 'auto-not-for-us');
  assert.match(first.body.reason!, /too large/);
  const second = await wish();
  assert.equal(second.body.jobId, first.body.jobId);
  assert.equal(second.status, 200);
  const around = await post(`/api/v1/jobs/${first.body.jobId}/give-back`, { reason: 'please' }, porterToken);
  assert.equal(around.status, 403);
  const forced = { source, suite: 'sid', override: true, reason: 'a grant pays' };
  assert.equal((await post('/api/v1/jobs', forced, porterToken)).status, 403);
  const overridden = await post<Job>('/api/v1/jobs', forced);
  assert.equal(overridden.body.state, 'needs-retrain');
  await post(`/api/v1/jobs/${overridden.body.jobId}/cancel`, { reason: 'done' });
  const removed = await post(`/api/v1/ledger/${entered.ledgerId}/remove`, {
    reason: 'the data is public now',
  });
  assert.equal(removed.status, 200);
  const { body: again } = await ask<Job>('GET', `/api/v1/jobs/${first.body.jobId}`);
  assert.equal(again.state, 'needs-retrain');
  assert.match(again.reason!, /ledger entry was removed/);
  const past = await post('/api/v1/ledger', { ...entry, expiresAt: '2001-01-01T00:00:00Z' });
  assert.equal(past.status, 400);
});

test('a budget counts each lease once, whatever becomes of its epochs', async () => {
  const { job } = await findVersion(db, { suite: 'bill' });
  const node = await makeNode(db);
  await post('/api/v1/budgets', { account: 'suite:bill', gpuHours: 100, cpuHours: 5, reason: 'count' });
  const demand = { estimateSeconds: 7_200, timeLimitSeconds: 0 };
  const a100 = { kind: 'cuda' as const, capability: 80, name: 'NVIDIA A100', memoryBytes: 1 };
  const reservation = reservationOf(demand, [a100, a100]);
  const [runId] = await runs.add(db, job!.jobId, retrainPlaces(1));
  const budgetNow = async () => (await budgets.list(db)).find(({ account }) => account === 'suite:bill')!;
  const hold = async (hours: number) => {
    const leaseEpoch = await runs.lease(db, {
      runId: runId!,
      nodeId: node.nodeId,
      slot: 0,
      leaseSeconds: 60,
      reservation,
    });
    await db.$executeRaw`UPDATE lease SET started_at = now() - make_interval(hours => ${hours}::int)
      WHERE run_id = ${runId} AND lease_epoch = ${leaseEpoch}::int`;
    return leaseEpoch!;
  };
  const near = (value: number, expected: number) => assert.ok(Math.abs(value - expected) < 0.01, `${value}`);

  const one = await hold(1);
  near((await budgetNow()).reservedGpuHours, 4);
  await db.$executeRaw`UPDATE run SET step = 'train' WHERE run_id = ${runId}`;
  const end = {
    runId: runId!,
    leaseEpoch: one,
    outcome: 'lost' as const,
    blame: 'farm' as const,
    detail: 'silent',
  };
  const given = await Promise.all([runs.giveBack(db, end), runs.giveBack(db, end)]);
  assert.equal(given.filter((each) => each !== null).length, 1);
  near((await budgetNow()).spentGpuHours, 2);
  near((await budgetNow()).reservedGpuHours, 0);

  // Never begun: nothing was used.
  const two = await hold(0);
  await db.$executeRaw`UPDATE run SET heartbeat_at = (SELECT started_at FROM lease WHERE run_id = ${runId} AND lease_epoch = ${two}::int) WHERE run_id = ${runId}`;
  await runs.giveBack(db, { ...end, leaseEpoch: two });
  near((await budgetNow()).spentGpuHours, 2);
  await db.$executeRaw`UPDATE run SET not_before = NULL WHERE run_id = ${runId}`;
  const three = await hold(3);
  await runs.report(db, { runId: runId!, leaseEpoch: three, nodeId: node.nodeId, outcome: resultOf('x') });
  near((await budgetNow()).spentGpuHours, 8);
  assert.equal((await budgetNow()).spentCpuHours, 0);
  const lease = await db.lease.findFirstOrThrow({ where: { runId: runId!, leaseEpoch: three } });
  near(lease.wattHours! / 1_000, 3 * 0.8);
  assert.equal(lease.energySource, 'estimated');
  await assert.rejects(
    db.$executeRaw`UPDATE lease SET used_hours = 0 WHERE run_id = ${runId} AND lease_epoch = ${three}::int`,
  );
  await post('/api/v1/budgets', { account: 'suite:bill', renew: true, reason: 'new year' });
  assert.equal((await budgetNow()).spentGpuHours, 0);
  assert.equal((await budgetNow()).gpuHours, 100);
  assert.equal(
    (await post('/api/v1/budgets', { account: 'suite:bill', gpuHours: -1, reason: 'x' })).status,
    400,
  );
});
