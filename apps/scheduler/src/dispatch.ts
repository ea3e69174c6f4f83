// Applies the decision: lease the run in one conditional UPDATE, then ring the slot. A ring that fails or is lost is rung
// again from what the database says, so the order lease, ring needs no transaction over both.
import type { Database } from '@retraind/prisma/client';
import * as runs from '@retraind/prisma/store/runs';
import { decide, type PlaceAction } from '@retraind/shared/policy/decide';
import type { World } from '@retraind/shared/policy/world';
import type { Ring } from '@retraind/shared/wire/doorbell';
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

/** Leases and rings all that the decision places. Returns how many were leased. */
export async function dispatch(parts: DispatchParts, world: World, now: Date): Promise<number> {
  const { actions } = decide(world, now);
  const leased: { place: PlaceAction; ring: Ring }[] = [];
  for (const place of actions) {
    const { runId, jobId, nodeId, slot, reason } = place;
    const leaseEpoch = await runs.lease(parts.db, { runId, nodeId, slot, leaseSeconds: parts.leaseSeconds });
    // Null: the world has changed since it was read; the next tick sees it.
    if (leaseEpoch === null) continue;
    parts.log.info({ runId, jobId, nodeId, slot, leaseEpoch, reason }, 'run leased');
    leased.push({ place, ring: { runId, leaseEpoch } });
  }
  parts.metrics.deeds.inc({ deed: 'lease' }, leased.length);
  await Promise.all(leased.map(({ place, ring }) => ringSlot(parts, place.nodeId, place.slot, ring)));
  return leased.length;
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
