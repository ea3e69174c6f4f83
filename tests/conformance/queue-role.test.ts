// The role that workers connect to a PostgreSQL queue as: it answers rings, and reaches no table of the farm.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import { migrateQueue, openPostgresBell } from '../../apps/scheduler/src/queue/postgres.ts';
import { answerRings } from '../../apps/worker/src/queue/answer.ts';
import { withDatabase } from '../support/database.ts';

const { url } = await withDatabase();
const workerUrl = url.replace(/\/\/[^@]+@/, '//retraind_worker@');
const nodeId = '0123456789abcdef';

test('a worker hears its slot ring over the role', async () => {
  const fail = (error: Error): void => {
    throw error;
  };
  const bell = await openPostgresBell(url, fail);
  const stop = new AbortController();
  let hear: (runId: string) => void = () => undefined;
  const heard = new Promise<string>((resolve) => {
    hear = resolve;
  });
  const ears = await answerRings({
    where: { queueUrl: workerUrl },
    nodeId,
    slot: 0,
    signal: stop.signal,
    onTrouble: fail,
    onRing: async (ring) => hear(ring.runId),
  });
  await bell.ring(nodeId, 0, { runId: 'abc', leaseEpoch: 1 });
  assert.equal(await heard, 'abc');
  await ears.close();
  await bell.close();
});

test('the role reads and writes no table of the farm', async () => {
  await migrateQueue(url);
  const client = new pg.Client({ connectionString: workerUrl });
  await client.connect();
  for (const statement of [
    'SELECT 1 FROM job',
    'UPDATE run SET state = state',
    'CREATE TABLE public.mine (a int)',
  ]) {
    await assert.rejects(client.query(statement), /permission denied/, statement);
  }
  await client.end();
});
