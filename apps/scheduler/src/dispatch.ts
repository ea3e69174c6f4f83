// Applies the decision: lease the run in one conditional UPDATE, then ring the slot. A ring that fails or is lost is rung
// again from what the database says, so the order lease, ring needs no transaction over both. A run that is preempted is asked to leave
// as by a person, with its slot promised in the same transaction.
import type { Database } from '@retraind/prisma/client';
import * as jobs from '@retraind/prisma/store/jobs';
import * as leave from '@retraind/prisma/store/leave';
import * as runs from '@retraind/prisma/store/runs';
import { decideQueue, type MoveAction } from '@retraind/shared/policy/decide';
import { type PreemptAction, promiseSeconds } from '@retraind/shared/policy/preempt';
import type { Queue } from '@retraind/shared/policy/queue';
import type { Ring } from '@retraind/shared/wire/doorbell';
import { Problem } from '@retraind/shared/wire/problems';
import type { Logger } from 'pino';
import type { Metrics } from './metrics.ts';
import type { Bell } from './queue/bell.ts';

export interface DispatchParts {
  db: Database;
  bell: Bell;
  log: Logger;
  metrics: Metrics;
  leaseSeconds: number;
}

/** A worker that is awake begins within a moment; after this share of the lease its ring is taken for lost. */
const ringAgainShare = 0.25;

/** Applies all that the decision asks for: moves jobs, leases and rings runs, asks some to leave. Returns how many were leased. */
export async function dispatch(parts: DispatchParts, queue: Queue, now: Date): Promise<number> {
  const { actions } = decideQueue(queue, now);
  for (const action of actions) if (action.kind === 'move') await move(parts, action);
  const places = actions.filter((action) => action.kind === 'place');
  const epochs = await runs.leaseAll(parts.db, places, parts.leaseSeconds);
  const leased = places.flatMap((place) => {
    const leaseEpoch = epochs.get(place.runId);
    // None: the world has changed since it was read; the next tick sees it.
    return leaseEpoch === undefined ? [] : [{ place, ring: { runId: place.runId, leaseEpoch } }];
  });
  for (const { place, ring } of leased) {
    const { runId, jobId, nodeId, slot, reason } = place;
    parts.log.info({ runId, jobId, nodeId, slot, leaseEpoch: ring.leaseEpoch, reason }, 'run leased');
  }
  parts.metrics.deeds.inc({ deed: 'lease' }, leased.length);
  await Promise.all(leased.map(({ place, ring }) => ringSlot(parts, place.nodeId, place.slot, ring)));
  for (const action of actions) if (action.kind === 'preempt') await preempt(parts, action);
  return leased.length;
}

async function preempt({ db, log, metrics }: DispatchParts, action: PreemptAction): Promise<void> {
  const { runId, leaseEpoch, forRunId, nodeId, slot, reason } = action;
  const promise = { runId: forRunId, seconds: promiseSeconds };
  const wish = { runId, leaseEpoch, code: 'preempted', reason, actor: 'scheduler', promise } as const;
  // False: the world has changed since it was read; the next tick sees it.
  if (!(await leave.ask(db, wish))) return;
  metrics.deeds.inc({ deed: 'preempt' });
  log.info({ runId, leaseEpoch, forRunId, nodeId, slot, reason }, 'run asked to leave its slot');
}

async function move({ db, log, metrics }: DispatchParts, { jobId, to, reason }: MoveAction): Promise<void> {
  try {
    await jobs.move(db, jobId, to, reason);
    metrics.deeds.inc({ deed: to });
    log.info({ jobId, to, reason }, 'job moved');
  } catch (error) {
    // A person was quicker; the next tick sees it.
    if (!(error instanceof Problem && error.code === 'conflict')) throw error;
  }
}

/** Rings once more for every lease that no worker has begun. Harmless where the first ring is only slow: same id. */
export async function ringAgain(parts: DispatchParts): Promise<number> {
  const unbegun = await runs.unbegun(parts.db, parts.leaseSeconds * ringAgainShare);
  await Promise.all(
    unbegun.map(({ runId, leaseEpoch, nodeId, slot }) =>
      ringSlot(parts, nodeId, slot, { runId, leaseEpoch }),
    ),
  );
  parts.metrics.deeds.inc({ deed: 'ring-again' }, unbegun.length);
  return unbegun.length;
}

async function ringSlot(parts: DispatchParts, nodeId: string, slot: number, ring: Ring): Promise<void> {
  try {
    await parts.bell.ring(nodeId, slot, ring);
  } catch (error) {
    parts.metrics.troubles.inc({ place: 'ring' });
    parts.log.warn({ err: error, ...ring, nodeId, slot }, 'ring failed');
  }
}
