// The scheduler's side of the queue: ring a slot. Two backends, one conformance suite (tests/conformance/queue.test.ts).
import type { Ring } from '@retraind/shared/wire/doorbell';
import { openPostgresBell } from './postgres.ts';
import { openRedisBell } from './redis.ts';

export interface Bell {
  /** Rings a slot. Rejects with Problem `queue-unavailable`; whoever rings may try again at any time. */
  ring(nodeId: string, slot: number, ring: Ring): Promise<void>;
  /** Rejects with Problem `queue-unavailable` unless the backend answers. */
  health(): Promise<void>;
  close(): Promise<void>;
}

/** Something broke between the bell and its backend; it is only told, for the bell mends itself. */
export type BellTrouble = (error: Error) => void;

/** Redis where its URL is given, else BullMQ's tables in the farm's database (migrated here). */
export const openBell = (
  where: { redisUrl: string | null; databaseUrl: string },
  onTrouble: BellTrouble,
): Promise<Bell> =>
  where.redisUrl === null
    ? openPostgresBell(where.databaseUrl, onTrouble)
    : openRedisBell(where.redisUrl, onTrouble);
