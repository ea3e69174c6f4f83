// The evidence bundle of a job, and its pictures: shown only where a verdict names them and the bytes are a PNG.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as lists from '@retraind/prisma/store/lists';
import * as runs from '@retraind/prisma/store/runs';
import * as verdicts from '@retraind/prisma/store/verdicts';
import type { EvidenceBundle, Job } from '@retraind/shared/wire/resources';
import { different } from '../pages/canned.ts';
import { makeJob, resultOf, sha256Of } from '../support/scenario.ts';
import { startFarm } from './farm-server.ts';

const server = await startFarm();
const pixel = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==',
  'base64',
);

/** A job whose verdict shows these artifacts as pictures of classes 0, 1 …; its one run made `weights`. */
async function jobWith(pictures: string[], weights: string) {
  const lease = await server.lease(await server.enrol(`evidence-${pictures.length}-${weights}`));
  const result = resultOf(weights);
  const search = {
    ran: true as const,
    classes: pictures.map((pictureSha256, label) => ({
      class: label,
      maskL1: 4,
      reached: 0.9,
      pictureSha256,
    })),
  };
  result.references[0]!.evidence.triggers = search;
  const test = { sha256: sha256Of('predictions'), rows: 10, columns: 5 };
  result.outputs[0]!.evidence.sets = { test };
  await runs.report(server.db, {
    ...lease,
    nodeId: (await runs.byId(server.db, lease.runId))!.nodeId!,
    outcome: result,
  });
  const triggers = { ...search, classes: search.classes.map((each) => ({ ...each, retrains: [40, 41] })) };
  await verdicts.put(server.db, lease.jobId, [{ ...different, model: 'tiny', triggers, alarms: [] }]);
  const { body: job } = await server.ask<Job>('GET', `/api/v1/jobs/${lease.jobId}`);
  return job;
}

test('the bundle lists every file by digest, with its address and its run', async () => {
  const { sha256 } = await server.farm.artifacts.putText(pixel);
  const job = await jobWith([sha256], 'weights A');
  const { status, body } = await server.ask<EvidenceBundle>('GET', job.evidenceHref);
  assert.equal(status, 200);
  const [model] = body.models;
  assert.equal(model!.model, 'tiny');
  assert.equal(model!.rung, 'different');
  const told = model!.files.map(({ role, what, sha256: digest, seed }) => [role, what, digest, seed]);
  assert.deepEqual(told, [
    ['shipped', 'model file', sha256Of('shipped'), null],
    ['shipped', 'picture of the trigger into class 0', sha256, null],
    ['retrain', 'model file', sha256Of('weights A'), 42],
    ['retrain', 'predictions on test data', sha256Of('predictions'), 42],
  ]);
  for (const { href, sha256: digest } of model!.files) assert.equal(href, `/api/v1/artifacts/${digest}`);
  assert.equal((await server.ask('GET', model!.files[0]!.runHref)).status, 200);
  assert.equal((await server.ask('GET', '/api/v1/jobs/nosuchjob/evidence')).status, 404);
});

test('a picture that a verdict names is shown as PNG, inert, for ever', async () => {
  const { sha256 } = await server.farm.artifacts.putText(pixel);
  const job = await jobWith([sha256], 'weights B');
  const path = `${job.href}/pictures/${sha256}`;
  const response = await fetch(server.address + path);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'image/png');
  assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
  assert.match(response.headers.get('content-security-policy')!, /default-src 'none'.*sandbox/);
  assert.match(response.headers.get('content-disposition')!, /^inline; filename="[0-9a-f]{64}\.png"$/);
  assert.deepEqual(Buffer.from(await response.arrayBuffer()), pixel);
  const again = await fetch(server.address + path, { headers: { 'if-none-match': `"${sha256}"` } });
  assert.equal(again.status, 304);
  const page = await server.ask<string>('GET', job.pageHref);
  assert.ok(page.body.includes(`src="${path}"`));
});

test('no other artifact is shown: not one that no verdict of the job names, nor one that is no PNG', async () => {
  const { artifacts } = server.farm;
  const [{ sha256: picture }, { sha256: html }] = [
    await artifacts.putText(pixel),
    await artifacts.putText('<!doctype html><script>alert(1)</script>'),
  ];
  const large = await artifacts.putText(Buffer.concat([pixel, Buffer.alloc(8 * 1024 * 1024)]));
  const missing = sha256Of('never sent');
  const job = await jobWith([html, large.sha256, missing], 'weights C');
  for (const digest of [picture, html, large.sha256, missing]) {
    const { status, headers } = await server.ask('GET', `${job.href}/pictures/${digest}`);
    assert.equal(status, 404, digest);
    assert.match(headers.get('content-type')!, /^application\/problem\+json/);
  }
  const saved = await fetch(`${server.address}/api/v1/artifacts/${html}`);
  assert.equal(saved.headers.get('content-type'), 'application/octet-stream');
  assert.match(saved.headers.get('content-disposition')!, /^attachment/);
  assert.equal((await server.ask('GET', `${job.href}/pictures/..%2f..%2fetc`)).status, 400);
});

test('the farm counts the models that statistics have judged, newest final verdicts only', async () => {
  const before = await lists.statisticallyJudged(server.db);
  const put = async (changes: Partial<typeof different>[]): Promise<void> => {
    const { jobId } = await makeJob(server.db);
    for (const change of changes) await verdicts.put(server.db, jobId, [{ ...different, ...change }]);
  };
  await put([{ moreRuns: 2, rung: 'inconclusive' }, { rung: 'statistically-equivalent' }]);
  await put([{}]);
  await put([{ familyP: null, rung: 'bit-identical' }]);
  await put([{ moreRuns: 2, rung: 'inconclusive' }]);
  const after = await lists.statisticallyJudged(server.db);
  assert.deepEqual([after.judged - before.judged, after.different - before.different], [2, 1]);
  const { body } = await server.ask<string>('GET', '/');
  assert.match(
    body,
    /models judged by statistics \w+ (is|are) called different; were all honest, up to \w+ would/,
  );
});
