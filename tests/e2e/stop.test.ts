// A run that is stopped from outside: cancelled by a person, or given back by a worker that is told to end. Either way the
// package's processes are gone, though they ignore SIGTERM and leave their session, and the slot's folder is empty.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { listen } from '@retraind/prisma/client';
import * as jobs from '@retraind/prisma/store/jobs';
import * as runs from '@retraind/prisma/store/runs';
import { startTestFarm, type TestFarm } from './farm.ts';

/** Seconds that nothing else on this machine sleeps. */
const nap = '86399.25';

/** examples/tiny with a target that only sleeps, twice, and is deaf to SIGTERM. */
async function sleepyPackage(folder: string): Promise<string> {
  const tree = join(folder, 'tiny');
  await cp(fileURLToPath(new URL('../../examples/tiny', import.meta.url)), tree, { recursive: true });
  const rules = join(tree, 'debian/rules');
  const text = await readFile(rules, 'utf8');
  await writeFile(
    rules,
    text.replace(/^\tretrain-tfjs .*$/m, `\ttrap '' TERM; setsid sleep ${nap} & sleep ${nap}`),
  );
  return tree;
}

const nappers = (): number =>
  readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8') === `sleep\0${nap}\0`;
    } catch {
      return false;
    }
  }).length;

/** Resolves with the first run of the job that fits. */
function runWhere(
  farm: TestFarm,
  fits: (run: runs.RunDetail) => boolean,
  seconds: number,
): Promise<runs.RunDetail> {
  return new Promise((resolve, reject) => {
    const look = async () => {
      const [job] = await jobs.ofPackage(farm.db, 'tiny');
      const run = job && (await runs.ofJob(farm.db, job.jobId)).find(fits);
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
  });
}

async function untilAwake(): Promise<void> {
  while (nappers() > 0) await new Promise((resolve) => setTimeout(resolve, 50));
}

test('a run that is cancelled or given back leaves nothing behind', async (t) => {
  const folder = await mkdtemp('/tmp/retraind-stop-');
  t.after(() => rm(folder, { recursive: true, force: true }));
  const farm = await startTestFarm({
    examples: [await sleepyPackage(folder)],
    seed: '7',
    leaseSeconds: 20,
  });
  t.after(() => farm.stop());

  const first = await runWhere(farm, ({ step, state }) => state === 'leased' && step === 'train', 180);
  while (nappers() < 2) await new Promise((resolve) => setTimeout(resolve, 50));
  process.kill(farm.supervisor.pidOf('worker-0')!, 'SIGTERM');
  const back = await runWhere(
    farm,
    ({ runId, leases }) => runId === first.runId && leases[0]!.outcome !== null,
    30,
  );
  await untilAwake();
  assert.deepEqual(
    back.leases.map(({ outcome, blame, code }) => ({ outcome, blame, code })),
    [{ outcome: 'given-back', blame: null, code: 'node-stopped' }],
  );
  assert.equal(back.state, 'waiting');

  // The worker comes back; its slot serves another seed until the pause of the first is over.
  const again = await runWhere(farm, ({ step, state }) => state === 'leased' && step === 'train', 180);
  while (nappers() < 2) await new Promise((resolve) => setTimeout(resolve, 50));
  const askedAt = performance.now();
  await farm.post(`/api/v1/jobs/${again.jobId}/cancel`, { reason: 'it only sleeps' });
  const gone = await runWhere(farm, ({ runId, state }) => runId === again.runId && state === 'cancelled', 15);
  await untilAwake();
  assert.ok(performance.now() - askedAt < 10_000, 'the package’s code is dead within ten seconds');
  assert.equal(gone.leases.at(-1)!.outcome, 'cancelled');
  while ((await readdir(join(farm.work, 'runs/slot-0'))).length > 0) {
    assert.ok(performance.now() - askedAt < 20_000, 'the slot’s folder is emptied');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
});
