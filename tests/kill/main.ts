// The demo under kill -9: every program of the farm dies once at a random point, then the demo itself, which is started again.
// The verdicts and the retrained files must be those of a demo that nobody disturbed, each run recorded once.
//   npm run test:kill [-- --seed N]       (N picks the points; printed)
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Job } from '@retraind/shared/wire/resources';
import { assertPublished } from '../../packages/shared/samples/published.ts';
import { randoms } from '../support/randoms.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const victims = {
  worker: 'apps/worker/src/main.ts',
  scheduler: 'apps/scheduler/src/main.ts',
  api: 'apps/api/src/main.ts',
  postgres: 'bin/postgres',
};
const longestPauseMilliseconds = 20_000;

const { values } = parseArgs({ options: { seed: { type: 'string', default: String(process.pid) } } });
const seed = Number(values.seed);
console.error(`seed ${seed}`);

const random = randoms(seed);

interface Demo {
  child: ChildProcess;
  /** Resolves with what it printed, or rejects when it failed; a killed one resolves with null. */
  result: Promise<{ jobs: Job[] } | null>;
}

function startDemo(data: string): Demo {
  const child = spawn(
    process.execPath,
    ['apps/cli/bin/retrain.mjs', 'demo', '--exit', '--json', '--seed', '11', '--data', data],
    {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let printed = '';
  child.stdout!.on('data', (chunk: Buffer) => {
    printed += chunk;
  });
  const result = new Promise<{ jobs: Job[] } | null>((resolve, reject) => {
    child.on('close', (code, signal) => {
      if (signal === 'SIGKILL') return resolve(null);
      return code === 0
        ? resolve(JSON.parse(printed))
        : reject(new Error(`the demo ended with ${signal ?? code}: ${printed}`));
    });
  });
  return { child, result };
}

/** Children of `parent` whose command line has `text` in it. */
function childrenOf(parent: number, text: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const ppid = Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')[1]);
        return ppid === parent && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(text);
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** What must be equal; each verdict fits the schema that is published. */
const facts = (jobs: Job[]): unknown => {
  for (const { verdicts } of jobs) verdicts.forEach(assertPublished);
  return jobs
    .map((job) => ({
      source: job.source,
      state: job.state,
      verdicts: job.verdicts.map(({ model, rung, k, seeds, retrains, familyP }) => ({
        model,
        rung,
        k,
        seeds,
        retrains,
        familyP,
      })),
    }))
    .sort((a, b) => a.source.localeCompare(b.source));
};

async function disturbed(data: string): Promise<Job[]> {
  let demo = startDemo(data);
  const order = Object.entries(victims).sort(() => random.next().value! - 0.5);
  for (const [name, text] of order) {
    await sleep(random.next().value! * longestPauseMilliseconds);
    while (!existsSync(join(data, 'farm.json'))) await sleep(200);
    const [pid] = childrenOf(demo.child.pid!, text);
    console.error(pid ? `kill -9 ${name} (${pid})` : `${name} is down at this moment`);
    if (pid) process.kill(pid, 'SIGKILL');
  }
  await sleep(random.next().value! * longestPauseMilliseconds);
  console.error(`kill -9 the demo itself (${demo.child.pid})`);
  demo.child.kill('SIGKILL');
  const early = await demo.result;
  if (early) return early.jobs;
  demo = startDemo(data);
  return (await demo.result)!.jobs;
}

const folder = await mkdtemp(join(tmpdir(), 'retraind-kill-'));
try {
  const after = await disturbed(join(folder, 'disturbed'));
  const quiet = (await startDemo(join(folder, 'quiet')).result)!.jobs;
  assert.deepEqual(facts(after), facts(quiet));
  for (const job of after) {
    const reported = job.runs.filter((run) => run.state === 'reported');
    assert.equal(
      new Set(reported.map((run) => run.seedIndex)).size,
      reported.length,
      'a seed was recorded twice',
    );
    assert.equal(reported.length, job.verdicts[0]!.k);
  }
  console.log(JSON.stringify(facts(after), null, 2));
  console.log('1 passed, 0 failed');
} finally {
  await rm(folder, { recursive: true, force: true });
}
