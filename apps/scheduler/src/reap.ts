// Ends leases that nobody holds any more, and rings again for those that nobody has begun. The authority is always the
// conditional UPDATE on run and epoch: a worker that reports at the same moment either wins whole or hears `lease-lost`.
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ArtifactStore } from '@retraind/host/artifacts';
import { type LiveKind, liveFilePath, sealLive } from '@retraind/host/live-file';
import type { Database } from '@retraind/prisma/client';
import * as runs from '@retraind/prisma/store/runs';
import type { Logger } from 'pino';

/** Gives back every run whose lease has expired. Returns how many. */
export async function reap(db: Database, artifacts: ArtifactStore, log: Logger): Promise<number> {
  let count = 0;
  for (const { runId, leaseEpoch, nodeId, slot, expiresAt } of await runs.expired(db)) {
    const path = (kind: LiveKind) => liveFilePath(artifacts.folder, runId, leaseEpoch, kind);
    let isKept = true;
    // A log that cannot be kept is no reason to keep a dead worker's lease.
    const seal = (kind: LiveKind) =>
      sealLive(artifacts, path(kind)).catch((error: Error) => {
        log.warn({ err: error, runId, leaseEpoch, kind }, 'what a lost lease wrote could not be sealed');
        isKept = false;
        return null;
      });
    const [logSha256, metricsSha256] = await Promise.all([seal('log'), seal('metrics')]);
    // Blame `farm`: a silence does not tell a broken node from a cut network or an api that was away.
    const end = await runs.giveBack(db, {
      runId,
      leaseEpoch,
      outcome: 'lost',
      blame: 'farm',
      detail: `nothing was heard of the lease on slot ${slot} of node ${nodeId} until ${expiresAt.toISOString()}`,
      logSha256,
      metricsSha256,
    });
    if (end === null) continue;
    count++;
    if (isKept) await rm(dirname(path('log')), { recursive: true, force: true });
    log.warn({ runId, leaseEpoch, nodeId, slot, run: end.run, job: end.job }, 'lease lost');
  }
  return count;
}
