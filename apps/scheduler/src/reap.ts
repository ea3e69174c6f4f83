// Ends leases that nobody holds any more, and rings again for those that nobody has begun. The authority is always the
// conditional UPDATE on run and epoch: a worker that reports at the same moment either wins whole or hears `lease-lost`.
import type { Database } from '@retraind/prisma/client';
import * as runs from '@retraind/prisma/store/runs';
import type { Logger } from 'pino';

/** Gives back every run whose lease has expired. Returns how many. */
export async function reap(db: Database, log: Logger): Promise<number> {
  let count = 0;
  for (const { runId, leaseEpoch, nodeId, slot, expiresAt } of await runs.expired(db)) {
    // Blame `farm`: a silence does not tell a broken node from a cut network or an api that was away.
    const end = await runs.giveBack(db, {
      runId,
      leaseEpoch,
      outcome: 'lost',
      blame: 'farm',
      detail: `nothing was heard of the lease on slot ${slot} of node ${nodeId} until ${expiresAt.toISOString()}`,
    });
    if (end === null) continue;
    count++;
    log.warn({ runId, leaseEpoch, nodeId, slot, run: end.run, job: end.job }, 'lease lost');
  }
  return count;
}
