// retrain demo: the whole farm on this machine, three packages, three verdicts. Everything in it is the ordinary thing: a signed
// apt archive, intake, jobs, workers, sandboxes, pages.
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from '@retraind/shared/wire/page';
import { exitCodes, Problem } from '@retraind/shared/wire/problems';
import type { Job, JobSummary } from '@retraind/shared/wire/resources';
import { type Args, jsonOption, type Verb } from '../args.ts';
import { publishExamples } from '../demo-archive.ts';
import { type EmbeddedFarm, startEmbeddedFarm } from '../embedded-farm.ts';
import { defaultDataFolder, type FarmClient } from '../farm-client.ts';
import type { Output } from '../output.ts';
import { openJobProgress } from '../progress.ts';
import { judgedModels, verdictNotes, verdictTable } from '../verdict-view.ts';

const examples = ['clothes', 'clothes-tampered', 'clothes-patched'];
const suiteName = 'demo';
const pollMilliseconds = 400;
const localIntakeSeconds = 5;

/** Jobs that the demo waits for: the newest of each example. */
async function newestJobs(client: FarmClient): Promise<JobSummary[]> {
  const { items } = await client.get<Page<JobSummary>>('/api/v1/jobs?limit=200');
  const newestFirst = items.toSorted((a, b) => b.createdAt.localeCompare(a.createdAt));
  return examples.flatMap((source) => newestFirst.find((job) => job.source === source) ?? []);
}

/** A farm that has judged the examples before is asked again, so that every demo shows work and not memory. */
async function askAgain(client: FarmClient, seed: string | undefined): Promise<void> {
  for (const job of await newestJobs(client)) {
    const running = job.state === 'needs-retrain' || job.state === 'retraining';
    if (running) continue;
    await client.post<Job>(
      '/api/v1/jobs',
      { source: job.source, version: job.version, suite: job.suite, seed, reason: 'npm run demo' },
      { 'idempotency-key': randomUUID() },
    );
  }
}

const ended = (job: JobSummary): boolean => job.state !== 'needs-retrain' && job.state !== 'retraining';

/** The supervisor starts again what dies, api and database too: the demo waits for them, as any client should. */
async function patiently<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      const passing =
        error instanceof Problem &&
        (error.code === 'farm-unreachable' || error.code === 'database-unavailable');
      if (!passing) throw error;
    }
    await sleep(pollMilliseconds, undefined, { signal });
  }
}

async function waitForVerdicts(client: FarmClient, output: Output, signal: AbortSignal): Promise<Job[]> {
  const progress = openJobProgress(output.say);
  try {
    for (;;) {
      const jobs = await patiently(() => newestJobs(client), signal);
      if (jobs.length > 0) progress.show(jobs);
      if (jobs.length === examples.length && jobs.every(ended)) {
        const whole = jobs.map((job) => () => client.get<Job>(`/api/v1/jobs/${job.jobId}`));
        return await Promise.all(whole.map((ask) => patiently(ask, signal)));
      }
      await sleep(pollMilliseconds, undefined, { signal });
    }
  } finally {
    progress.stop();
  }
}

function show(jobs: Job[], farm: EmbeddedFarm, output: Output, seconds: number): number {
  const models = jobs.flatMap((job) => judgedModels(job, farm.client.address));
  const broken = jobs.filter((job) => job.state !== 'judged');
  const text = [
    verdictTable(models, output.color),
    verdictNotes(models, output.color),
    ...broken.map((job) =>
      output.color.bad(`${job.source} ${job.version} is ${job.state}: ${job.reason ?? 'no reason given'}`),
    ),
    `${seconds} s; records are unsigned; pages: ${farm.client.address}/`,
  ].join('\n\n');
  output.result({ jobs, address: farm.client.address, seconds, signed: false }, text);
  return broken.length === 0 ? exitCodes.done : exitCodes.failed;
}

async function runDemo(args: Args, output: Output, signal: AbortSignal): Promise<number> {
  const startedAt = Date.now();
  const seed = args.wholeNumber('seed', 0, 999_999_999_999_999);
  const seedText = seed === undefined ? undefined : String(seed);
  const data = args.text('data') ?? join(defaultDataFolder(), 'demo');
  const farm = await startEmbeddedFarm(
    {
      data,
      listen: args.text('listen'),
      slots: args.wholeNumber('slots', 1, 64),
      seed: seedText,
      install: !args.flag('no-install'),
      sandbox: args.flag('no-sandbox') ? 'none' : 'bwrap',
    },
    output.say,
    signal,
  );
  try {
    output.say(`pages: ${farm.client.address}/`);
    const before = await patiently(() => newestJobs(farm.client), signal);
    output.say('building the three source packages into a signed apt archive of this farm');
    const sources = await publishExamples(examples, join(data, 'archive'));
    const suite = { name: suiteName, sources, intakeSeconds: localIntakeSeconds };
    await patiently(() => farm.client.post('/api/v1/suites', suite), signal);
    if (before.length > 0) await askAgain(farm.client, seedText);
    const jobs = await waitForVerdicts(farm.client, output, signal);
    const code = show(jobs, farm, output, Math.round((Date.now() - startedAt) / 1000));
    if (!args.flag('exit')) {
      output.say('the pages stay up until Ctrl-C');
      await farm.ended;
    }
    return code;
  } catch (error) {
    if (signal.aborted) return exitCodes.done;
    throw error;
  } finally {
    await farm.stop();
  }
}

export const demo: Verb = {
  name: 'demo',
  usage:
    'demo [--exit] [--seed N] [--data FOLDER] [--listen HOST:PORT] [--slots N] [--no-install] [--no-sandbox] [--json]',
  summary: 'a farm on this machine retrains and judges three packages; the pages stay up until Ctrl-C',
  words: [0, 0],
  endsByInterrupt: true,
  options: {
    exit: { type: 'boolean', help: 'end when all verdicts are shown' },
    seed: { type: 'string', value: 'N', help: 'job seed instead of one derived from the sources' },
    data: {
      type: 'string',
      value: 'FOLDER',
      help: 'data folder (default: demo/ in the XDG state folder of retraind)',
    },
    listen: {
      type: 'string',
      value: 'HOST:PORT',
      help: 'where the pages are (default: 127.0.0.1:8480, or a free port where that is taken)',
    },
    slots: { type: 'string', value: 'N', help: 'workers (default: one a core)' },
    'no-install': { type: 'boolean', help: 'never install a missing Debian tool' },
    'no-sandbox': {
      type: 'boolean',
      help: 'run the packages’ code without a sandbox: every record is tainted',
    },
    ...jsonOption,
  },
  run: runDemo,
};
