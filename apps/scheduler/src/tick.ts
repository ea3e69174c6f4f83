// One look at the world and everything that follows from it, in an order in which each step sees what the last one did:
//
//   reap ──► settle checks of nodes ──► read ──► attend (first run, runs of a look, verdict) ──► decide ──► dispatch ──► ring again
//
// A tick that is cut off anywhere is simply taken again: every deed is one conditional transaction.

import type { ArtifactStore } from '@retraind/host/artifacts';
import type { Database } from '@retraind/prisma/client';
import * as jobs from '@retraind/prisma/store/jobs';
import type { WorldMemory } from '@retraind/prisma/store/world-memory';
import { Problem } from '@retraind/shared/wire/problems';
import type { Logger } from 'pino';
import { inspect, settleChecks } from './checks.ts';
import { dispatch, ringAgain } from './dispatch.ts';
import { attend } from './judge.ts';
import type { Metrics } from './metrics.ts';
import type { Bell } from './queue/bell.ts';
import { reap } from './reap.ts';
import { stopOverspent } from './spend.ts';

export interface TickParts {
  db: Database;
  bell: Bell;
  artifacts: ArtifactStore;
  log: Logger;
  metrics: Metrics;
  memory: WorldMemory;
  leaseSeconds: number;
  /** When each job whose attention failed may be looked at again (milliseconds of performance.now). */
  failures: Map<string, { count: number; again: number }>;
  /** Jobs that may want something and were not attended to yet. */
  stirred: Set<string>;
}

/** Faults of what a run left behind: they stay until a person looks. Anything else is tried again. */
const lasting = new Set(['not-found', 'invalid-data', 'too-large', 'invalid-recipe']);

const longestAgainMilliseconds = 60_000;

/** `mayReap` is false for the first moments of a leader, in which workers make up for heartbeats that the farm missed. */
export async function tick(parts: TickParts, mayReap: boolean): Promise<void> {
  const { db, log, metrics, memory } = parts;
  const endTimer = metrics.tickSeconds.startTimer();
  if (mayReap) metrics.deeds.inc({ deed: 'reap' }, await reap(db, parts.artifacts, log));

  metrics.deeds.inc({ deed: 'stop-overspent' }, await stopOverspent(parts));
  await settleChecks(parts, memory.queue.policy).catch(checksFailed(parts));
  await look(parts);
  let deeds = 0;
  for (const jobId of new Set([...parts.stirred, ...memory.queue.idleJobIds])) {
    if (await attendSafely(parts, jobId)) deeds++;
    if (!parts.failures.has(jobId)) parts.stirred.delete(jobId);
  }
  if (deeds > 0) await look(parts);

  await dispatch(parts, memory.queue, new Date());
  await ringAgain(parts);
  gauge(metrics, memory);
  endTimer();
}

/** Trainings and verdicts do not wait for the checks of nodes. */
const checksFailed =
  ({ log, metrics }: Pick<TickParts, 'log' | 'metrics'>) =>
  (error: Error): void => {
    metrics.troubles.inc({ place: 'checks' });
    log.error({ err: error }, 'checks of nodes could not be looked at');
  };

/** Reads what is new. */
export async function look({
  db,
  memory,
  stirred,
}: Pick<TickParts, 'db' | 'memory' | 'stirred'>): Promise<void> {
  for (const jobId of await memory.refresh(db)) stirred.add(jobId);
}

/** One job that cannot be attended to must not keep the others waiting. */
async function attendSafely(parts: TickParts, jobId: string): Promise<boolean> {
  const { db, log, metrics, failures, memory } = parts;
  const before = failures.get(jobId);
  if (before && performance.now() < before.again) return false;
  try {
    await inspect(parts, jobId, memory.queue.policy).catch(checksFailed(parts));
    const attention = await attend(parts, jobId);
    failures.delete(jobId);
    if (attention !== 'nothing') metrics.deeds.inc({ deed: attention });
    return attention !== 'nothing';
  } catch (error) {
    metrics.troubles.inc({ place: 'attend' });
    if (error instanceof Problem && lasting.has(error.code)) {
      log.error({ jobId, code: error.code, detail: error.detail }, 'job held');
      await jobs.move(db, jobId, 'held', error.detail);
      return true;
    }
    const count = (before?.count ?? 0) + 1;
    const wait = Math.min(1_000 * 2 ** count, longestAgainMilliseconds);
    failures.set(jobId, { count, again: performance.now() + wait });
    log.error({ err: error, jobId, count }, 'job could not be attended to');
    return false;
  }
}

function gauge(metrics: Metrics, { queue }: WorldMemory): void {
  metrics.openJobs.reset();
  metrics.runs.reset();
  for (const [state, count] of queue.jobsByState) metrics.openJobs.set({ state }, count);
  for (const [state, count] of queue.runsByState) metrics.runs.set({ state }, count);
}
