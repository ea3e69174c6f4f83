// One leader at a time, also when connections are cut: on a real database, whose locks are the point.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import { leadForever } from '../../apps/scheduler/src/leader.ts';
import { withDatabase } from '../support/database.ts';

const { url } = await withDatabase();

/** A candidate that notes when it leads; `leads()` resolves when it begins to (again). */
function candidate() {
  const stop = new AbortController();
  const troubles: Error[] = [];
  let terms = 0;
  let isLeading = false;
  const waiting: (() => void)[] = [];
  const done = leadForever(
    {
      databaseUrl: url,
      askMilliseconds: 20,
      signal: stop.signal,
      onTrouble: (error) => troubles.push(error),
    },
    async (_connection, signal) => {
      terms++;
      isLeading = true;
      for (const resolve of waiting.splice(0)) resolve();
      if (!signal.aborted) {
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      }
      isLeading = false;
    },
  );
  return {
    get isLeading() {
      return isLeading;
    },
    get terms() {
      return terms;
    },
    troubles,
    leads: () => (isLeading ? Promise.resolve() : new Promise<void>((resolve) => waiting.push(resolve))),
    async resign() {
      stop.abort();
      await done;
    },
  };
}

async function cutLeader(): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(`
    SELECT pg_terminate_backend(pid) FROM pg_locks
    WHERE locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`);
  await client.end();
}

test('a standby follows a leader that resigns', async () => {
  const [first, second] = [candidate(), candidate()];
  await Promise.race([first.leads(), second.leads()]);
  const [leader, standby] = first.isLeading ? [first, second] : [second, first];
  assert.equal(standby.isLeading, false);
  await leader.resign();
  await standby.leads();
  assert.equal(standby.terms, 1);
  await standby.resign();
});

test('a leader whose connection is cut stops, says so, and leads again when nobody else does', async () => {
  const only = candidate();
  await only.leads();
  await cutLeader();
  while (only.terms < 2) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.ok(only.troubles.length >= 1);
  await only.resign();
  assert.equal(only.isLeading, false);
});
