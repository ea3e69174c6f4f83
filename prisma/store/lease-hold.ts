// Who holds a run. A node's write counts only while its epoch is the run's and the lease is its own; everything a node
// sends is checked here or by the same condition inside one UPDATE.
import { Problem } from '@retraind/shared/wire/problems';
import type { Connection } from '../client.ts';

/** The lease in whose name a node writes. */
export interface Holder {
  runId: string;
  leaseEpoch: number;
  nodeId: string;
}

/** The Problem that a write without a lease meets: `not-found`, `not-your-run` or `lease-lost`. */
export const refusal = async (db: Connection, { runId, leaseEpoch, nodeId }: Holder): Promise<Problem> => {
  const run = await db.run.findUnique({ where: { runId } });
  if (!run) return new Problem('not-found', `There is no run ${runId}`);
  const lease = await db.lease.findUnique({ where: { runId_leaseEpoch: { runId, leaseEpoch } } });
  if (lease ? lease.nodeId !== nodeId : run.nodeId !== nodeId && run.nodeId !== null) {
    return new Problem(
      'not-your-run',
      `Run ${runId} is leased to another node`,
      'a node writes only in the name of a lease that it was given',
    );
  }
  return new Problem(
    'lease-lost',
    `Lease ${leaseEpoch} of run ${runId} has ended`,
    'stop the run: its result is not wanted',
  );
};

/** Throws unless the lease is open and the node's own. */
export const requireHolder = async (
  db: Connection,
  holder: Holder,
): Promise<{ jobId: string; slot: number }> => {
  const { runId, leaseEpoch, nodeId } = holder;
  const run = await db.run.findFirst({
    where: { runId, leaseEpoch, nodeId, state: 'leased' },
    select: { jobId: true, slot: true },
  });
  if (!run) throw await refusal(db, holder);
  return { jobId: run.jobId, slot: run.slot ?? 0 };
};
