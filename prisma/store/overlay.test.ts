// What a changed overlay does to the jobs of its package.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { retrainPlaces } from '@retraind/shared/job/run-place';
import type { RetrainPolicy } from '@retraind/shared/recipe/recipe';
import { withDatabase } from '../../tests/support/database.ts';
import { breakageOf, findVersion, makeNode, resultOf, sha256Of } from '../../tests/support/scenario.ts';
import * as audit from './audit.ts';
import * as jobs from './jobs.ts';
import * as overlay from './overlay.ts';
import * as releases from './releases.ts';
import * as runs from './runs.ts';
import type { Found } from './versions.ts';

const { db } = await withDatabase();
const [first, second] = [sha256Of('first'), sha256Of('second')];
const none = { job: null };
const uploaded: Found['job'] = { state: 'needs-retrain', reason: 'uploaded', priority: 3 };

/** The same version again, with that overlay. */
const readAgain = (
  { suite, source }: { suite: string; source: string },
  overlaySha256: string | null,
  policy: RetrainPolicy = 'on-upload',
) => findVersion(db, { suite, source, overlaySha256, policy, job: uploaded });

const holderOf = async (jobId: string): Promise<runs.Holder> => {
  const { nodeId } = await makeNode(db);
  const [runId] = await runs.add(db, jobId, retrainPlaces(1));
  const leaseEpoch = await runs.lease(db, { runId: runId!, nodeId, slot: 0, leaseSeconds: 60 });
  return { runId: runId!, leaseEpoch: leaseEpoch!, nodeId };
};

/** Runs the job until its recipe breaks it. */
const breakJob = async (jobId: string, code?: string): Promise<void> => {
  const blame = code === 'data-wait' ? 'data' : 'recipe';
  await runs.report(db, { ...(await holderOf(jobId)), outcome: breakageOf(blame, code) });
};

const retriedOf = async (source: string) =>
  (await overlay.retryChanged(db)).filter((one) => one.source === source);
const stateOf = async (jobId: string) => (await jobs.byId(db, jobId))?.state;

test('an attempted job is superseded by one with the changed overlay; an unchanged one, and one put back, start nothing', async () => {
  const version = await findVersion(db, { overlaySha256: first, job: uploaded });
  const { jobId } = version.job!;
  await breakJob(jobId);
  assert.equal(await stateOf(jobId), 'attempted');
  await readAgain(version, first);
  assert.deepEqual(await retriedOf(version.source), [], 'unchanged');

  await readAgain(version, second);
  const [made, ...others] = await retriedOf(version.source);
  assert.deepEqual([made?.jobId, others], [jobId, []]);
  const next = (await jobs.byId(db, made!.newJobId))!;
  assert.deepEqual(
    [next.state, next.overlaySha256, next.priority, next.requestedBy, next.control],
    ['needs-retrain', second, 3, 'intake', null],
  );
  for (const word of [`job ${jobId} is attempted`, first.slice(0, 12), second.slice(0, 12)]) {
    assert.ok(next.reason.includes(word), next.reason);
  }
  const before = (await jobs.byId(db, jobId))!;
  assert.deepEqual([before.state, before.overlaySha256], ['superseded', first]);
  assert.ok(before.reason.includes(next.jobId), before.reason);
  const [noted] = await audit.ofSubject(db, `job:${next.jobId}`);
  assert.deepEqual([noted?.actor, noted?.deed], ['farm', 'jobs.replace']);

  await breakJob(next.jobId);
  assert.deepEqual(await retriedOf(version.source), [], 'the same overlay is not tried twice');
  await readAgain(version, first);
  assert.deepEqual(await retriedOf(version.source), [], 'the first one has failed before');
  await readAgain(version, sha256Of('third'));
  assert.equal((await retriedOf(version.source)).length, 1);
});

test('who asked decides whether it is asked again', async () => {
  for (const [asker, policy, isRetried] of [
    ['policy', 'on-upload', true],
    ['policy', 'on-data-change', true],
    ['policy', 'never', false],
    ['policy', 'on-demand', false],
    ['person', 'on-demand', true],
    ['person', 'never', true],
    ['release', 'per-release', true],
    ['release that ended', 'per-release', false],
  ] as const) {
    const suite = `suite-${asker.replaceAll(' ', '-')}-${policy}`;
    const version = await findVersion(db, {
      suite,
      overlaySha256: first,
      policy,
      job: asker === 'policy' ? uploaded : null,
    });
    const deed = { actor: 'ada', reason: 'freeze' };
    if (asker === 'person') await jobs.request(db, { ...version, requestedBy: 'ada' });
    else if (asker !== 'policy') await releases.start(db, suite, deed);
    const [job] = await jobs.ofPackage(db, version.source);
    await breakJob(job!.jobId);
    if (asker === 'release that ended') await releases.move(db, suite, 'ended', deed);
    await readAgain(version, second, policy);
    const retried = await retriedOf(version.source);
    assert.equal(retried.length, isRetried ? 1 : 0, `${asker}, ${policy}`);
    if (!isRetried) assert.equal(await stateOf(job!.jobId), 'attempted');
    else if (asker === 'release') {
      assert.equal((await jobs.byId(db, retried[0]!.newJobId))!.releaseId, job!.releaseId);
    }
  }
});

test('a person’s verdict and a wait for data end with the overlay that they were about', async () => {
  const failed = await findVersion(db, { overlaySha256: first, job: uploaded });
  await breakJob(failed.job!.jobId);
  await jobs.move(db, failed.job!.jobId, 'failed', 'it never worked', 'ada');
  const waiting = await findVersion(db, { overlaySha256: first, job: uploaded });
  await breakJob(waiting.job!.jobId, 'data-wait');
  assert.equal(await stateOf(waiting.job!.jobId), 'data-wait');
  for (const version of [failed, waiting]) {
    await readAgain(version, second);
    assert.equal((await retriedOf(version.source)).length, 1);
  }
  // The recipe of the package itself, tagged by a later index, is another recipe as well.
  const own = await findVersion(db, { overlaySha256: first, job: uploaded });
  await breakJob(own.job!.jobId);
  await readAgain(own, null);
  const [made] = await retriedOf(own.source);
  assert.equal((await jobs.byId(db, made!.newJobId))!.overlaySha256, null);
});

test('a job that nobody has begun takes the changed overlay; one that runs keeps its own to its end', async () => {
  const version = await findVersion(db, { overlaySha256: first, job: uploaded });
  const { jobId } = version.job!;
  await readAgain(version, second);
  assert.equal((await jobs.byId(db, jobId))!.overlaySha256, second);

  const holder = await holderOf(jobId);
  await readAgain(version, first);
  const { job } = await runs.assignment(db, holder);
  assert.equal(job.overlaySha256, second, 'all runs of a job are of one recipe');
  assert.deepEqual(await retriedOf(version.source), [], 'it still runs');
  await runs.report(db, { ...holder, outcome: breakageOf('recipe') });
  const [made] = await retriedOf(version.source);
  assert.equal((await jobs.byId(db, made!.newJobId))!.overlaySha256, first, 'found when it had ended');

  const judged = await findVersion(db, { overlaySha256: first, job: uploaded });
  await runs.report(db, { ...(await holderOf(judged.job!.jobId)), outcome: resultOf('weights') });
  await jobs.move(db, judged.job!.jobId, 'judged', 'same bytes');
  await readAgain(judged, second);
  assert.deepEqual(await retriedOf(judged.source), [], 'a verdict stands');
});

test('many that look at once make one job', async () => {
  const version = await findVersion(db, { overlaySha256: first, job: uploaded });
  await breakJob(version.job!.jobId);
  await readAgain(version, second);
  const looks = await Promise.all(Array.from({ length: 6 }, () => retriedOf(version.source)));
  assert.equal(looks.flat().length, 1);
  const states = (await jobs.ofPackage(db, version.source)).map(({ state }) => state).sort();
  assert.deepEqual(states, ['needs-retrain', 'superseded']);
});

test('a job given back after a change is a new one; without a change it is the same', async () => {
  const version = await findVersion(db, { ...none, overlaySha256: first, policy: 'on-demand' });
  const { job } = await jobs.request(db, { ...version, requestedBy: 'pia', seedOverride: '7' });
  await breakJob(job.jobId);
  const same = await jobs.giveBack(db, job.jobId, 'try once more', 'ada');
  assert.deepEqual([same.jobId, same.state], [job.jobId, 'needs-retrain']);
  const { runId, leaseEpoch, nodeId } = await holderOf(job.jobId);
  await runs.report(db, { runId, leaseEpoch, nodeId, outcome: breakageOf('recipe') });
  await readAgain(version, second, 'on-demand');
  const next = await jobs.giveBack(db, job.jobId, 'the overlay is mended', 'ada');
  assert.notEqual(next.jobId, job.jobId);
  assert.deepEqual(
    [next.state, next.overlaySha256, next.seedOverride, next.requestedBy, next.reason],
    ['needs-retrain', second, '7', 'pia', 'the overlay is mended'],
  );
  assert.equal(await stateOf(job.jobId), 'superseded');
  assert.deepEqual(await retriedOf(version.source), []);
});
