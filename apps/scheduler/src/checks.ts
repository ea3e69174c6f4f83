// Checks of nodes: what is ordered when results come in, and what follows when one has ended. Kept apart from the job's own life, which
// waits for none of it.
import type { Database } from '@retraind/prisma/client';
import * as checks from '@retraind/prisma/store/checks';
import * as quarantine from '@retraind/prisma/store/quarantine';
import type { SchedulingPolicy } from '@retraind/shared/policy/world';
import type { Logger } from 'pino';
import type { Metrics } from './metrics.ts';

export interface CheckParts {
  db: Database;
  log: Logger;
  metrics: Metrics;
}

/** Looks at the results of a job: quarantines whom they contradict too often, and orders what they call for. */
export async function inspect(parts: CheckParts, jobId: string, policy: SchedulingPolicy): Promise<void> {
  const { db, log, metrics } = parts;
  for (const found of await quarantine.inspect(db, jobId)) {
    metrics.deeds.inc({ deed: 'quarantine' });
    log.error({ ...found }, 'node quarantined');
  }
  for (const ordered of await checks.order(db, jobId, policy)) tell(parts, ordered);
}

/** Settles the checks that have ended since the last tick. Each deed may be repeated: settled comes last but for the hurry after it. */
export async function settleChecks(parts: CheckParts, policy: SchedulingPolicy): Promise<void> {
  const { db, metrics } = parts;
  if (policy.hopelessDays > 0) await checks.giveUp(db, policy.hopelessDays);
  for (const ended of await checks.unsettled(db)) {
    await inspect(parts, ended.jobId, policy);
    const contradicted = await checks.settle(db, ended);
    metrics.deeds.inc({ deed: 'settle-check' });
    for (const nodeId of contradicted) {
      const ordered = await checks.orderAfter(db, { nodeId, source: ended.source }, policy);
      if (ordered) tell(parts, ordered);
    }
  }
}

function tell({ log, metrics }: CheckParts, ordered: checks.Ordered): void {
  metrics.deeds.inc({ deed: 'order-check' });
  log.info({ ...ordered }, 'check of a node ordered');
}
