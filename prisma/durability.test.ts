// The plug is pulled: PostgreSQL is killed while deeds are done. What was acknowledged is there afterwards, and the same
// client goes on without being opened anew.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startTestPostgres, templateName } from '../tests/support/postgres-server.ts';
import { leaseRun, makeJob, resultOf } from '../tests/support/scenario.ts';
import { checkDatabase, listen, openDatabase } from './client.ts';
import * as jobs from './store/jobs.ts';
import * as runs from './store/runs.ts';

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
