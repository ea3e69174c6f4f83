// What everyone may read: packages, versions, runs, models, suites, and the pages over the same rows.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as runs from '@retraind/prisma/store/runs';
import * as suites from '@retraind/prisma/store/suites';
import * as verdicts from '@retraind/prisma/store/verdicts';
import { retrainPlaces } from '@retraind/shared/job/run-place';
import type { Page } from '@retraind/shared/wire/page';
import type {
  Job,
  ModelKnown,
  Package,
  Run,
  RunSummary,
  Suite,
  Version,
} from '@retraind/shared/wire/resources';
import { verdict } from '../pages/canned.ts';
import { breakageOf, findVersion, makeJob, resultOf, sha256Of } from '../support/scenario.ts';
import { adminToken, porterToken, startFarm } from './farm-server.ts';

const server = await startFarm();

/** A judged job of a package of its own: one run that reported, one that broke. */
async function judgedJob() {
  const key = await server.enrol(`judge-${Math.random().toString(36).slice(2)}`);
  const lease = await server.lease(key);
  const shipped = sha256Of(`shipped of ${lease.jobId}`);
  const result = resultOf(`weights of ${lease.jobId}`);
  result.references[0]!.evidence.file.sha256 = shipped;
  await runs.report(server.db, { ...lease, nodeId: key.nodeId, outcome: result });
  await verdicts.put(server.db, lease.jobId, [
    { ...verdict, model: 'tiny', shipped: { sha256: shipped, tensorSha256: null } },
  ]);
  const { body: job } = await server.ask<Job>('GET', `/api/v1/jobs/${lease.jobId}`);
  return { ...lease, job, shipped };
}

test('a package shows its versions with jobs and verdicts', async () => {
  const { job } = await judgedJob();
  const { body } = await server.ask<Package>('GET', `/api/v1/packages/${job.source}`);
  assert.equal(body.versions.length, 1);
  assert.equal(body.versions[0]!.jobs[0]!.verdicts[0]!.rung, 'statistically-equivalent');
  assert.equal(body.versions[0]!.jobs[0]!.verdicts[0]!.final, true);
  const { body: version } = await server.ask<Version>('GET', body.versions[0]!.href);
  assert.deepEqual(version, body.versions[0]);
  assert.equal(version.target, 'bootstrap');
  assert.equal(job.verdicts[0]!.churnRatio, verdict.churnRatio);
});

test('versions with epoch, tilde and plus have addresses', async () => {
  const name = await findVersion(server.db, { source: 'lib++odd.name', version: '1:2.0~rc1+dfsg-3' });
  const { status, body } = await server.ask<Package>('GET', '/api/v1/packages/lib%2B%2Bodd.name');
  assert.equal(status, 200);
  const version = await server.ask<Version>('GET', body.versions[0]!.href);
  assert.equal(version.body.version, name.version);
  assert.equal((await server.ask('GET', body.versions[0]!.pageHref)).status, 200);
});

test('a superseded version stays, with when it was', async () => {
  const { source } = await findVersion(server.db, { source: 'grows', version: '1.0-1' });
  await findVersion(server.db, { source: 'grows', version: '1.0-2' });
  const { body } = await server.ask<Package>('GET', `/api/v1/packages/${source}`);
  assert.deepEqual(
    body.versions.map(({ version, supersededAt }) => [version, supersededAt !== null]),
    [
      ['1.0-2', false],
      ['1.0-1', true],
    ],
  );
  assert.equal(body.versions[1]!.jobs[0]!.state, 'superseded');
});

test('runs are found by package and version, all attempts, by pages', async () => {
  const { jobId } = await makeJob(server.db);
  await runs.add(server.db, jobId, retrainPlaces(5));
  const { body: job } = await server.ask<Job>('GET', `/api/v1/jobs/${jobId}`);
  const path = `/api/v1/runs?package=${job.source}&version=${job.version}&limit=3`;
  const first = await server.ask<Page<RunSummary>>('GET', path);
  assert.equal(first.body.items.length, 3);
  const link = first.headers.get('link')!.match(/^<([^>]+)>; rel="next"$/)![1]!;
  const second = await server.ask<Page<RunSummary>>('GET', link);
  assert.equal(second.body.items.length, 2);
  assert.equal(second.body.next, null);
  const all = [...first.body.items, ...second.body.items];
  assert.equal(new Set(all.map(({ runId }) => runId)).size, 5);
  assert.ok(all.every((run) => run.jobId === jobId && run.state === 'waiting'));
  const none = await server.ask<Page<RunSummary>>('GET', `/api/v1/runs?package=${job.source}&version=9`);
  assert.deepEqual(none.body.items, []);
});

test('a broken run says whose fault it is, where, and the cure', async () => {
  const key = await server.enrol('breaker');
  const lease = await server.lease(key);
  await server.client(key, lease).report({ ...breakageOf('recipe'), hint: 'read the log' });
  const { body: run } = await server.ask<Run>('GET', `/api/v1/runs/${lease.runId}`);
  assert.equal(run.state, 'broken');
  assert.deepEqual(run.breakage, {
    blame: 'recipe',
    step: run.breakage!.step,
    code: 'recipe-failed',
    detail: 'make: *** [bootstrap] Error 1',
    hint: 'read the log',
  });
  assert.equal(run.leases[0]!.outcome, 'broken');
  const { body: job } = await server.ask<Job>('GET', run.jobHref);
  assert.equal(job.state, 'attempted');
});

test('a shipped file is known with what is claimed of it; other digests are not', async () => {
  const { shipped, jobId } = await judgedJob();
  const { body } = await server.ask<ModelKnown>('GET', `/api/v1/models/sha256/${shipped}`);
  assert.equal(body.kept, false);
  assert.equal(body.weightsHref, null);
  assert.deepEqual(
    body.seenAs.map(({ role, rung, jobId: of }) => ({ role, rung, of })),
    [{ role: 'shipped', rung: 'statistically-equivalent', of: jobId }],
  );
  assert.equal((await server.ask('GET', `/api/v1/models/sha256/${'0'.repeat(64)}`)).status, 404);
  assert.equal((await server.ask('GET', '/api/v1/models/sha256/abc')).status, 400);
});

test('suites are added by an admin, and say when and how their index was read', async () => {
  const json = { name: 'lab', sources: 'Types: deb-src\nURIs: file:/srv/lab\n', intakeSeconds: 5 };
  assert.equal((await server.ask('POST', '/api/v1/suites', { json })).status, 401);
  assert.equal((await server.ask('POST', '/api/v1/suites', { json, token: porterToken })).status, 403);
  const made = await server.ask<Suite>('POST', '/api/v1/suites', { json, token: adminToken });
  assert.equal(made.status, 201);
  assert.deepEqual(made.body, { ...json, indexedAt: null, indexProblem: null });
  await suites.noteIndex(server.db, 'lab', { problem: 'the signature is wrong' });
  assert.equal(
    (await server.ask('POST', '/api/v1/suites', { json, token: adminToken })).status,
    200,
    'known now',
  );
  const { body } = await server.ask<{ items: Suite[] }>('GET', '/api/v1/suites');
  const lab = body.items.find(({ name }) => name === 'lab')!;
  assert.equal(lab.indexProblem, 'the signature is wrong');
  assert.ok(lab.indexedAt);
});

test('every page is there, over real rows', async () => {
  const { job, runId, shipped } = await judgedJob();
  const pages: [string, RegExp][] = [
    ['/', new RegExp(job.source)],
    ['/jobs', new RegExp(job.jobId)],
    [`/jobs/${job.jobId}`, /behaves like a retrain/],
    [`/packages/${job.source}`, /behaves like a retrain/],
    [`/packages/${job.source}/${job.version}`, /behaves like a retrain/],
    [`/runs/${runId}`, /unsigned/],
    ['/nodes', /judge-/],
    [`/models/sha256/${shipped}`, new RegExp(shipped)],
    ['/problems', /lease-lost/],
    ['/problems/lease-lost', /409/],
  ];
  for (const [path, shown] of pages) {
    const { status, headers, body } = await server.ask<string>('GET', path);
    assert.equal(status, 200, path);
    assert.match(body, shown, path);
    assert.equal(headers.get('content-type'), 'text/html; charset=utf-8');
    assert.match(
      headers.get('content-security-policy')!,
      /default-src 'none'; style-src 'self'; script-src 'self'/,
    );
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    for (const [, address] of body.matchAll(/(?:href|src)="(\/public\/[^"]+)"/g)) {
      assert.equal((await server.ask('GET', address!)).status, 200, String(address));
    }
  }
});

test('what is not there is a problem for programs and a page for browsers', async () => {
  const browser = { headers: { accept: 'text/html,*/*' } };
  for (const path of ['/runs/nosuchrun', '/packages/nothing', '/nowhere', '/problems/odd', '/public/x']) {
    const program = await server.ask('GET', path);
    assert.equal(program.status, 404, path);
    assert.match(program.headers.get('content-type')!, /^application\/problem\+json/);
    assert.equal(program.body.requestId, program.headers.get('x-request-id'));
    const page = await server.ask<string>('GET', path, browser);
    assert.equal(page.status, 404);
    assert.match(page.body, /^<!doctype html>.*There is no such thing/);
  }
  const api = await server.ask('GET', '/api/v1/nowhere', browser);
  assert.match(String(api.body.detail), /GET \/api\/v1\/nowhere/);
});
