// How long a wish takes until a worker works on it, on a farm that is otherwise idle: api, scheduler and worker as processes.
// Beside it, on the same backend in the same run, what BullMQ needs to hand a bare job to a worker that waits.
import { EventEmitter, once } from 'node:events';
import { listen } from '@retraind/prisma/client';
import * as jobs from '@retraind/prisma/store/jobs';
import { createPostgresBackend, Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { startTestFarm, type TestFarm } from '../../tests/e2e/farm.ts';
import { startRedis } from '../../tests/support/redis.ts';
import { quantile } from './ticks.ts';

export interface Latency {
  /** Milliseconds. */
  p50: number;
  p99: number;
}

export const backends = ['postgres', 'redis'] as const;
export type Backend = (typeof backends)[number];

export interface Latencies {
  backend: Backend;
  count: number;
  begun: Latency;
  bare: Latency;
}

const latencyOf = (times: number[]): Latency => {
  times.sort((a, b) => a - b);
  return { p50: quantile(times, 0.5), p99: quantile(times, 0.99) };
};

/** `redisProgram`: the queue lies in a Redis of its own; null: in the farm's PostgreSQL. */
export async function timeSubmissions(count: number, redisProgram: string | null): Promise<Latencies> {
  const redis = redisProgram === null ? null : await startRedis(redisProgram);
  try {
    return await timeOn(count, redis?.url);
  } finally {
    await redis?.stop();
  }
}

async function timeOn(count: number, redisUrl: string | undefined): Promise<Latencies> {
  const backend = redisUrl === undefined ? 'postgres' : 'redis';
  const farm = await startTestFarm({
    examples: ['tiny'],
    seed: 'bench',
    sandbox: 'none',
    leaseSeconds: 30,
    redisUrl,
  });
  try {
    await endIntake(farm);
    const side = redisUrl === undefined ? await barePostgres(farm.databaseUrl) : await bareRedis(redisUrl);
    try {
      await submit(farm, -1);
      await addBare(side, -1);
      const [begun, bare]: [number[], number[]] = [[], []];
      for (let i = 0; i < count; i++) {
        begun.push(await submit(farm, i));
        bare.push(await addBare(side, i));
      }
      return { backend, count, begun: latencyOf(begun), bare: latencyOf(bare) };
    } finally {
      await side.close();
    }
  } finally {
    await farm.stop();
  }
}

/** The job that intake makes of the archive is nobody's wish: it ends before the first one. */
async function endIntake({ db, databaseUrl }: TestFarm): Promise<void> {
  const heard = new EventEmitter();
  const listening = listen(databaseUrl, () => heard.emit('change'));
  try {
    for (;;) {
      const change = once(heard, 'change');
      const [made] = await jobs.open(db);
      if (made) await jobs.cancel(db, made.jobId, 'the benchmark asks for its own', 'bench');
      const ended = await db.job.count({ where: { state: 'cancelled' } });
      if (ended > 0 && (await db.run.count({ where: { state: 'leased' } })) === 0) return;
      await change;
    }
  } finally {
    await listening.close();
  }
}

/** Milliseconds from the request to the first step of a run; then the job is cancelled and its slot free again. */
async function submit({ db, databaseUrl, post }: TestFarm, i: number): Promise<number> {
  const heard = new EventEmitter();
  const listening = listen(databaseUrl, (subject) => heard.emit('change', subject));
  try {
    await once(heard, 'change');
    const from = performance.now();
    const made = (await post('/api/v1/jobs', { suite: 'test', source: 'tiny', seed: String(1_000 + i) })) as {
      jobId: string;
    };
    const until = async (holds: () => Promise<boolean>) => {
      for (;;) {
        const change = once(heard, 'change');
        if (await holds()) return;
        await change;
      }
    };
    await until(async () => (await db.run.count({ where: { jobId: made.jobId, step: { not: null } } })) > 0);
    const taken = performance.now() - from;
    await jobs.cancel(db, made.jobId, 'the benchmark has seen enough', 'bench').catch(() => undefined);
    await until(async () => (await db.run.count({ where: { state: 'leased' } })) === 0);
    return taken;
  } finally {
    await listening.close();
  }
}

interface BareSide {
  add: (i: number) => Promise<unknown>;
  worker: EventEmitter;
  close: () => Promise<void>;
}

const bareName = 'bench-bare';
const optionsOf = (i: number) => ({ jobId: `bare-${i}`, removeOnComplete: true });

async function barePostgres(databaseUrl: string): Promise<BareSide> {
  const connection = { connectionString: databaseUrl, schema: 'bullmq', max: 2 };
  const queue = new Queue(bareName, { connection }, createPostgresBackend);
  const worker = new Worker(bareName, async () => undefined, { connection }, createPostgresBackend);
  await worker.waitUntilReady();
  const close = async () => {
    await worker.close();
    await queue.close();
  };
  return { add: (i) => queue.add('bare', { i }, optionsOf(i)), worker, close };
}

async function bareRedis(redisUrl: string): Promise<BareSide> {
  const connection = new Redis(redisUrl, { maxRetriesPerRequest: null });
  const queue = new Queue(bareName, { connection });
  const worker = new Worker(bareName, async () => undefined, { connection });
  await worker.waitUntilReady();
  const close = async () => {
    await worker.close();
    await queue.close();
    connection.disconnect();
  };
  return { add: (i) => queue.add('bare', { i }, optionsOf(i)), worker, close };
}

async function addBare({ add, worker }: BareSide, i: number): Promise<number> {
  const active = new Promise<void>((resolve) => {
    worker.once('active', () => resolve());
  });
  const done = once(worker, 'completed');
  const from = performance.now();
  await add(i);
  await active;
  const taken = performance.now() - from;
  await done;
  return taken;
}
