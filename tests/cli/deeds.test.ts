// retrain cancel, give-back and status against a real api: a person says why, and hears what became of it.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as audit from '@retraind/prisma/store/audit';
import type { Job, Run } from '@retraind/shared/wire/resources';
import { adminToken, startFarm } from '../api/farm-server.ts';

const server = await startFarm();
const program = fileURLToPath(new URL('../../apps/cli/bin/retrain.mjs', import.meta.url));

const retrain = (...words: string[]): Promise<{ code: number; out: string; err: string }> =>
  new Promise((resolve) => {
    const env = { ...process.env, RETRAIND_API: server.address, RETRAIND_TOKEN: adminToken, NO_COLOR: '1' };
    execFile(process.execPath, [program, ...words], { env }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    );
  });

test('a run is given back, a job cancelled, and status says what was tried; without a reason nothing happens', async () => {
  const key = await server.enrol('one');
  const lease = await server.lease(key);
  const client = server.client(key, lease);
  await client.heartbeat({ step: 'train', progress: 0.5 });

  const silent = await retrain('give-back', lease.runId);
  assert.deepEqual([silent.code, silent.out], [2, '']);
  assert.match(silent.err, /say it with -m WHY/);

  const asked = await retrain('give-back', lease.runId, '-m', 'the node smokes');
  assert.equal(asked.code, 0, asked.err);
  assert.match(asked.out, /is told to leave its slot/);
  const { leave } = await client.heartbeat({ step: 'train', progress: 0.5 });
  assert.match(leave!.reason, /^given back by .*: the node smokes$/);
  await client.report({ kind: 'given-back', code: 'given-back', step: 'train', detail: leave!.reason });

  const status = await retrain('status', lease.jobId);
  assert.match(status.out, /tried without a result/);
  assert.match(
    status.out,
    /lease 1 on one: given-back, nobody’s fault, at train: given back by .*: the node smokes/,
  );
  const run = await server.ask<Run>('GET', `/api/v1/runs/${lease.runId}`);
  assert.equal(run.body.state, 'waiting');

  const cancelled = await retrain('cancel', lease.jobId, '-m', 'no need', '--json');
  assert.equal(cancelled.code, 0, cancelled.err);
  assert.equal((JSON.parse(cancelled.out) as Job).state, 'cancelled');
  const [why] = (await audit.ofSubject(server.db, `job:${lease.jobId}`)).slice(-1);
  assert.deepEqual([why?.deed, why?.reason], ['jobs.move', 'no need']);
  const again = await retrain('cancel', lease.jobId, '-m', 'no need');
  assert.equal(again.code, 1);
  assert.match(again.err, /is cancelled/);

  const back = await retrain('give-back', lease.jobId, '-m', 'needed after all');
  assert.match(back.out, /is needs-retrain/);
});
