// The scheduler: the only program that moves jobs. Several may run; one leads (leader.ts), the others stand by.
import { setTimeout as delay } from 'node:timers/promises';
import { ArtifactStore } from '@retraind/host/artifacts';
import { loadConfig } from '@retraind/host/config';
import { checkDatabase, type Database, listen, openDatabase } from '@retraind/prisma/client';
import { WorldMemory } from '@retraind/prisma/store/world-memory';
import { defaultPolicy, nodeSilenceSeconds } from '@retraind/shared/policy/world';
import { Problem } from '@retraind/shared/wire/problems';
import closeWithGrace from 'close-with-grace';
import { type Logger, pino } from 'pino';
import { schedulerOptions } from './config.ts';
import { serveHealth } from './health.ts';
import { intakeForever } from './intake/intake.ts';
import { leadForever } from './leader.ts';
import { Waker } from './listen.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { type Bell, openBell } from './queue/bell.ts';
import { type TickParts, tick } from './tick.ts';

const config = loadConfig('scheduler', schedulerOptions);
const databaseUrl = config.databaseUrl!;
const log = pino({ name: 'scheduler', level: config.logLevel });
const metrics = createMetrics();
const stop = new AbortController();

const trouble = (place: string) => (error: Error) => {
  if (stop.signal.aborted) return;
  metrics.troubles.inc({ place });
  log.warn({ err: error, place }, 'trouble');
};

const db = openDatabase(databaseUrl, trouble('database'));
const artifacts = new ArtifactStore(config.artifacts);
const waker = new Waker();
let bell: Bell | null = null;

const health = await serveHealth({
  listen: config.listen,
  registry: metrics.registry,
  probes: {
    database: () => checkDatabase(db),
    queue: () => bell?.health() ?? Promise.reject(new Error('not connected yet')),
  },
}).catch((error: NodeJS.ErrnoException) => {
  console.error(`scheduler: RETRAIND_LISTEN: ${error.message}`);
  process.exit(new Problem('port-in-use', error.message).exitCode);
});
log.info({ address: health.address }, 'listening');

const leading = leadForever(
  {
    databaseUrl,
    askMilliseconds: Math.min(config.tickSeconds, 2) * 1_000,
    signal: stop.signal,
    onTrouble: trouble('leader'),
  },
  async (_connection, signal) => {
    bell ??= await openBell({ redisUrl: config.redisUrl ?? null, databaseUrl }, trouble('queue'));
    log.info({ queue: config.redisUrl ? 'redis' : 'postgresql' }, 'leading');
    metrics.leading.set(1);
    const ended = new AbortController();
    const either = AbortSignal.any([signal, ended.signal]);
    const intake = keepIntake(either);
    try {
      await tickWhile(signal, { db, bell, artifacts, log, metrics, waker });
    } finally {
      ended.abort();
      await intake;
      metrics.leading.set(0);
      log.info('no longer leading');
    }
  },
);

interface Ticking {
  db: Database;
  bell: Bell;
  artifacts: ArtifactStore;
  log: Logger;
  metrics: Metrics;
  waker: Waker;
}

async function tickWhile(signal: AbortSignal, ticking: Ticking): Promise<void> {
  const { leaseSeconds, tickSeconds } = config;
  const parts: TickParts = {
    ...ticking,
    memory: new WorldMemory(config.policy ?? defaultPolicy, nodeSilenceSeconds),
    leaseSeconds,
    failures: new Map(),
    stirred: new Set(),
  };
  const listening = listen(databaseUrl, () => waker.wake());
  // Heartbeats that were missed while nobody led or the database was away are made up for first.
  const reapFrom = performance.now() + leaseSeconds * 1_000;
  try {
    while (!signal.aborted) {
      await tick(parts, performance.now() >= reapFrom);
      await waker.wait(tickSeconds * 1_000, signal);
    }
  } finally {
    await listening.close();
  }
}

/** Reads the suites for as long as this scheduler leads; a failure costs a pause, not the leadership. */
async function keepIntake(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await intakeForever({
        db,
        artifacts,
        stateFolder: config.state,
        overlaysFolder: config.overlays ?? null,
        seed: config.seed ?? null,
        signal,
        log: (level, message, facts) => log[level](facts, message),
      });
    } catch (error) {
      trouble('intake')(error as Error);
      await delay(2_000, undefined, { signal }).catch(() => undefined);
    }
  }
}

closeWithGrace({ delay: 10_000, logger: false }, async ({ err }) => {
  if (err) log.fatal({ err }, 'unexpected error');
  stop.abort(new Error('stopping'));
  await leading;
  await bell?.close();
  await health.close();
  await db.$disconnect();
});
