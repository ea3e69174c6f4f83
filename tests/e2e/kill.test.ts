// kill -9 of every program of a farm at ten random points of a job: the verdict and the trained files are those of a farm that
// nobody disturbed, and each run is recorded once. The seed of the points is printed; KILL_SEED repeats it.
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '@retraind/prisma/client';
import * as runs from '@retraind/prisma/store/runs';
import * as verdicts from '@retraind/prisma/store/verdicts';
import { randoms } from '../support/randoms.ts';
import { shortTiny } from '../support/short-tiny.ts';
import { startTestFarm, type TestFarm } from './farm.ts';

const jobSeed = '7';
const settleSeconds = 400;
const killSeed = Number(process.env.KILL_SEED ?? randomInt(2 ** 31));
/** Each program at least twice; a run gives up after five lost leases, so the worker dies three times at most. */
const deaths = ['worker-0', 'worker-0', 'worker-0', 'scheduler', 'scheduler', 'scheduler', 'api', 'api'];
const victims = [...deaths, 'postgres', 'postgres'];

const startFarm = (tree: string): Promise<TestFarm> =>
  startTestFarm({ examples: [tree], seed: jobSeed, slots: 1, leaseSeconds: 3 });

/** All that must not depend on who died when. */
async function outcomeOf(db: Database, jobId: string) {
  const stored = await verdicts.ofJob(db, jobId);
  const all = await runs.ofJob(db, jobId);
  return {
    // Each farm registers the recipe at its own time.
    verdicts: stored.map(({ verdict: { registered: _, ...verdict } }) => verdict),
    runs: all.map(({ purpose, seedIndex, seed, state, outputs, references }) => ({
      purpose,
      seedIndex,
      seed,
      state,
      outputs: outputs.map(({ model, sha256, evidence }) => ({ model, sha256, sets: evidence.sets })),
      references: references.map(({ model, sha256, evidence }) => ({ model, sha256, sets: evidence.sets })),
    })),
  };
}

test('ten deaths change nothing', async (t) => {
  t.diagnostic(`KILL_SEED=${killSeed}`);
  const random = randoms(killSeed);
  const folder = await mkdtemp('/tmp/retraind-kill-');
  t.after(() => rm(folder, { recursive: true, force: true }));
  const tree = await shortTiny(folder);

  const quiet = await startFarm(tree);
  let expected: Awaited<ReturnType<typeof outcomeOf>>;
  const startedAt = performance.now();
  try {
    const job = await quiet.settled('tiny', settleSeconds);
    assert.equal(job.state, 'judged', job.reason);
    expected = await outcomeOf(quiet.db, job.jobId);
  } finally {
    await quiet.stop();
  }
  const quietMilliseconds = performance.now() - startedAt;

  const points = victims
    .map((program) => ({ program, at: random.next().value * quietMilliseconds }))
    .sort((a, b) => a.at - b.at);
  const farm = await startFarm(tree);
  try {
    const settled = farm.settled('tiny', settleSeconds);
    settled.catch(() => undefined);
    const from = performance.now();
    for (const { program, at } of points) {
      await delay(Math.max(0, from + at - performance.now()));
      const pid = farm.supervisor.pidOf(program);
      const told = `${Math.round(at)} ms: ${pid === undefined ? 'is down' : 'killed'} ${program}`;
      if (pid !== undefined) process.kill(pid, 'SIGKILL');
      t.diagnostic(told);
    }
    const job = await settled;
    assert.equal(job.state, 'judged', job.reason);
    assert.deepEqual(await outcomeOf(farm.db, job.jobId), expected);
    for (const { leases } of await runs.ofJob(farm.db, job.jobId)) {
      const outcomes = leases.map(({ outcome }) => outcome);
      assert.equal(outcomes.filter((outcome) => outcome === 'reported').length, 1, outcomes.join(', '));
      assert.ok(
        outcomes.every((outcome) => outcome !== null && ['reported', 'lost', 'given-back'].includes(outcome)),
        outcomes.join(', '),
      );
      assert.equal(outcomes.at(-1), 'reported');
    }
  } finally {
    await farm.stop();
  }
});
