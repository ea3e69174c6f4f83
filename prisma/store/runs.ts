// Runs: executions of a job's recipe, one a place. Whoever writes in a run's name proves its lease in the same UPDATE:
// execution happens at least once, a result is recorded at most once (docs/reference/database.md).
import { nothingReserved, type Reservation } from '@retraind/shared/cost/reservation';
import { isAnswer } from '@retraind/shared/job/failure';
import type { LeaveCode } from '@retraind/shared/job/lease-end';
import { type Purpose, placesBeyond, type RunPlace } from '@retraind/shared/job/run-place';
import type { RunState, RunStep } from '@retraind/shared/job/states';
import type { Evidence, WithheldRecords } from '@retraind/shared/verdict/evidence';
import type { ReportOutcome } from '@retraind/shared/wire/messages';
import { Problem, type ProblemCode, problemTable } from '@retraind/shared/wire/problems';
import type { Connection, Database } from '../client.ts';
import { isDuplicate } from '../faults.ts';
import type { Lease, Prisma, Run as RunRow } from '../generated/client.ts';
import { newId } from './id.ts';
import { cancelRuns, type Job, jobOf } from './job-move.ts';
import {
  type Breakage,
  closeLease,
  countNodeFault,
  dropped,
  endByLeave,
  endWithoutResult,
  type LeaseEnd,
  type LeaseFiles,
  lockLease,
  noteSlot,
} from './lease-end.ts';
import { type Holder, refusal, requireHolder } from './lease-hold.ts';
import { boundPlaces } from './run-class.ts';
import { type SourceVersion, versionOf } from './versions.ts';

export type { Breakage, Holder, LeaseEnd, LeaseFiles };
export { requireHolder };
export type Run = Omit<RunRow, 'state' | 'step' | 'purpose' | 'withheld'> & {
  state: RunState;
  step: RunStep | null;
  purpose: Purpose;
  withheld: WithheldRecords[] | null;
};
const runOf = (row: RunRow): Run => row as unknown as Run;

/**
 * Makes the runs of these places that the job has not: cancelled and void ones are made anew, and broken ones, but not where the breakage is
 * an answer in itself (job/failure isAnswer). Returns the new ones' ids, in the order of the places.
 */
export const add = (db: Database, jobId: string, places: readonly RunPlace[]): Promise<string[]> =>
  db.$transaction(async (tx) => {
    const jobs = await tx.$queryRaw<
      { state: string }[]
    >`SELECT state FROM job WHERE job_id = ${jobId} FOR UPDATE`;
    const state = jobs[0]?.state;
    if (!state) throw new Problem('not-found', `There is no job ${jobId}`);
    if (state !== 'needs-retrain' && state !== 'retraining') {
      throw new Problem('conflict', `Job ${jobId} is ${state}: it gets no more runs`);
    }
    const all = (await tx.run.findMany({ where: { jobId } })).map(runOf);
    const kept = all.filter((run) =>
      run.state === 'broken' ? isAnswer(run) : run.state !== 'cancelled' && run.state !== 'void',
    );
    const missing = await boundPlaces(tx, jobId, placesBeyond(places, kept));
    const rows = missing.map(({ purpose, seedIndex, declaredSeed, numerics, repeat, class: bound }) => ({
      runId: newId(),
      jobId,
      ...{ purpose, seedIndex, declaredSeed, numerics, repeat, class: bound },
    }));
    await tx.run.createMany({ data: rows });
    return rows.map(({ runId }) => runId);
  });

/** A run with its leases (oldest first) and what it made. */
export type RunDetail = Run & { leases: Lease[]; outputs: ModelEvidence[]; references: ModelEvidence[] };

export interface ModelEvidence {
  model: string;
  sha256: string;
  evidence: Evidence;
}

const withAll = {
  leases: { orderBy: { leaseEpoch: 'asc' } },
  outputs: { orderBy: { model: 'asc' } },
  references: { orderBy: { model: 'asc' } },
} as const satisfies Prisma.RunInclude;

export const byId = async (db: Connection, runId: string): Promise<RunDetail | null> =>
  (await db.run.findUnique({ where: { runId }, include: withAll })) as unknown as RunDetail | null;

/** All runs of a job in the order of their seeds, declared ones first; of one place, the older first. */
export const ofJob = async (db: Connection, jobId: string): Promise<RunDetail[]> =>
  (await db.run.findMany({
    where: { jobId },
    orderBy: [
      { seedIndex: 'asc' },
      { purpose: 'desc' },
      { numerics: 'asc' },
      { repeat: 'asc' },
      { createdAt: 'asc' },
    ],
    include: withAll,
  })) as unknown as RunDetail[];

export interface LeaseWish {
  runId: string;
  nodeId: string;
  /** From 0. */
  slot: number;
  /** The devices that it may have; absent: none. */
  deviceIds?: string[];
  /** What is set aside for it, and what it will be billed by; absent: a CPU slot, for nobody knows how long. */
  reservation?: Reservation;
}

/**
 * Leases waiting runs to slots, all in one statement; answers the new epoch of each that got its slot. The others are left out: the
 * world has changed since it was looked at (the run is not waiting, its job wants none now, the node does not serve, the slot is
 * taken, or a device of it is another run's).
 */
export const leaseAll = async (
  db: Database,
  wishes: readonly LeaseWish[],
  leaseSeconds: number,
): Promise<Map<string, number>> => {
  if (wishes.length === 0) return new Map();
  const rows = wishes.map(({ runId, nodeId, slot, deviceIds = [], reservation = nothingReserved }) => {
    const { gpus, device, hours, watts } = reservation;
    return {
      run_id: runId,
      node_id: nodeId,
      slot,
      device_ids: deviceIds,
      gpus,
      device,
      reserved_hours: hours,
      watts,
    };
  });
  try {
    const leased = await db.$queryRaw<{ runId: string; leaseEpoch: number }[]>`
      WITH wish AS (
        SELECT * FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
          AS wish(run_id text, node_id text, slot int, device_ids text[], gpus int, device text, reserved_hours float8, watts float8)
      ), wanted AS (
        -- Locked in one order, so that two leaders never wait for each other.
        SELECT job.job_id, job.state FROM job
        WHERE job.job_id IN (SELECT run.job_id FROM run JOIN wish USING (run_id))
          AND job.state IN ('needs-retrain', 'retraining', 'judged')
          AND NOT EXISTS (SELECT FROM release WHERE release.release_id = job.release_id AND release.state = 'paused')
        ORDER BY job.job_id FOR UPDATE
      ), leased AS (
        UPDATE run SET state = 'leased', lease_epoch = lease_epoch + 1, node_id = wish.node_id, slot = wish.slot,
          step = NULL, progress = NULL, not_before = NULL, heartbeat_at = now(),
          promised_node_id = NULL, promised_slot = NULL, promised_until = NULL,
          expires_at = now() + make_interval(secs => ${leaseSeconds}::float8)
        FROM wish
        WHERE run.run_id = wish.run_id AND run.state = 'waiting' AND (not_before IS NULL OR not_before <= now())
          AND run.job_id IN (SELECT job_id FROM wanted WHERE wanted.state <> 'judged' OR run.purpose = 'check')
          AND EXISTS (SELECT FROM node WHERE node.node_id = wish.node_id AND node.state = 'approved'
                      AND node.slots > wish.slot)
          -- A node that was registered anew with other slots: a device stays with the run that has it.
          AND (cardinality(wish.device_ids) = 0 OR NOT EXISTS (SELECT FROM lease WHERE lease.node_id = wish.node_id
               AND lease.outcome IS NULL AND lease.device_ids && wish.device_ids))
        RETURNING run.run_id, run.job_id, lease_epoch, run.node_id, run.slot, checkpoint_sha256,
          wish.device_ids, wish.gpus, wish.device, wish.reserved_hours, wish.watts
      ), rows AS (
        INSERT INTO lease (run_id, lease_epoch, node_id, slot, resumed_from, device_ids, gpus, device, reserved_hours, watts)
        SELECT run_id, lease_epoch, node_id, slot, checkpoint_sha256, device_ids, gpus, device, reserved_hours, watts FROM leased
      ), begun AS (
        UPDATE job SET state = 'retraining', state_at = now()
        WHERE job_id IN (SELECT job_id FROM leased) AND state = 'needs-retrain'
      )
      SELECT run_id AS "runId", lease_epoch AS "leaseEpoch" FROM leased`;
    return new Map(leased.map(({ runId, leaseEpoch }) => [runId, leaseEpoch]));
  } catch (error) {
    if (!isDuplicate(error)) throw error;
    // A slot holds another run's open lease. Alone, each of the others gets its own.
    if (wishes.length === 1) return new Map();
    const alone = new Map<string, number>();
    for (const wish of wishes) {
      for (const [runId, leaseEpoch] of await leaseAll(db, [wish], leaseSeconds))
        alone.set(runId, leaseEpoch);
    }
    return alone;
  }
};

/** Leases one run; its epoch, or null where the world has changed. */
export const lease = async (
  db: Database,
  { leaseSeconds, ...wish }: LeaseWish & { leaseSeconds: number },
): Promise<number | null> => (await leaseAll(db, [wish], leaseSeconds)).get(wish.runId) ?? null;

/** What a lease asks for: everything that an `Assignment` is made of. */
export interface AssignedRun {
  run: Run;
  /** Devices of the node that it may have. */
  deviceIds: string[];
  job: Job;
  package: SourceVersion;
  suite: { name: string; sources: string };
}

/** The run behind a lease. Throws `lease-lost`, `not-your-run`, `not-found`. */
export const assignment = async (db: Connection, holder: Holder): Promise<AssignedRun> => {
  await requireHolder(db, holder);
  const { runId, leaseEpoch } = holder;
  const { job, leases, ...run } = await db.run.findUniqueOrThrow({
    where: { runId },
    include: {
      job: { include: { package: { include: { inSuite: true } } } },
      leases: { where: { leaseEpoch }, select: { deviceIds: true } },
    },
  });
  const { package: version, ...jobRow } = job;
  const { inSuite, ...versionRow } = version;
  const { deviceIds } = leases[0]!;
  return {
    run: runOf(run),
    deviceIds,
    job: jobOf(jobRow),
    package: versionOf(versionRow),
    suite: inSuite,
  };
};

export interface Beat extends Holder {
  step: RunStep;
  /** Fraction of the step, 0..1. */
  progress: number | null;
  /** The lease lasts this long from now. */
  leaseSeconds: number;
}

/** What a worker is told for a sign of life. */
export interface BeatAnswer {
  cancel: boolean;
  /** Absent where the run may go on; else why it is to leave its slot, with its checkpoint. */
  leave?: { code: LeaveCode; reason: string };
}

/** A sign of life of a run and of its node. Throws `lease-lost`, `not-your-run`, `not-found`. */
export const heartbeat = async (db: Connection, beat: Beat): Promise<BeatAnswer> => {
  const { runId, leaseEpoch, nodeId, step, progress, leaseSeconds } = beat;
  const rows = await db.$queryRaw<{ cancel: boolean; code: LeaveCode | null; reason: string }[]>`
    WITH beat AS (
      UPDATE run SET step = ${step}, progress = ${progress}::float8, heartbeat_at = now(),
        expires_at = now() + make_interval(secs => ${leaseSeconds}::float8)
      WHERE run_id = ${runId} AND lease_epoch = ${leaseEpoch}::int AND node_id = ${nodeId} AND state = 'leased'
      RETURNING node_id, cancel_asked, leave_code, leave_reason
    ), seen AS (
      UPDATE node SET seen_at = now() FROM beat WHERE node.node_id = beat.node_id
    )
    SELECT cancel_asked AS cancel, leave_code AS code, leave_reason AS reason FROM beat`;
  if (!rows[0]) throw await refusal(db, beat);
  const { cancel, code, reason } = rows[0];
  return { cancel, ...(code !== null && { leave: { code, reason } }) };
};

export interface Report extends Holder, LeaseFiles {
  outcome: ReportOutcome;
}

/**
 * Ends a lease as its node tells, once: a result with its evidence, or what broke and whose fault it is (the consequences
 * for run, job and node are the table above lease-end.ts). Throws `lease-lost`, `not-your-run`, `not-found`.
 */
export const report = (
  db: Database,
  { outcome, logSha256, metricsSha256, ...holder }: Report,
): Promise<LeaseEnd> =>
  db.$transaction(async (tx) => {
    const files = { logSha256, metricsSha256 };
    const locked = await lockLease(tx, holder);
    if (!locked) throw await refusal(tx, holder);
    if (outcome.kind === 'broken') {
      return endWithoutResult(tx, holder, locked, breakageOf(outcome), 'broken', files);
    }
    if (outcome.kind === 'given-back') return endByLeave(tx, holder, locked, outcome, files);
    const { runId } = holder;
    const { energyWattHours: energy } = outcome;
    if (energy) {
      await tx.$executeRaw`
        UPDATE lease SET watt_hours = ${energy.value}::float8, energy_source = ${energy.source}
        WHERE run_id = ${runId} AND lease_epoch = ${holder.leaseEpoch}::int`;
    }
    await closeLease(tx, holder, { outcome: 'reported' }, files);
    await tx.$executeRaw`
      UPDATE run SET state = 'reported', node_id = NULL, slot = NULL, expires_at = NULL, heartbeat_at = NULL,
        leave_code = NULL, leave_reason = NULL, checkpoint_sha256 = NULL, checkpoint_epoch = NULL, checkpoint_at = NULL,
        step = 'report', progress = 1, ended_at = now(), seed = ${outcome.seed}::int, engine = ${outcome.engine},
        taints = ${outcome.taints}::text[], retraininfo_sha256 = ${outcome.retraininfoSha256},
        provenance_sha256 = ${outcome.provenanceSha256}, train_seconds = ${outcome.trainSeconds}::float8,
        withheld = ${outcome.withheld ? JSON.stringify(outcome.withheld) : null}::jsonb
      WHERE run_id = ${runId}`;
    await tx.runOutput.createMany({ data: outcome.outputs.map((result) => evidenceRow(runId, result)) });
    await tx.reference.createMany({ data: outcome.references.map((result) => evidenceRow(runId, result)) });
    await noteSlot(tx, locked, false);
    await countNodeFault(tx, locked.nodeId, null);
    return { jobId: locked.jobId, run: 'reported', job: locked.jobState, ...dropped(locked) };
  });

// The wire takes any short text as a code, so that an old farm understands a newer worker; here it must be one we know.
const breakageOf = ({ code, ...said }: Extract<ReportOutcome, { kind: 'broken' }>): Breakage => ({
  ...said,
  code: code in problemTable ? (code as ProblemCode) : 'internal',
});

type ModelResult = Extract<ReportOutcome, { kind: 'reported' }>['outputs'][number];
const evidenceRow = (runId: string, { model, evidence }: ModelResult) => ({
  runId,
  model,
  sha256: evidence.file.sha256,
  evidence: evidence as unknown as Prisma.InputJsonObject,
});

export interface GiveBack extends LeaseFiles {
  runId: string;
  leaseEpoch: number;
  /** `lost`: nothing was heard in time. `given-back`: the node or the farm could not go on. */
  outcome: 'lost' | 'given-back';
  blame: 'node' | 'farm';
  detail: string;
}

/**
 * Ends an open lease without blame on the package: the run waits for its next epoch with the same seed (the fifth time it
 * is broken, blame `farm`). Null where the lease had ended already: the node was quicker.
 */
export const giveBack = (
  db: Database,
  { outcome, blame, detail, logSha256, metricsSha256, ...open }: GiveBack,
): Promise<LeaseEnd | null> =>
  db.$transaction(async (tx) => {
    const locked = await lockLease(tx, open);
    const code = outcome === 'lost' ? 'lease-lost' : 'conflict';
    const files = { logSha256, metricsSha256 };
    return locked && endWithoutResult(tx, open, locked, { blame, code, detail, hint: null }, outcome, files);
  });

/** Ends an open lease with the fault of somebody, where the farm itself finds it. Null where it had ended already. */
export const breakRun = (
  db: Database,
  open: { runId: string; leaseEpoch: number },
  breakage: Breakage,
): Promise<LeaseEnd | null> =>
  db.$transaction(async (tx) => {
    const locked = await lockLease(tx, open);
    return locked && endWithoutResult(tx, open, locked, breakage, 'broken');
  });

export interface ExpiredLease {
  runId: string;
  jobId: string;
  leaseEpoch: number;
  nodeId: string;
  slot: number;
  expiresAt: Date;
}

/** Leases whose time is over by the database's clock, oldest first. Their end is `giveBack` with `lost`. */
export const expired = (db: Connection): Promise<ExpiredLease[]> =>
  db.$queryRaw<ExpiredLease[]>`
    SELECT run_id AS "runId", job_id AS "jobId", lease_epoch AS "leaseEpoch", node_id AS "nodeId", slot,
      expires_at AS "expiresAt"
    FROM run WHERE state = 'leased' AND expires_at < now() ORDER BY expires_at`;

/** A lease that no worker has begun. */
export interface UnbegunLease {
  runId: string;
  leaseEpoch: number;
  nodeId: string;
  slot: number;
}

/** Open leases without a first heartbeat that are older than `seconds`: their ring may be lost. Oldest first. */
export const unbegun = (db: Connection, seconds: number): Promise<UnbegunLease[]> =>
  db.$queryRaw<UnbegunLease[]>`
    SELECT run_id AS "runId", lease_epoch AS "leaseEpoch", node_id AS "nodeId", slot
    FROM run WHERE state = 'leased' AND step IS NULL AND NOT cancel_asked AND heartbeat_at < now() - make_interval(secs => ${seconds}::float8)
    ORDER BY heartbeat_at`;

/** Ends the runs of a job: waiting ones at once, leased ones are asked to stop at their next heartbeat. */
export const cancelOfJob = (db: Connection, jobId: string): Promise<void> => cancelRuns(db, jobId);
