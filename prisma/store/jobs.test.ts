// Wishes, versions and moves.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { retrainPlaces } from '@retraind/shared/job/run-place';
import { type JobState, jobMayMove, jobStates } from '@retraind/shared/job/states';
import { Problem, type ProblemCode } from '@retraind/shared/wire/problems';
import { withDatabase } from '../../tests/support/database.ts';
import { findVersion, leaseRun, makeJob, makeNode, resultOf } from '../../tests/support/scenario.ts';
import * as audit from './audit.ts';
import * as jobs from './jobs.ts';
import * as runs from './runs.ts';
import * as versions from './versions.ts';

const { db } = await withDatabase();

const refusedWith = (code: ProblemCode) => (error: unknown) =>
  error instanceof Problem && error.code === code;
const none = { job: null };

test('the same wish asked many times at once is one job', async () => {
  const { suite, source } = await findVersion(db, none);
  const asked = await Promise.all(
    Array.from({ length: 6 }, (_, i) => jobs.request(db, { suite, source, requestedBy: `person-${i}` })),
  );
  assert.equal(new Set(asked.map(({ job }) => job.jobId)).size, 1);
  assert.equal(asked.filter(({ created }) => created).length, 1);
  const other = await jobs.request(db, { suite, source, requestedBy: 'ada', seedOverride: '7' });
  assert.deepEqual([other.created, other.job.jobSeed], [true, '7']);
});

test('an Idempotency-Key gives the same job again, even after it ended, and refuses another request', async () => {
  const { suite, source } = await findVersion(db, none);
  const wish = { suite, source, requestedBy: 'ada' };
  const idempotency = { key: 'k1', requestSha256: 'a' };
  const asked = await Promise.all(
    Array.from({ length: 4 }, () => jobs.request(db, { ...wish, idempotency })),
  );
  assert.equal(new Set(asked.map(({ job }) => job.jobId)).size, 1);
  await jobs.cancel(db, asked[0]!.job.jobId, 'no need', 'ada');
  const again = await jobs.request(db, { ...wish, idempotency });
  assert.deepEqual([again.created, again.job.state], [false, 'cancelled']);
  const other = jobs.request(db, { ...wish, idempotency: { key: 'k1', requestSha256: 'b' } });
  await assert.rejects(other, refusedWith('conflict'));
});

test('a package that the suite has not is not found', async () => {
  const { suite, source } = await findVersion(db, none);
  const wish = { suite, source: 'nothing', requestedBy: 'ada' };
  await assert.rejects(jobs.request(db, wish), refusedWith('not-found'));
  await assert.rejects(jobs.request(db, { ...wish, source, version: '9' }), refusedWith('not-found'));
});

test('a new version supersedes the older one and its jobs, running or judged; the result of a running one is kept', async () => {
  const first = await findVersion(db);
  const { nodeId } = await makeNode(db);
  const jobId = first.job!.jobId;
  const [runId, waiting] = await runs.add(db, jobId, retrainPlaces(2));
  const leaseEpoch = (await runs.lease(db, { runId: runId!, nodeId, slot: 0, leaseSeconds: 60 }))!;
  const second = await findVersion(db, { suite: first.suite, source: first.source, version: '1.0-2' });
  assert.deepEqual(second.supersededJobIds, [jobId]);
  assert.equal((await jobs.byId(db, jobId))?.state, 'superseded');
  assert.equal((await runs.byId(db, waiting!))?.state, 'cancelled');
  const beat = { runId: runId!, leaseEpoch, nodeId };
  assert.deepEqual(await runs.heartbeat(db, { ...beat, step: 'train', progress: null, leaseSeconds: 60 }), {
    cancel: true,
  });
  await runs.report(db, { ...beat, outcome: resultOf('late') });
  assert.equal((await runs.byId(db, runId!))?.state, 'reported');
  assert.equal((await jobs.byId(db, jobId))?.state, 'superseded');
  const known = await versions.current(db, first.suite, first.source);
  assert.deepEqual(
    known.map(({ version }) => version),
    ['1.0-2'],
  );
});

test('a superseded run whose node falls silent is cancelled, not rung again', async () => {
  const { holder, job } = await leaseRun(db);
  await jobs.supersede(db, job.jobId, 'newer');
  const end = await runs.giveBack(db, { ...holder, outcome: 'lost', blame: 'node', detail: 'silent' });
  assert.equal(end?.run, 'cancelled');
});

test('lease against supersede: no run of a superseded job starts unasked to stop', async () => {
  for (let round = 0; round < 5; round++) {
    const job = await makeJob(db);
    const { nodeId } = await makeNode(db);
    const [runId] = await runs.add(db, job.jobId, retrainPlaces(1));
    const [epoch] = await Promise.all([
      runs.lease(db, { runId: runId!, nodeId, slot: 0, leaseSeconds: 60 }),
      jobs.supersede(db, job.jobId, 'newer'),
    ]);
    const run = await runs.byId(db, runId!);
    assert.equal(run?.state, epoch === null ? 'cancelled' : 'leased');
    assert.equal(run?.cancelAsked, true);
  }
});

test('the same version found again by two readers makes one job', async () => {
  const { suite, source } = await findVersion(db, none);
  const found = { suite, source, version: '2.0-1' };
  const answers = await Promise.all([findVersion(db, found), findVersion(db, found), findVersion(db, found)]);
  assert.equal(answers.filter(({ job }) => job !== null).length, 1);
  assert.equal(answers.filter(({ isNew }) => isNew).length, 1);
});

test('a known version keeps its beacon and takes a new overlay', async () => {
  const first = await findVersion(db, { ...none, beacon: 'b1' });
  const overlaySha256 = 'a'.repeat(64);
  const { suite, source, version } = first;
  const again = await findVersion(db, { suite, source, version, beacon: 'b2', overlaySha256 });
  assert.deepEqual([again.isNew, again.job], [false, null]);
  const [known] = await versions.current(db, suite, source);
  assert.deepEqual([known?.beacon, known?.overlaySha256], ['b1', overlaySha256]);
});

test('every move is allowed exactly where shared/job/states says so', async () => {
  const { jobId } = await makeJob(db);
  for (const from of jobStates) {
    for (const to of jobStates) {
      await db.job.update({ where: { jobId }, data: { state: from } });
      const moved = jobs.move(db, jobId, to, 'because', 'ada');
      if (jobMayMove(from, to)) assert.equal((await moved).state, to);
      else await assert.rejects(moved, refusedWith('conflict'), `${from} to ${to}`);
    }
  }
  await assert.rejects(jobs.move(db, 'nosuchjob000', 'judged', ''), refusedWith('not-found'));
});

test('of two moves at once one is refused, and the audit has the other', async () => {
  const { jobId } = await makeJob(db);
  const moved = await Promise.allSettled([
    jobs.cancel(db, jobId, 'no need', 'ada'),
    jobs.move(db, jobId, 'held', 'licence', 'scheduler'),
  ]);
  const state = (await jobs.byId(db, jobId))?.state as JobState;
  const notes = (await audit.ofSubject(db, `job:${jobId}`)).filter(({ deed }) => deed === 'jobs.move');
  const done = moved.filter(({ status }) => status === 'fulfilled').length;
  assert.equal(notes.length, done);
  assert.equal(state, 'cancelled'); // held may still be cancelled; a cancelled one may not be held
});

test('the first recipe decides; another one or another seed is refused', async () => {
  const { holder, job } = await leaseRun(db);
  const demand = { ...job.demand, gpus: 2 };
  const found = { ...holder, control: 'Retrain-Format: 1.0\n', jobSeed: 's1', demand };
  const recorded = await jobs.recordRecipe(db, found);
  assert.deepEqual([recorded.control, recorded.jobSeed, recorded.demand.gpus], [found.control, 's1', 2]);
  await jobs.recordRecipe(db, found);
  await assert.rejects(jobs.recordRecipe(db, { ...found, control: 'other' }), refusedWith('conflict'));
  await assert.rejects(jobs.recordRecipe(db, { ...found, jobSeed: 's2' }), refusedWith('conflict'));
});

test('a job is not asked again beside another open one of the same wish', async () => {
  const { suite, source, job } = await findVersion(db);
  const { jobId } = job!;
  await jobs.cancel(db, jobId, 'no need', 'ada');
  const other = await jobs.request(db, { suite, source, requestedBy: 'ada' });
  assert.equal(other.created, true);
  await assert.rejects(jobs.move(db, jobId, 'needs-retrain', 'again', 'ada'), refusedWith('conflict'));
  assert.equal((await jobs.byId(db, jobId))?.state, 'cancelled');
});

test('pages go through all jobs once, newest first', async () => {
  const { source } = await findVersion(db, none);
  const suite = 'sid';
  for (let i = 0; i < 5; i++)
    await jobs.request(db, { suite, source, requestedBy: 'ada', seedOverride: `${i}` });
  const seen: string[] = [];
  for (let after: jobs.JobCursor | null = null; ; ) {
    const { jobs: rows, next }: Awaited<ReturnType<typeof jobs.page>> = await jobs.page(
      db,
      { source },
      2,
      after,
    );
    seen.push(...rows.map(({ jobId }) => jobId));
    if (!next) break;
    after = next;
  }
  assert.deepEqual(
    seen,
    (await jobs.ofPackage(db, source)).map(({ jobId }) => jobId),
  );
  assert.equal(new Set(seen).size, 5);
  assert.equal((await jobs.page(db, { source, states: ['judged'] }, 2)).jobs.length, 0);
  assert.ok((await jobs.open(db)).length >= 5);
});
