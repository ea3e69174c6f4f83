// A leased run over HTTP, by the worker's own client: assignment, heartbeat, recipe, log, metrics, artifacts, report.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import * as jobs from '@retraind/prisma/store/jobs';
import * as runs from '@retraind/prisma/store/runs';
import { jobSeedOf, seedAt } from '@retraind/shared/job/seed';
import { parseRecipe } from '@retraind/shared/recipe/control';
import type { Explanation, Job, ModelKnown, Run } from '@retraind/shared/wire/resources';
import { resultOf, sha256Of } from '../support/scenario.ts';
import { startFarm } from './farm-server.ts';

const server = await startFarm();
const control = readFileSync(new URL('../../examples/tiny/debian/retrain/control', import.meta.url), 'utf8');

const recipe = parseRecipe(control).recipe!;

/** Tells the recipe as a worker does, and answers the seed that the run must use. */
async function tellRecipe(lease: { jobId: string }, client: ReturnType<typeof server.client>) {
  const asked = await server.ask<Job>('GET', `/api/v1/jobs/${lease.jobId}`);
  const { source, version } = asked.body;
  const jobSeed = jobSeedOf(recipe, { source, version, beacon: '', override: null });
  await client.tellRecipe({ control, jobSeed });
  const { body } = await server.ask<Job>('GET', `/api/v1/jobs/${lease.jobId}`);
  assert.equal(body.jobSeed, jobSeed);
  return seedAt(jobSeed, 1);
}

/** Keeps the files that `resultOf` names, as a worker does before it reports. */
async function putFiles(client: ReturnType<typeof server.client>, weights: string): Promise<void> {
  for (const text of [weights, 'retraininfo', 'provenance']) {
    const path = join(server.folder, `upload-${sha256Of(text)}`);
    writeFileSync(path, text);
    assert.deepEqual(await client.putArtifact(path), { sha256: sha256Of(text), bytes: text.length });
  }
}

test('a run goes from lease to report, and everything that it told can be read', async () => {
  const key = await server.enrol('whole');
  const lease = await server.lease(key);
  const client = server.client(key, lease);

  const assignment = await client.takeAssignment();
  assert.equal(assignment.jobId, lease.jobId);
  assert.equal(assignment.seedIndex, 1);
  assert.equal(assignment.heartbeatSeconds, 5);
  assert.match(assignment.suite.sources, /^Types: deb/);

  assert.deepEqual(await client.heartbeat({ step: 'train', progress: 0.25 }), { cancel: false });
  await assert.rejects(client.takeAssignment(), { code: 'conflict', detail: /begun already/ });
  await client.appendLog('unpacking\n');
  await client.appendLog('größe 😀\n');
  await client.appendMetrics('{"step":1,"loss":0.5}\n');

  const running = await server.ask<Run>('GET', `/api/v1/runs/${lease.runId}`);
  assert.equal(running.body.step, 'train');
  assert.equal(running.body.progress, 0.25);
  assert.equal(running.body.nodeId, key.nodeId);
  assert.equal((await server.ask<string>('GET', running.body.logHref)).body, 'unpacking\ngröße 😀\n');

  const seed = await tellRecipe(lease, client);
  await putFiles(client, 'weights');
  await assert.rejects(client.report({ ...resultOf('weights'), seed: seed + 1 }), {
    code: 'conflict',
    detail: /was to use the seed/,
  });
  await client.report({ ...resultOf('weights'), seed });

  const { body: run } = await server.ask<Run>('GET', `/api/v1/runs/${lease.runId}`);
  assert.equal(run.state, 'reported');
  assert.equal(run.seed, seed);
  assert.equal(run.nodeId, key.nodeId, 'where it was');
  assert.deepEqual([running.body.leases[0]!.class, run.leases[0]!.class], [null, 'amd64']);
  assert.deepEqual(run.taints, ['unsandboxed']);
  assert.equal(run.outputs[0]!.sha256, sha256Of('weights'));
  assert.equal(run.references[0]!.sha256, sha256Of('shipped'));
  assert.deepEqual(run.provenance, {
    sha256: sha256Of('provenance'),
    href: `/api/v1/artifacts/${sha256Of('provenance')}`,
    signed: false,
  });
  assert.equal((await server.ask<string>('GET', run.outputs[0]!.weightsHref)).body, 'weights');
  const log = await server.ask<string>('GET', run.logHref);
  assert.equal(log.body, 'unpacking\ngröße 😀\n', 'the sealed log');
  assert.equal(log.headers.get('etag'), `"${sha256Of('unpacking\ngröße 😀\n')}"`);
  assert.equal((await server.ask<string>('GET', run.metricsHref)).body, '{"step":1,"loss":0.5}\n');

  const { body: model } = await server.ask<ModelKnown>('GET', `/api/v1/models/sha256/${sha256Of('weights')}`);
  assert.ok(model.kept);
  assert.deepEqual(
    model.seenAs.map(({ role, runId, seed }) => ({ role, runId, seed })),
    [{ role: 'retrained', runId: lease.runId, seed }],
  );
  const { body: job } = await server.ask<Job>('GET', `/api/v1/jobs/${lease.jobId}`);
  assert.equal(job.runsReported, 1);
  assert.equal(job.progress, 1);

  await assert.rejects(client.report(resultOf('weights')), { code: 'lease-lost' }, 'told once');
});

test('a report counts only when the farm has every file that it names', async () => {
  const key = await server.enrol('forgetful');
  const lease = await server.lease(key);
  const client = server.client(key, lease);
  await assert.rejects(client.report(resultOf('never sent')), { code: 'conflict', detail: /before it told/ });
  const seed = await tellRecipe(lease, client);
  await assert.rejects(client.report({ ...resultOf('never sent'), seed }), {
    code: 'not-found',
    detail: new RegExp(`model tiny \\(${sha256Of('never sent')}\\)`),
  });
  const { body: run } = await server.ask<Run>('GET', `/api/v1/runs/${lease.runId}`);
  assert.equal(run.state, 'leased');
});

test('an old epoch is told lease-lost, another node not-your-run, whatever it sends', async () => {
  const key = await server.enrol('late');
  const thief = await server.enrol('thief');
  const lease = await server.lease(key);
  const path = join(server.folder, 'stray');
  writeFileSync(path, 'stray bytes');
  const deeds = (client: ReturnType<typeof server.client>) => [
    () => client.takeAssignment(),
    () => client.heartbeat({ step: 'train', progress: null }),
    () => client.appendLog('x'),
    () => client.appendMetrics('x'),
    () => client.putArtifact(path),
    () => client.report(resultOf('weights')),
  ];
  for (const deed of deeds(server.client(thief, lease))) {
    await assert.rejects(deed, { name: 'Problem', code: 'not-your-run' });
  }
  await runs.giveBack(server.db, {
    ...lease,
    outcome: 'lost',
    blame: 'node',
    detail: 'nothing was heard in time',
  });
  // A client of its own for each deed: one whose chunk failed sends nothing after it.
  for (const index of deeds(server.client(key, lease)).keys()) {
    await assert.rejects(deeds(server.client(key, lease))[index]!, { name: 'Problem', code: 'lease-lost' });
  }
  assert.equal(await server.farm.artifacts.has(sha256Of('stray bytes')), false);
  const { body: run } = await server.ask<Run>('GET', `/api/v1/runs/${lease.runId}`);
  assert.equal(run.state, 'waiting');
  assert.equal(run.leases[0]!.outcome, 'lost');
});

test('a cancelled job is told at the next heartbeat', async () => {
  const key = await server.enrol('stopped');
  const lease = await server.lease(key);
  const client = server.client(key, lease);
  await jobs.cancel(server.db, lease.jobId, 'no longer wanted', 'ada');
  assert.deepEqual(await client.heartbeat({ step: 'fetch', progress: null }), { cancel: true });
});

test('log chunks: a repeat counts once, a gap is refused, the limit is told', async () => {
  const key = await server.enrol('writer');
  const lease = await server.lease(key);
  const { live } = server.farm;
  await live.append(lease, 'log', 0, 'abc');
  await live.append(lease, 'log', 0, 'abc');
  await live.append(lease, 'log', 1, 'bcdef');
  await assert.rejects(live.append(lease, 'log', 7, 'x'), { code: 'conflict', detail: /gap/ });
  await assert.rejects(live.append(lease, 'log', 6, 'x'.repeat(64 * 2 ** 20)), { code: 'too-large' });
  const { body } = await server.ask<string>('GET', `/api/v1/runs/${lease.runId}/log`);
  assert.equal(body, 'abcdef');
});

test('a recipe with faults is refused with all of them, and a good one is registered', async () => {
  const key = await server.enrol('reader');
  const lease = await server.lease(key);
  const client = server.client(key, lease);
  const faulty = control.replace(/^Retrain-Format: .*$/m, 'Retrain-Format: 9').replace(/^Output:/m, 'Ouput:');
  await assert.rejects(client.tellRecipe({ control: faulty, jobSeed: 'x' }), {
    code: 'invalid-recipe',
    detail: /Retrain-Format[\s\S]*Ouput/,
  });
  await assert.rejects(client.tellRecipe({ control, jobSeed: 'picked' }), {
    code: 'conflict',
    detail: /not picked/,
  });
  await tellRecipe(lease, client);
  const { body: job } = await server.ask<Job>('GET', `/api/v1/jobs/${lease.jobId}`);
  assert.deepEqual(
    job.models.map(({ name, metric, margin }) => ({ name, metric, margin })),
    [{ name: 'tiny', metric: 'accuracy', margin: 0.025 }],
  );
  const { body: explanation } = await server.ask<Explanation>('GET', job.explainHref);
  assert.match(explanation.sentence, /1 of its runs is running/);
  assert.equal(explanation.licence, 'licence: not evaluated');
  await assert.rejects(client.tellRecipe({ control: `${control}\n`, jobSeed: job.jobSeed! }), {
    code: 'conflict',
    detail: /another recipe/,
  });
});
