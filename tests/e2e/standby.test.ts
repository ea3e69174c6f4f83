// Two schedulers as processes on a real database: one leads, and when it is killed, or stopped so that its connection stays
// open, the other leads within fifteen seconds.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { withDatabase } from '../support/database.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const takeoverMilliseconds = 15_000;
/** A scheduler that has not said something by then never will. */
const longestMilliseconds = 60_000;

const { url } = await withDatabase();
const folder = await mkdtemp('/tmp/retraind-standby-');
const running = new Set<ChildProcess>();
after(async () => {
  for (const child of running) child.kill('SIGKILL');
  await Promise.all([...running].map((child) => child.exitCode ?? child.signalCode ?? once(child, 'exit')));
  await rm(folder, { recursive: true });
});

interface Scheduler {
  child: ChildProcess;
  /** Resolves with the time at which it next says this. */
  says(message: string): Promise<number>;
}

function startScheduler(name: string): Scheduler {
  const child = spawn(process.execPath, ['--import', 'tsx', 'apps/scheduler/src/main.ts'], {
    cwd: root,
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      TZ: 'UTC',
      DATABASE_URL: url,
      RETRAIND_ARTIFACTS: join(folder, 'artifacts'),
      RETRAIND_STATE: join(folder, name),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.add(child);
  const waiting: { message: string; resolve: (at: number) => void }[] = [];
  createInterface({ input: child.stdout! }).on('line', (line) => {
    for (const { message, resolve } of waiting) {
      if (line.includes(`"msg":"${message}"`)) resolve(performance.now());
    }
  });
  return {
    child,
    says: (message) =>
      new Promise((resolve, reject) => {
        waiting.push({ message, resolve });
        const late = () => reject(new Error(`${name} never said “${message}”`));
        setTimeout(late, longestMilliseconds).unref();
      }),
  };
}

/** A leader and a standby that has asked for the lock in vain. */
async function pair(): Promise<{ leader: Scheduler; standby: Scheduler }> {
  const leader = startScheduler('leader');
  await leader.says('leading');
  const standby = startScheduler('standby');
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const sessions = `SELECT count(*)::int AS n FROM pg_stat_activity
    WHERE application_name = 'retraind-scheduler' AND datname = current_database() AND query LIKE '%pg_try_advisory_lock%'`;
  while ((await client.query<{ n: number }>(sessions)).rows[0]!.n === 0) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await client.end();
  return { leader, standby };
}

async function end({ child }: Scheduler): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
  running.delete(child);
}

test('a standby leads within 15 s of its leader’s kill -9', async (t) => {
  const { leader, standby } = await pair();
  const leads = standby.says('leading');
  const from = performance.now();
  await end(leader);
  const took = (await leads) - from;
  t.diagnostic(`${Math.round(took)} ms`);
  assert.ok(took < takeoverMilliseconds, `${Math.round(took)} ms`);
  await end(standby);
});

test('a standby leads within 15 s of its leader’s kill -STOP; the old leader wakes and stands by', async (t) => {
  const { leader, standby } = await pair();
  const leads = standby.says('leading');
  const from = performance.now();
  leader.child.kill('SIGSTOP');
  const took = (await leads) - from;
  t.diagnostic(`${Math.round(took)} ms`);
  assert.ok(took < takeoverMilliseconds, `${Math.round(took)} ms`);

  const resigned = leader.says('no longer leading');
  leader.child.kill('SIGCONT');
  await resigned;
  const again = leader.says('leading');
  await end(standby);
  await again;
  await end(leader);
});
