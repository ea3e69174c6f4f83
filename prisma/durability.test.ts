// The plug is pulled: PostgreSQL is killed while deeds are done. What was acknowledged is there afterwards, and the same
// client goes on without being opened anew.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { inspect } from 'node:util';
import { startTestPostgres, templateName } from '../tests/support/postgres-server.ts';
import { leaseRun, makeJob, resultOf } from '../tests/support/scenario.ts';
import { checkDatabase, type Database, listen, openDatabase } from './client.ts';
import { isAway } from './faults.ts';
import * as jobs from './store/jobs.ts';
import * as runs from './store/runs.ts';
import * as suites from './store/suites.ts';
import * as world from './store/world.ts';

const server = await startTestPostgres({ isDurable: true });
const url = server.urlOf(templateName);
const db = openDatabase(url);
after(async () => {
  await db.$disconnect();
  await server.stop();
});

test('kill -9 while jobs are made and a result is told: nothing acknowledged is lost, no result is doubled', async () => {
  const { holder } = await leaseRun(db);
  let heard = () => {};
  const reconnected = new Promise<void>((resolve) => {
    heard = resolve;
  });
  let connections = 0;
  const listening = listen(url, (subject) => {
    if (subject === '' && ++connections === 2) heard();
  });

  const acknowledged: string[] = [];
  let enough = () => {};
  const some = new Promise<void>((resolve) => {
    enough = resolve;
  });
  const writing = (async () => {
    for (;;) {
      acknowledged.push((await makeJob(db)).jobId);
      if (acknowledged.length === 5) enough();
    }
  })().catch(() => undefined); // ends when the server does
  await some;
  const told = runs.report(db, { ...holder, outcome: resultOf('a') }).then(
    () => true,
    () => false,
  );
  const restarted = server.restarted();
  process.kill(server.pid()!, 'SIGKILL');
  await writing;
  const wasTold = await told;
  await restarted;

  await checkDatabase(db);
  const there = new Set((await jobs.open(db)).map(({ jobId }) => jobId));
  assert.deepEqual(
    acknowledged.filter((jobId) => !there.has(jobId)),
    [],
  );
  const run = await runs.byId(db, holder.runId);
  if (wasTold) assert.equal(run?.state, 'reported');
  if (run?.state === 'leased') await runs.report(db, { ...holder, outcome: resultOf('a') });
  const end = await runs.byId(db, holder.runId);
  assert.deepEqual([end?.state, end?.outputs.length, end?.leases.length], ['reported', 1, 1]);

  await reconnected; // NOTIFY is heard again
  await listening.close();
});

test('while PostgreSQL is away and while it comes back, every deed says so in a way that is known', async () => {
  const unknown = new Set<string>();
  const tell = (error: unknown) => {
    if (!isAway(error)) unknown.add(inspect(error, { depth: 6 }).slice(0, 2_000));
    return false;
  };
  const attempt = async () => {
    const done = await Promise.all([
      suites.list(db).then(() => true, tell),
      makeJob(db).then(() => true, tell),
      world.read(db, null).then(() => true, tell),
      db.$queryRaw`SELECT pg_sleep(0.05)::text`.then(() => true, tell),
    ]);
    return done.every(Boolean);
  };
  for (let round = 0; round < 2; round++) {
    const restarted = server.restarted();
    const writing = attempt();
    process.kill(server.pid()!, 'SIGKILL');
    await writing;
    let isBack = false;
    const back = restarted.then(() => {
      isBack = true;
    });
    while (!isBack) await attempt();
    await back;
    assert.equal(await attempt(), true, 'all is well once it is back');
  }
  assert.deepEqual([...unknown], []);
  assert.ok(!isAway(new Error('a fault of ours')));
});

test('a program that falls silent within a transaction holds up nobody for long', async () => {
  const { job } = await leaseRun(db);
  const lock = (at: Database) =>
    at.$executeRaw`SELECT FROM job WHERE job_id = ${job.jobId} FOR UPDATE`.then(() => performance.now());
  // As a program that is stopped between two statements: its connection stays, and asks nothing.
  const stopped = openDatabase(url);
  let locked = () => {};
  const isLocked = new Promise<void>((resolve) => {
    locked = resolve;
  });
  let wake = () => {};
  const woken = new Promise<void>((resolve) => {
    wake = resolve;
  });
  const silent = stopped.$transaction(async (tx) => {
    await tx.$executeRaw`SELECT FROM job WHERE job_id = ${job.jobId} FOR UPDATE`;
    locked();
    await woken;
    await tx.$executeRaw`UPDATE job SET reason = 'said too late' WHERE job_id = ${job.jobId}`;
  });
  silent.catch(() => undefined);
  await isLocked;
  const from = performance.now();
  const waited = (await lock(db)) - from;
  assert.ok(waited > 1_000 && waited < 15_000, `${Math.round(waited)} ms`);
  wake();
  await assert.rejects(silent, (error) => isAway(error) || assert.fail(inspect(error, { depth: 6 })));
  assert.notEqual((await jobs.byId(db, job.jobId))?.reason, 'said too late');
  await stopped.$disconnect();
});
