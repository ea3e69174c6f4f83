// The doorbell: what the scheduler puts into a slot's queue and a worker takes out of it. It carries no fact: which run,
// and under which lease; everything else is asked from the API. Losing it loses nothing, ringing twice does nothing.
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import { RunId } from './messages.ts';
import { Problem } from './problems.ts';

export const Ring = Type.Object(
  { runId: RunId, leaseEpoch: Type.Integer({ minimum: 1 }) },
  { additionalProperties: false },
);
export type Ring = Static<typeof Ring>;

/** A slot's own queue. BullMQ refuses `:` in names; a node id has a fixed length, so no node's pattern covers another's. */
export const slotQueue = (nodeId: string, slot: number): string => `node-${nodeId}-slot-${slot}`;

/** The queues of all slots of a node, and no other's, as a pattern of Redis. */
export const slotQueues = (nodeId: string): string => `node-${nodeId}-slot-*`;

/**
 * BullMQ's id of a ring. It ignores an add whose id still exists, so the epoch must be part of it: a run's id alone would
 * lose every give-back.
 */
export const ringId = ({ runId, leaseEpoch }: Ring): string => `${runId}-${leaseEpoch}`;

/** The name that BullMQ shows beside the id. */
export const ringName = 'run';

/** The queue never repeats a training by itself, and keeps nothing: a ring may be rung again once it was answered. */
export const ringOptions = { attempts: 1, removeOnComplete: true, removeOnFail: true } as const;

/** How a worker listens: one run at a time, and a run whose worker died is never started again by the queue. */
export const answerOptions = { concurrency: 1, maxStalledCount: 0 } as const;

/** PostgreSQL schema of BullMQ's tables, where the queue lives in the farm's own database. */
export const queueSchema = 'bullmq';

/** A ring as it came out of the queue. Throws Problem `invalid-request` on anything else. */
export function readRing(data: unknown): Ring {
  if (!Value.Check(Ring, data)) {
    throw new Problem('invalid-request', 'a ring of the queue is not { runId, leaseEpoch }');
  }
  return { runId: data.runId, leaseEpoch: data.leaseEpoch };
}
