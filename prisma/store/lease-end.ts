// How a lease ends, in one transaction: the job's row is locked first, then the run, the lease and the node, in this
// order everywhere, so that no two deeds wait for each other.
//
//   blame / code      run                     job          node
//   recipe, budget    broken                  attempted    well again
//   data              waiting                 data-wait    well again
//   code dep-wait     waiting                 dep-wait     well again
//   node, farm, lost  waiting; the fifth time (as it was;  a fault of its own counts,
//                     broken(farm)            attempted)   three in a row drain it
//   lost before it began    waiting, after a longer wait each time; nobody is blamed for good
//   cancelled, or the job wants it no more:   cancelled
import type { Blame, JobState, LeaseOutcome, RunState } from '@retraind/shared/job/states';
import { openJobStates } from '@retraind/shared/job/states';
import type { ProblemCode } from '@retraind/shared/wire/problems';
import { Problem } from '@retraind/shared/wire/problems';
import type { Transaction } from '../client.ts';
import { note } from './audit.ts';
import { moveJob } from './jobs.ts';

/** Leases of one run that may end without blame on the package (node, farm, lost) before the farm takes the blame. */
export const maxGiveBacks = 5;
/** Give-backs in a row with blame `node` that drain a node. */
export const maxNodeFaults = 3;
/** Wait before the next lease after blame `farm`: doubles with each give-back, seconds. */
const backoffSeconds = { first: 10, most: 600 };

export interface Breakage {
  blame: Blame;
  code: ProblemCode | (string & {});
  detail: string;
  hint: string | null;
}

/** What became of run and job. */
export interface LeaseEnd {
  jobId: string;
  run: RunState;
  job: JobState;
}

export interface OpenLease {
  runId: string;
  leaseEpoch: number;
  /** Checked where a node asks; absent where the scheduler does. */
  nodeId?: string;
}

interface LockedRun {
  jobId: string;
  jobState: JobState;
  nodeId: string;
  cancelAsked: boolean;
  /** Null: no heartbeat has come yet. */
  step: string | null;
}

/** Code of a lease that ended before its worker had begun. It costs no GPU-hour, so it does not count towards the limit. */
const notBegun = 'not-begun';

/** Locks job and run of an open lease; null where the lease is not open (or not this node's). */
export const lockLease = async (tx: Transaction, lease: OpenLease): Promise<LockedRun | null> => {
  const { runId, leaseEpoch, nodeId } = lease;
  await tx.$queryRaw`
    SELECT job.job_id FROM job JOIN run USING (job_id) WHERE run_id = ${runId} FOR UPDATE OF job`;
  const rows = await tx.$queryRaw<LockedRun[]>`
    SELECT run.job_id AS "jobId", job.state AS "jobState", run.node_id AS "nodeId", run.cancel_asked AS "cancelAsked",
      run.step
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
  end: { outcome: LeaseOutcome; blame?: Blame; code?: string; detail?: string },
  files: LeaseFiles = {},
): Promise<void> => {
  await tx.$executeRaw`
    UPDATE lease SET ended_at = now(), outcome = ${end.outcome}, blame = ${end.blame ?? null},
      code = ${end.code ?? null}, detail = ${end.detail ?? null},
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
) =>
  tx.$executeRaw`
    UPDATE run SET state = ${state}, node_id = NULL, slot = NULL, expires_at = NULL, heartbeat_at = NULL,
      step = CASE WHEN ${state} = 'waiting' THEN NULL ELSE step END,
      progress = NULL,
      not_before = CASE WHEN ${waitSeconds}::float8 > 0 THEN now() + make_interval(secs => ${waitSeconds}::float8) END,
      blame = ${breakage?.blame ?? null}, code = ${breakage?.code ?? null},
      detail = ${breakage?.detail ?? null}, hint = ${breakage?.hint ?? null},
      ended_at = CASE WHEN ${state} <> 'waiting' THEN now() END
    WHERE run_id = ${runId}`;

const isWanted = ({ cancelAsked, jobState }: LockedRun): boolean =>
  !cancelAsked && (openJobStates as readonly JobState[]).includes(jobState);

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
  const { jobId, jobState, nodeId } = locked;
  const { blame, code, detail } = breakage;
  const said = { blame, code, detail };

  if (blame === 'cancelled' || !isWanted(locked)) {
    await closeLease(tx, lease, { ...said, outcome: outcome === 'lost' ? 'lost' : 'cancelled' }, files);
    await setRun(tx, runId, 'cancelled', breakage, 0);
    return { jobId, run: 'cancelled', job: jobState };
  }
  // Before anything is counted: a worker that is away has no fault, and its node is not drained for it.
  if (outcome === 'lost' && locked.step === null) {
    await closeLease(tx, lease, { ...said, code: notBegun, outcome }, files);
    const before = await tx.lease.count({ where: { runId, code: notBegun } });
    await setRun(tx, runId, 'waiting', null, Math.min(2 ** (before - 1), backoffSeconds.most));
    return { jobId, run: 'waiting', job: jobState };
  }
  await countNodeFault(tx, nodeId, blame === 'node' ? detail : null);
  const waits = code === 'dep-wait' ? 'dep-wait' : blame === 'data' ? 'data-wait' : null;
  if (waits) {
    await closeLease(tx, lease, { ...said, outcome: 'given-back' }, files);
    await setRun(tx, runId, 'waiting', null, 0);
    return { jobId, run: 'waiting', job: await moveFrom(tx, locked, waits, detail) };
  }
  if (blame === 'node' || blame === 'farm') {
    await closeLease(tx, lease, { ...said, outcome: outcome === 'lost' ? 'lost' : 'given-back' }, files);
    const giveBacks = await tx.lease.count({
      where: {
        runId,
        outcome: { in: ['given-back', 'lost'] },
        blame: { in: ['node', 'farm'] },
        NOT: { code: notBegun },
      },
    });
    if (giveBacks < maxGiveBacks) {
      const wait = Math.min(backoffSeconds.first * 2 ** (giveBacks - 1), backoffSeconds.most);
      await setRun(tx, runId, 'waiting', null, blame === 'farm' && outcome !== 'lost' ? wait : 0);
      return { jobId, run: 'waiting', job: jobState };
    }
    const last: Breakage = {
      ...breakage,
      blame: 'farm',
      detail: `given back ${giveBacks} times, the last time: ${detail}`,
    };
    await setRun(tx, runId, 'broken', last, 0);
    return { jobId, run: 'broken', job: await moveFrom(tx, locked, 'attempted', last.detail) };
  }
  await closeLease(tx, lease, { ...said, outcome: 'broken' }, files);
  await setRun(tx, runId, 'broken', breakage, 0);
  return { jobId, run: 'broken', job: await moveFrom(tx, locked, 'attempted', detail) };
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
  const reason = `${maxNodeFaults} runs in a row blamed this node, the last one: ${fault}`;
  const drained = await tx.$queryRaw<{ drained: boolean }[]>`
    UPDATE node SET faults_in_row = faults_in_row + 1,
      drained_at = CASE WHEN faults_in_row + 1 >= ${maxNodeFaults}::int THEN COALESCE(drained_at, now()) ELSE drained_at END,
      drain_reason = CASE WHEN faults_in_row + 1 >= ${maxNodeFaults}::int THEN COALESCE(drain_reason, ${reason}) ELSE drain_reason END
    WHERE node_id = ${nodeId}
    RETURNING faults_in_row = ${maxNodeFaults}::int AS drained`;
  if (drained[0]?.drained)
    await note(tx, { actor: 'farm', deed: 'nodes.drain', subject: `node:${nodeId}`, reason });
};
