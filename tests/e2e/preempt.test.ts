// A run that is preempted in the middle of its training goes on on another node with its checkpoint, and trains the same bytes
// as a run that nobody disturbed. The record tells that it was resumed.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { listen } from '@retraind/prisma/client';
import * as jobs from '@retraind/prisma/store/jobs';
import * as leave from '@retraind/prisma/store/leave';
import * as runs from '@retraind/prisma/store/runs';
import type { Run } from '@retraind/shared/wire/resources';
import { shortTiny } from '../support/short-tiny.ts';
import { startTestFarm, type TestFarm } from './farm.ts';

/** examples/tiny, trained long enough to be interrupted, with a checkpoint every half second. */
async function longTiny(folder: string): Promise<string> {
  const tree = await shortTiny(folder);
  const script = join(tree, 'debian/retrain/train.mjs');
  const text = await readFile(script, 'utf8');
  assert.match(text, /^ {2}epochs: 12,$/m);
  await writeFile(script, text.replace('  epochs: 12,', '  epochs: 600,\n  checkpointEvery: 0.5,'));
  return tree;
}

/** Resolves with the first run of the job that fits. */
function runWhere(
  farm: TestFarm,
  jobId: string,
  fits: (run: runs.RunDetail) => boolean,
  seconds: number,
): Promise<runs.RunDetail> {
  return new Promise((resolve, reject) => {
    const look = async () => {
      const run = (await runs.ofJob(farm.db, jobId)).find(fits);
      if (!run) return;
      clearTimeout(timer);
      await listening.close();
      resolve(run);
    };
    const listening = listen(farm.databaseUrl, () => void look().catch(reject));
    const timer = setTimeout(() => {
      void listening.close();
      reject(new Error(`no such run after ${seconds} s\n${farm.tail()}`));
    }, seconds * 1_000);
    void look().catch(reject);
  });
}

const outputsOf = async (farm: TestFarm, jobId: string): Promise<string[]> =>
  (await runs.ofJob(farm.db, jobId))
    .filter(({ state, purpose }) => state === 'reported' && purpose === 'retrain')
    .map(({ seedIndex, outputs }) => `${seedIndex} ${outputs.map(({ sha256 }) => sha256).join(' ')}`);

test('preempted in the middle, a run goes on on another node and trains the same bytes', async (t) => {
  const folder = await mkdtemp('/tmp/retraind-preempt-');
  t.after(() => rm(folder, { recursive: true, force: true }));
  const farm = await startTestFarm({
    examples: [await longTiny(folder)],
    seed: '7',
    nodes: 2,
    leaseSeconds: 20,
  });
  t.after(() => farm.stop());
  const first = await farm.settled('tiny', 200);
  assert.equal(first.state, 'judged', first.reason);
  const undisturbed = await outputsOf(farm, first.jobId);
  assert.equal(undisturbed.length, 3);

  const { jobId } = (await farm.post('/api/v1/jobs', { source: 'tiny', seed: '7' })) as jobs.Job;
  assert.notEqual(jobId, first.jobId);
  const training = await runWhere(
    farm,
    jobId,
    ({ state, step }) => state === 'leased' && step === 'train',
    60,
  );
  const { runId, leaseEpoch } = training;
  const node = training.nodeId!;
  // It has trained for a while when its heartbeats say so: then its first checkpoint lies there.
  while ((await runs.byId(farm.db, runId))!.progress === null) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  // Its node gets no more work, so that it goes on on the other one.
  await farm.db.node.update({
    where: { nodeId: node },
    data: { state: 'drained', stateReason: 'a larger run waits', stateBy: 'test', stateAt: new Date() },
  });
  const wish = { code: 'preempted', reason: 'a larger run waits', actor: 'scheduler' } as const;
  const askedAt = performance.now();
  assert.equal(await leave.ask(farm.db, { runId, leaseEpoch, ...wish }), true);
  const left = await runWhere(
    farm,
    jobId,
    (run) => run.runId === runId && run.leaseEpoch === leaseEpoch && run.leases.at(-1)!.outcome !== null,
    60,
  );
  t.diagnostic(`left its slot in ${((performance.now() - askedAt) / 1_000).toFixed(1)} s`);
  assert.deepEqual(
    left.leases.map(({ outcome, blame, code, detail }) => [outcome, blame, code, detail]),
    [['given-back', null, 'preempted', 'a larger run waits']],
    farm.tail(),
  );
  assert.match(left.checkpointSha256 ?? 'none', /^[0-9a-f]{64}$/);

  const done = await runWhere(farm, jobId, (run) => run.runId === runId && run.state === 'reported', 200);
  assert.equal(done.leases.length, 2);
  assert.notEqual(done.leases[1]!.nodeId, node, 'on another node');
  assert.equal(done.leases[1]!.resumedFrom, left.checkpointSha256);
  const log = await (await fetch(new URL(`/api/v1/runs/${runId}/log`, farm.api))).text();
  assert.match(log, new RegExp(`^checkpoint: resumed from ${left.checkpointSha256}, left by lease 1$`, 'm'));
  const run = await farm.get<Run>(`/api/v1/runs/${runId}`);
  assert.deepEqual(run.leases[0]!.left, { code: 'preempted', detail: 'a larger run waits' });
  const record = await (await fetch(new URL(run.retraininfo!.href, farm.api))).text();
  assert.match(record, new RegExp(`^Retrain-Resumed-From: ${left.checkpointSha256} of lease 1$`, 'm'));
  assert.ok(done.trainSeconds! > 0);

  const judged = await judgedJob(farm, jobId);
  assert.equal(judged.state, 'judged', judged.reason);
  assert.deepEqual(await outputsOf(farm, jobId), undisturbed, 'the same bytes');
});

async function judgedJob(farm: TestFarm, jobId: string): Promise<jobs.Job> {
  for (;;) {
    const job = (await jobs.byId(farm.db, jobId))!;
    if (job.state !== 'needs-retrain' && job.state !== 'retraining') return job;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
