// A run leaves its slot before its end and goes on later: it is asked to, its worker keeps its checkpoint, its lease ends without
// blame (lease-end endByLeave), and the next lease begins with that checkpoint.
import type { LeaveCode } from '@retraind/shared/job/lease-end';
import type { Connection, Database } from '../client.ts';
import { note } from './audit.ts';
import { endByLeave, lockLease } from './lease-end.ts';
import { type Holder, refusal } from './lease-hold.ts';

export interface LeaveWish {
  runId: string;
  /** The lease that was looked at: a later one is not meant. */
  leaseEpoch: number;
  code: LeaveCode;
  reason: string;
  actor: string;
  /** The waiting run that it leaves its slot for, and how long the slot is kept for that one; absent: for nobody. */
  promise?: { runId: string; seconds: number };
}

/**
 * Asks a leased run to leave its slot: its worker hears it at the next heartbeat. A lease that no worker has begun ends at once.
 * False where the lease has ended, the run was asked before, or the one that it should leave for waits no more.
 */
export const ask = (
  db: Database,
  { runId, leaseEpoch, code, reason, actor, promise }: LeaveWish,
): Promise<boolean> =>
  db.$transaction(async (tx) => {
    const locked = await lockLease(tx, { runId, leaseEpoch });
    if (!locked || locked.leaveCode !== null) return false;
    if (promise !== undefined) {
      const kept = await tx.$executeRaw`
        UPDATE run SET promised_node_id = ${locked.nodeId}, promised_slot = ${locked.slot},
          promised_until = now() + make_interval(secs => ${promise.seconds}::float8)
        WHERE run_id = ${promise.runId} AND state = 'waiting' AND (promised_until IS NULL OR promised_until < now())`;
      if (kept === 0) return false;
    }
    if (locked.step === null) {
      await endByLeave(tx, { runId, leaseEpoch }, locked, { code, detail: reason, step: 'fetch' });
    } else {
      await tx.run.update({ where: { runId }, data: { leaveCode: code, leaveReason: reason } });
    }
    await note(tx, {
      actor,
      deed: 'runs.leave',
      subject: `run:${runId}`,
      reason,
      facts: { leaseEpoch, code, ...(promise && { forRunId: promise.runId }) },
    });
    return true;
  });

/**
 * Keeps the checkpoint with which the run's next lease is to begin. Returns the digest of the one that it replaces, or null.
 * Throws `lease-lost`, `not-your-run`, `not-found`.
 */
export const keepCheckpoint = (db: Database, holder: Holder, sha256: string): Promise<string | null> =>
  db.$transaction(async (tx) => {
    const { runId, leaseEpoch } = holder;
    const locked = await lockLease(tx, holder);
    if (!locked) throw await refusal(tx, holder);
    const { checkpointSha256: before } = await tx.run.findUniqueOrThrow({ where: { runId } });
    await tx.run.update({
      where: { runId },
      data: { checkpointSha256: sha256, checkpointEpoch: leaseEpoch, checkpointAt: new Date() },
    });
    return before === sha256 ? null : before;
  });

/** Whether a file is more than a checkpoint that was dropped: a lease began with it, a run waits with it, it is evidence. */
export const isNamed = async (tx: Connection, sha256: string): Promise<boolean> => {
  const [named] = await tx.$queryRaw<{ isNamed: boolean }[]>`
    SELECT EXISTS (SELECT FROM lease WHERE resumed_from = ${sha256})
      OR EXISTS (SELECT FROM run WHERE checkpoint_sha256 = ${sha256})
      OR EXISTS (SELECT FROM run_output WHERE sha256 = ${sha256})
      OR EXISTS (SELECT FROM reference WHERE sha256 = ${sha256})
      OR EXISTS (SELECT FROM source_version WHERE overlay_sha256 = ${sha256})
      OR EXISTS (SELECT FROM job WHERE overlay_sha256 = ${sha256}) AS "isNamed"`;
  return named!.isNamed;
};
