// Which jobs a reading stirs: those that may want more runs or a verdict, and not the ten thousand that wait.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { retrainPlaces } from '@retraind/shared/job/run-place';
import { defaultPolicy } from '@retraind/shared/policy/world';
import { withDatabase } from '../../tests/support/database.ts';
import { leaseRun, makeJob, resultOf } from '../../tests/support/scenario.ts';
import * as runs from './runs.ts';
import { WorldMemory } from './world-memory.ts';

const { db } = await withDatabase({ alone: true });

test('a job is stirred when it comes, is leased or has a result; not by its priority, nor by a reading of all', async () => {
  const waiting = await makeJob(db);
  await runs.add(db, waiting.jobId, retrainPlaces(1));
  const { job, holder } = await leaseRun(db);

  const memory = new WorldMemory(defaultPolicy, 60);
  assert.deepEqual(await memory.refresh(db), [job.jobId], 'of all, what is under way');
  assert.deepEqual([...memory.queue.idleJobIds], []);

  await db.job.updateMany({ data: { priority: 5 } });
  assert.deepEqual(await memory.refresh(db), []);
  assert.equal(memory.queue.jobOf(waiting.jobId)?.priority, 5);

  const late = await makeJob(db);
  assert.deepEqual(await memory.refresh(db), [late.jobId]);
  assert.deepEqual([...memory.queue.idleJobIds], [late.jobId]);

  await runs.report(db, { ...holder, outcome: resultOf('a') });
  assert.deepEqual(await memory.refresh(db), [job.jobId]);
});
