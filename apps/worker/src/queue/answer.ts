// The worker's side of the queue: answer the rings of one slot, one at a time. Two backends, one conformance suite
// (tests/conformance/queue.test.ts).
import { setTimeout as delay } from 'node:timers/promises';
import { answerOptions, queueSchema, type Ring, readRing, slotQueue } from '@retraind/shared/wire/doorbell';
import {
  assertSchemaCompatibility,
  createPostgresBackend,
  type Job,
  SchemaMigrationRequiredError,
  Worker,
} from 'bullmq';
import { Redis } from 'ioredis';
import pg from 'pg';

export interface AnswerOptions {
  /** Redis, or else the PostgreSQL database that holds BullMQ's schema. */
  where: { redisUrl: string } | { queueUrl: string };
  nodeId: string;
  slot: number;
  /** Called for each ring, never twice at once. Whatever it throws is told to `onTrouble`: the queue repeats nothing. */
  onRing: (ring: Ring) => Promise<void>;
  /** A broken connection or ring; only told, for the connection mends itself. */
  onTrouble: (error: Error) => void;
  /** How long the queue believes in a worker that does not renew its lock. What a dead worker held then counts as failed. */
  lockMilliseconds?: number;
  signal: AbortSignal;
}

export interface Answering {
  /** Takes no further ring, and waits for the one that is being answered. */
  close(): Promise<void>;
}

/** BullMQ waits 15 s after a broken connection; a slot should not stand idle so long. */
const retryMilliseconds = 1_000;

/** Longest silence before BullMQ looks into the queue by itself, in seconds: a lost wake-up costs no more than this. */
const drainDelaySeconds = 5;

/** Resolves once rings are listened for; waits with growing pauses for a queue that is not there yet. */
export async function answerRings(options: AnswerOptions): Promise<Answering> {
  const name = slotQueue(options.nodeId, options.slot);
  const lockMilliseconds = options.lockMilliseconds ?? 30_000;
  const shared = {
    ...answerOptions,
    lockDuration: lockMilliseconds,
    stalledInterval: lockMilliseconds,
    runRetryDelay: retryMilliseconds,
    drainDelay: drainDelaySeconds,
  };
  const answer = async (job: Job): Promise<void> => {
    try {
      await options.onRing(readRing(job.data));
    } catch (error) {
      options.onTrouble(error as Error);
    }
  };
  if ('redisUrl' in options.where) {
    const redis = new Redis(options.where.redisUrl, {
      maxRetriesPerRequest: null,
      retryStrategy: (times) => Math.min(100 * 2 ** times, 5_000),
    });
    redis.on('error', options.onTrouble);
    const worker = new Worker(name, answer, { connection: redis, ...shared });
    worker.on('error', options.onTrouble);
    await untilAborted(worker.waitUntilReady(), options.signal);
    return {
      async close() {
        await worker.close();
        redis.disconnect();
      },
    };
  }
  const { queueUrl } = options.where;
  await untilMigrated(queueUrl, options);
  const connection = { connectionString: queueUrl, schema: queueSchema, keepAlive: true, max: 2 };
  const worker = new Worker(name, answer, { connection, ...shared }, createPostgresBackend);
  worker.on('error', options.onTrouble);
  await untilAborted(worker.waitUntilReady(), options.signal);
  return { close: () => worker.close() };
}

/** BullMQ remembers a failed first connection for ever, so none is made before the schema answers. */
async function untilMigrated(queueUrl: string, { signal, onTrouble }: AnswerOptions): Promise<void> {
  for (let pause = 100; ; pause = Math.min(pause * 2, 5_000)) {
    const client = new pg.Client({ connectionString: queueUrl });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await assertSchemaCompatibility(client, queueSchema);
      return;
    } catch (error) {
      // The scheduler migrates; before its first start the schema is simply not there yet.
      if (!(error instanceof SchemaMigrationRequiredError)) onTrouble(error as Error);
    } finally {
      await client.end().catch(() => undefined);
    }
    await delay(pause, undefined, { signal });
  }
}

const untilAborted = <T>(work: Promise<T>, signal: AbortSignal): Promise<T> =>
  new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
