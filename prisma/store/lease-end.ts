// How a lease ends, in one transaction. What follows for run, job and node is the domain's rule (shared/job/lease-end); here
// it is carried out. Rows are locked in one order everywhere (job, run, lease, node), so that no two deeds wait for each other.
import type { Accelerator } from '@retraind/shared/gpu/accelerator';
import { deviceMemoryOf } from '@retraind/shared/job/device-memory';
import { type DeviceMemory, drainsNode } from '@retraind/shared/job/failure';
import {
  type LeaveCode,
  leaseEnding,
  leaveEnding,
  notBegun,
  slotSilenceSeconds,
} from '@retraind/shared/job/lease-end';
import type { Purpose } from '@retraind/shared/job/run-place';
import type { Blame, JobState, LeaseOutcome, RunState, RunStep } from '@retraind/shared/job/states';
import { openJobStates } from '@retraind/shared/job/states';
import { type Demand, slotsOfNode } from '@retraind/shared/policy/world';
import type { ProblemCode } from '@retraind/shared/wire/problems';
import { Problem } from '@retraind/shared/wire/problems';
import type { Transaction } from '../client.ts';
import { note } from './audit.ts';
import { moveJob } from './job-move.ts';

export interface Breakage {
  blame: Blame;
  code: ProblemCode;
  detail: string;
  hint: string | null;
  /** Where it met it; absent where the farm itself ends the lease. */
  step?: RunStep;
  /** What the target said last, by digest (shared/job/blame-rules failureText). */
  failureSha256?: string | null;
}

/** What became of run and job. */
export interface LeaseEnd {
  jobId: string;
  run: RunState;
  job: JobState;
  /** Digest of the checkpoint that nobody begins with any more. */
  droppedCheckpoint?: string;
}

export interface OpenLease {
  runId: string;
  leaseEpoch: number;
  /** Checked where a node asks; absent where the scheduler does. */
  nodeId?: string;
}

interface LockedRun {
  jobId: string;
  purpose: Purpose;
  jobState: JobState;
  nodeId: string;
  slot: number;
  cancelAsked: boolean;
  leaveCode: string | null;
  checkpointSha256: string | null;
  /** Null: no heartbeat has come yet. */
  step: string | null;
}

/** Locks job and run of an open lease; null where the lease is not open (or not this node's). */
export const lockLease = async (tx: Transaction, lease: OpenLease): Promise<LockedRun | null> => {
  const { runId, leaseEpoch, nodeId } = lease;
  await tx.$queryRaw`
    SELECT job.job_id FROM job JOIN run USING (job_id) WHERE run_id = ${runId} FOR UPDATE OF job`;
  const rows = await tx.$queryRaw<LockedRun[]>`
    SELECT run.job_id AS "jobId", run.purpose, job.state AS "jobState", run.node_id AS "nodeId", run.slot, run.cancel_asked AS "cancelAsked",
      run.leave_code AS "leaveCode", run.checkpoint_sha256 AS "checkpointSha256", run.step
    FROM run JOIN job USING (job_id)
    WHERE run_id = ${runId} AND lease_epoch = ${leaseEpoch}::int AND run.state = 'leased'
      AND (${nodeId ?? null}::text IS NULL OR node_id = ${nodeId ?? null}::text)
    FOR UPDATE OF run`;
  return rows[0] ?? null;
};

/** Ends the lease's row. */
export const closeLease = async (
  tx: Transaction,
  { runId, leaseEpoch }: OpenLease,
  end: { outcome: LeaseOutcome; code?: string } & Partial<Omit<Breakage, 'code'>>,
  files: LeaseFiles = {},
): Promise<void> => {
  await tx.$executeRaw`
    UPDATE lease SET ended_at = now(), outcome = ${end.outcome}, blame = ${end.blame ?? null},
      code = ${end.code ?? null}, detail = ${end.detail ?? null}, hint = ${end.hint ?? null},
      step = ${end.step ?? null}, failure_sha256 = ${end.failureSha256 ?? null},
      log_sha256 = ${files.logSha256 ?? null}, metrics_sha256 = ${files.metricsSha256 ?? null}
    WHERE run_id = ${runId} AND lease_epoch = ${leaseEpoch}::int`;
};

/** The sealed log and metrics of a lease, by digest. */
export interface LeaseFiles {
  logSha256?: string | null;
  metricsSha256?: string | null;
}

const setRun = (
  tx: Transaction,
  runId: string,
  state: RunState,
  breakage: Breakage | null,
  waitSeconds: number,
  dropsCheckpoint: boolean,
) =>
  tx.$executeRaw`
    UPDATE run SET state = ${state}, node_id = NULL, slot = NULL, expires_at = NULL, heartbeat_at = NULL,
      leave_code = NULL, leave_reason = NULL,
      checkpoint_sha256 = CASE WHEN ${dropsCheckpoint} THEN NULL ELSE checkpoint_sha256 END,
      checkpoint_at = CASE WHEN ${dropsCheckpoint} THEN NULL ELSE checkpoint_at END,
      checkpoint_epoch = CASE WHEN ${dropsCheckpoint} THEN NULL ELSE checkpoint_epoch END,
      step = CASE WHEN ${state} = 'waiting' THEN NULL ELSE step END,
      progress = NULL,
      not_before = CASE WHEN ${waitSeconds}::float8 > 0 THEN now() + make_interval(secs => ${waitSeconds}::float8) END,
      blame = ${breakage?.blame ?? null}, code = ${breakage?.code ?? null},
      detail = ${breakage?.detail ?? null}, hint = ${breakage?.hint ?? null},
      ended_at = CASE WHEN ${state} <> 'waiting' THEN now() END
    WHERE run_id = ${runId}`;

const isWanted = ({ cancelAsked, jobState, purpose }: LockedRun): boolean =>
  !cancelAsked &&
  ((openJobStates as readonly JobState[]).includes(jobState) ||
    (purpose === 'check' && jobState === 'judged'));

/** For a LeaseEnd: what the end of the lease leaves behind. */
export const dropped = ({ checkpointSha256 }: LockedRun): Pick<LeaseEnd, 'droppedCheckpoint'> =>
  checkpointSha256 === null ? {} : { droppedCheckpoint: checkpointSha256 };

/** Ends a lease that brought no result. `outcome` is what the lease's row will say unless the run is cancelled. */
export const endWithoutResult = async (
  tx: Transaction,
  lease: OpenLease,
  locked: LockedRun,
  breakage: Breakage,
  outcome: 'broken' | 'given-back' | 'lost',
  files?: LeaseFiles,
): Promise<LeaseEnd> => {
  const { runId } = lease;
  const { jobId, jobState, nodeId, purpose } = locked;
  const { blame, code, detail } = breakage;
  const after = leaseEnding({
    outcome,
    blame,
    code,
    purpose,
    isWanted: isWanted(locked),
    hasBegun: locked.step !== null,
    earlier: await earlierLeases(tx, runId),
    nodeId,
    failureSha256: breakage.failureSha256,
    deviceMemory: code === 'device-memory' ? await deviceMemory(tx, locked) : undefined,
  });
  await noteSlot(tx, locked, after.lease.code === notBegun);
  if (after.nodeFaults === 'end') await countNodeFault(tx, nodeId, null);
  else if (after.nodeFaults === 'grow' && !(await isSameFault(tx, locked))) {
    await countNodeFault(tx, nodeId, detail);
  }
  await closeLease(tx, lease, { ...breakage, ...after.lease }, files);
  const reason = `${after.reason}: ${detail}`;
  // A run that is given up after leases that blamed others says why, and not only what its last lease met.
  const isGivenUp = after.run === 'broken' && (blame === 'node' || blame === 'farm');
  const said = isGivenUp ? { ...breakage, blame: after.blame, detail: reason } : breakage;
  const kept = after.run === 'waiting' ? null : said;
  const dropsCheckpoint = after.run !== 'waiting' || after.fromStart === true;
  await setRun(tx, runId, after.run, kept, after.waitSeconds, dropsCheckpoint);
  if (after.raiseTo !== undefined) {
    await tx.job.update({ where: { jobId }, data: { leastDeviceMemoryBytes: after.raiseTo } });
    await note(tx, {
      actor: 'farm',
      deed: 'jobs.raise-device-memory',
      subject: `job:${jobId}`,
      reason,
      facts: { runId, leastDeviceMemoryBytes: after.raiseTo },
    });
  }
  const job = after.job === null ? jobState : await moveFrom(tx, locked, after.job, reason);
  return { jobId, run: after.run, job, ...(dropsCheckpoint && dropped(locked)) };
};

/** Whether the node was blamed last for a run of the same job: one package, whatever it prints, drains no node. */
const isSameFault = async (tx: Transaction, { jobId, nodeId }: LockedRun): Promise<boolean> => {
  const last = await tx.lease.findFirst({
    where: { nodeId, outcome: { not: null } },
    orderBy: { endedAt: 'desc' },
    select: { blame: true, run: { select: { jobId: true } } },
  });
  return last !== null && last.blame === 'node' && last.run.jobId === jobId;
};

const earlierLeases = (tx: Transaction, runId: string) =>
  tx.lease.findMany({
    where: { runId, outcome: { not: null } },
    select: { blame: true, code: true, nodeId: true, failureSha256: true },
  });

/** Ends a lease without blame because the run was asked to leave, or its worker to stop: it waits with its checkpoint. */
export const endByLeave = async (
  tx: Transaction,
  lease: OpenLease,
  locked: LockedRun,
  left: { code: LeaveCode; detail: string; step: RunStep },
  files?: LeaseFiles,
): Promise<LeaseEnd> => {
  const { runId } = lease;
  const { jobId, jobState } = locked;
  const after = leaveEnding(left.code, {
    isWanted: isWanted(locked),
    earlier: await earlierLeases(tx, runId),
  });
  await closeLease(tx, lease, { ...left, ...after.lease }, files);
  const dropsCheckpoint = after.run !== 'waiting';
  await setRun(tx, runId, after.run, null, after.waitSeconds, dropsCheckpoint);
  return { jobId, run: after.run, job: jobState, ...(dropsCheckpoint && dropped(locked)) };
};

/** How much memory the lease's device has, what the job asks for, and what the next larger device of the farm has. */
const deviceMemory = async (tx: Transaction, { jobId, nodeId, slot }: LockedRun): Promise<DeviceMemory> => {
  const job = await tx.job.findUniqueOrThrow({ where: { jobId } });
  const nodes = await tx.node.findMany({
    where: { state: { in: ['approved', 'drained'] } },
    select: { nodeId: true, slots: true, accelerators: true },
  });
  const devicesOf = (node: (typeof nodes)[number]) =>
    slotsOfNode(node.slots, node.accelerators as unknown as Accelerator[]);
  const own = nodes.find((node) => node.nodeId === nodeId);
  return deviceMemoryOf({
    given: own ? (devicesOf(own)[slot]?.accelerators ?? []) : [],
    farm: nodes.flatMap((node) => devicesOf(node).flatMap(({ accelerators }) => accelerators)),
    demandedBytes: (job.demand as unknown as Demand).gpuMemoryBytes,
    raisedBytes: job.leastDeviceMemoryBytes,
  });
};

// A sibling run may have moved the job already: two runs that miss the same data are one data-wait.
const moveFrom = async (
  tx: Transaction,
  { jobId, jobState }: LockedRun,
  to: JobState,
  reason: string,
): Promise<JobState> => {
  try {
    return jobState === to ? to : (await moveJob(tx, { jobId, to, reason, actor: 'farm' })).state;
  } catch (error) {
    if (error instanceof Problem && error.code === 'conflict') return jobState;
    throw error;
  }
};

/** Whether the slot's worker answered: one that did not is asked later, one that did at once. */
export const noteSlot = async (
  tx: Transaction,
  { nodeId, slot }: Pick<LockedRun, 'nodeId' | 'slot'>,
  isSilent: boolean,
): Promise<void> => {
  const key = String(slot);
  if (!isSilent) {
    await tx.$executeRaw`
      UPDATE node SET silent_slots = silent_slots - ${key}::text WHERE node_id = ${nodeId} AND silent_slots ? ${key}::text`;
    return;
  }
  const [node] = await tx.$queryRaw<{ losses: number }[]>`
    SELECT COALESCE((silent_slots -> ${key}::text ->> 'losses')::int, 0) AS losses FROM node
    WHERE node_id = ${nodeId} FOR UPDATE`;
  const losses = (node?.losses ?? 0) + 1;
  await tx.$executeRaw`
    UPDATE node SET silent_slots = jsonb_set(silent_slots, ARRAY[${key}::text], jsonb_build_object(
      'losses', ${losses}::int, 'until', now() + make_interval(secs => ${slotSilenceSeconds(losses)}::float8)))
    WHERE node_id = ${nodeId}`;
};

/** Counts a fault of a node, or (null) ends its row of faults. */
export const countNodeFault = async (
  tx: Transaction,
  nodeId: string,
  fault: string | null,
): Promise<void> => {
  if (fault === null) {
    await tx.$executeRaw`UPDATE node SET faults_in_row = 0 WHERE node_id = ${nodeId} AND faults_in_row > 0`;
    return;
  }
  const [node] = await tx.$queryRaw<{ faultsInRow: number; isDrained: boolean }[]>`
    UPDATE node SET faults_in_row = faults_in_row + 1 WHERE node_id = ${nodeId}
    RETURNING faults_in_row AS "faultsInRow", state <> 'approved' AS "isDrained"`;
  if (!node || node.isDrained || !drainsNode(Array<Blame>(node.faultsInRow).fill('node'))) return;
  const reason = `${node.faultsInRow} runs in a row blamed this node, the last one: ${fault}`;
  await tx.$executeRaw`
    UPDATE node SET state = 'drained', state_reason = ${reason}, state_by = 'farm', state_at = now() WHERE node_id = ${nodeId}`;
  await note(tx, { actor: 'farm', deed: 'nodes.drain', subject: `node:${nodeId}`, reason });
};
