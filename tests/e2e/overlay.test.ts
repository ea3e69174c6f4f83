// A changed overlay, as it is really done: a person asks over HTTP, a node reports that the recipe broke, an admin mends
// recipes/, intake reads the suite again. The package is one without a recipe; the overlay is a real one.
import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openArchive } from '@retraind/host/archive';
import { buildSource } from '@retraind/host/archive/sample-package';
import * as runs from '@retraind/prisma/store/runs';
import * as suites from '@retraind/prisma/store/suites';
import { openIntake } from '@retraind/scheduler/intake/intake';
import { retrainPlaces } from '@retraind/shared/job/run-place';
import type { Explanation, Job } from '@retraind/shared/wire/resources';
import { adminToken, porterToken, startFarm } from '../api/farm-server.ts';
import { breakageOf } from '../support/scenario.ts';

const server = await startFarm();
const { db, farm } = server;
const work = await mkdtemp(join(tmpdir(), 'retraind-overlay-'));
after(() => rm(work, { recursive: true, force: true }));

const recipes = join(work, 'recipes');
await cp(fileURLToPath(new URL('../../recipes/anthy', import.meta.url)), join(recipes, 'anthy'), {
  recursive: true,
});
const rules = join(recipes, 'anthy/debian/retrain/rules');
const archive = await openArchive({ folder: join(work, 'archive') });
await archive.addSource(await buildSource(join(work, 'anthy'), 'anthy', '1:0.4-2', {}));
await archive.publish();
await suites.add(db, { name: 'sid', sources: archive.sources(), intakeSeconds: 5 }, 'ada');
const messages: string[] = [];
const intake = openIntake({
  db,
  artifacts: farm.artifacts,
  stateFolder: join(work, 'state'),
  overlaysFolder: recipes,
  seed: null,
  signal: new AbortController().signal,
  log: (_level, message) => messages.push(message),
});
let seconds = 0;
const readAgain = async (): Promise<void> => {
  await intake.readDue(seconds * 1_000);
  seconds += 10;
};

const key = await server.enrol();
/** Leases the job's next run, as the scheduler does, and takes it, as a worker does. */
const take = async (jobId: string) => {
  await runs.add(db, jobId, retrainPlaces(1));
  const runId = (await runs.ofJob(db, jobId)).find(({ state }) => state === 'waiting')!.runId;
  const leaseEpoch = await runs.lease(db, { runId, nodeId: key.nodeId, slot: 0, leaseSeconds: 60 });
  const client = server.client(key, { runId, leaseEpoch: leaseEpoch! });
  const assignment = await client.takeAssignment();
  await client.heartbeat({ step: 'train', progress: null });
  return { client, assignment };
};
const job = async (jobId: string): Promise<Job> =>
  (await server.ask<Job>('GET', `/api/v1/jobs/${jobId}`)).body;
const jobsOf = async (source: string): Promise<string[]> =>
  (await server.ask<{ items: Job[] }>('GET', `/api/v1/jobs?source=${source}`)).body.items.map(
    ({ jobId }) => jobId,
  );

test('a broken job of an overlay is asked again when the overlay is mended, and only then', async () => {
  await readAgain();
  const asked = await server.ask<Job>('POST', '/api/v1/jobs', {
    token: porterToken,
    json: { source: 'anthy', suite: 'sid', reason: 'for the freeze' },
  });
  assert.equal(asked.status, 201);
  const { jobId, overlaySha256 } = asked.body;
  const { client, assignment } = await take(jobId);
  assert.equal(assignment.overlaySha256, overlaySha256);
  await client.report(breakageOf('recipe'));
  assert.equal((await job(jobId)).state, 'attempted');
  await readAgain();
  assert.deepEqual(await jobsOf('anthy'), [jobId], 'nothing has changed');

  await writeFile(rules, `${await readFile(rules, 'utf8')}# mended\n`);
  await readAgain();
  const [newJobId, ...older] = await jobsOf('anthy');
  assert.deepEqual(older, [jobId]);
  const next = await job(newJobId!);
  assert.equal(next.state, 'needs-retrain');
  assert.notEqual(next.overlaySha256, overlaySha256);
  const why = `the overlay changed: job ${jobId} is attempted`;
  assert.ok(next.reason!.startsWith(why), next.reason!);
  assert.ok(messages.includes('a changed overlay is tried'));
  const explained = await server.ask<Explanation>('GET', `/api/v1/jobs/${newJobId}/explain`);
  assert.ok(explained.body.sentence.includes(why), explained.body.sentence);
  const before = await job(jobId);
  assert.deepEqual([before.state, before.overlaySha256], ['superseded', overlaySha256]);
  assert.ok(before.reason!.includes(newJobId!), before.reason!);

  // What its node is given is the mended one, kept by the farm.
  const again = await take(newJobId!);
  assert.equal(again.assignment.overlaySha256, next.overlaySha256);
  const file = join(work, 'overlay.tar');
  await again.client.getArtifact(next.overlaySha256!, file);
  assert.ok((await readFile(file, 'latin1')).includes('# mended'));
  await again.client.report(breakageOf('recipe'));
  await readAgain();
  await readAgain();
  assert.equal((await jobsOf('anthy')).length, 2, 'one overlay is tried once');
});

test('a person’s give-back after a change is answered with the job that takes the place; a cancelled one stays so', async () => {
  const [jobId] = await jobsOf('anthy');
  const deed = async (name: string) =>
    (
      await server.ask<Job>('POST', `/api/v1/jobs/${jobId}/${name}`, {
        token: adminToken,
        json: { reason: name },
      })
    ).body;
  await deed('cancel');
  await writeFile(rules, `${await readFile(rules, 'utf8')}# mended again\n`);
  await readAgain();
  assert.equal((await jobsOf('anthy')).length, 2, 'the farm asks for nothing that a person cancelled');
  const given = await deed('give-back');
  assert.notEqual(given.jobId, jobId);
  assert.equal(given.state, 'needs-retrain');
  assert.notEqual(given.overlaySha256, (await job(jobId!)).overlaySha256);
  assert.equal((await job(jobId!)).state, 'cancelled');
});
