// Jobs: wishes to retrain the models of a package for a suite.
import { type JobState, jobMayMove, openJobStates } from '@retraind/shared/job/states';
import type { Demand } from '@retraind/shared/policy/world';
import { Problem } from '@retraind/shared/wire/problems';
import type { Connection, Database, Transaction } from '../client.ts';
import { isDuplicate } from '../faults.ts';
import type { Prisma } from '../generated/client.ts';
import { note } from './audit.ts';
import { newId } from './id.ts';
import { beginningOf, bornAs } from './job-birth.ts';
import { type Job, jobOf, moveJob } from './job-move.ts';
import { type Holder, requireHolder } from './lease-hold.ts';
import { hasChanged, replace } from './overlay.ts';
import { recordClass } from './run-class.ts';
import { type SourceVersion, versionOf } from './versions.ts';

export type { Job };

export interface JobRequest {
  suite: string;
  source: string;
  /** The suite's current version where absent. */
  version?: string | null;
  seedOverride?: string | null;
  priority?: number;
  reason?: string;
  requestedBy: string;
  /** Asked for by an admin in spite of the ledger. */
  override?: boolean;
  /** The release that asks: an open job of the same wish becomes part of it. */
  releaseId?: string;
  /** `Idempotency-Key` of the POST, and the digest of its body. */
  idempotency?: { key: string; requestSha256: string };
}

/**
 * Asks for a retrain. The same open wish is one job: asked again, it is returned with `created: false`. Throws Problem
 * `not-found` for a package that the suite has not, `conflict` for an idempotency key that was used for another request.
 */
export const request = async (db: Database, wish: JobRequest): Promise<{ job: Job; created: boolean }> => {
  try {
    return await db.$transaction((tx) => requestOnce(tx, wish));
  } catch (error) {
    // Another request was quicker: its job is there now, and the second look finds it.
    if (!isDuplicate(error)) throw error;
    return db.$transaction((tx) => requestOnce(tx, wish));
  }
};

export const requestOnce = async (
  tx: Transaction,
  wish: JobRequest,
): Promise<{ job: Job; created: boolean }> => {
  const { suite, source, requestedBy, idempotency, releaseId, override = false } = wish;
  if (idempotency) {
    const where = { actor_key: { actor: requestedBy, key: idempotency.key } };
    const answered = await tx.idempotencyKey.findUnique({ where, include: { job: true } });
    if (answered && answered.requestSha256 !== idempotency.requestSha256) {
      throw new Problem('conflict', 'The Idempotency-Key was used for another request', 'take a new key');
    }
    if (answered) return { job: jobOf(answered.job), created: false };
  }
  const version = await tx.sourceVersion.findFirst({
    where: { suite, source, ...(wish.version ? { version: wish.version } : { state: 'current' }) },
  });
  if (!version) {
    const what = wish.version ? `${source} ${wish.version}` : source;
    throw new Problem(
      'not-found',
      `Suite ${suite} has no ${what} with a recipe`,
      'see RECIPE: the tag, or an overlay',
    );
  }
  const same = {
    suite,
    source,
    version: version.version,
    seedOverride: wish.seedOverride ?? null,
  };
  const open = await tx.job.findFirst({ where: { ...same, state: { in: [...openJobStates] } } });
  const birth = open ? null : await beginningOf(tx, versionOf(version), { requestedBy, override });
  // What the ledger refuses is refused by one job, however often it is asked for.
  const refused = birth?.ledgerId
    ? await tx.job.findFirst({ where: { ...same, state: 'auto-not-for-us', ledgerId: birth.ledgerId } })
    : null;
  const known = open ?? refused;
  if (known && releaseId && known.releaseId === null) {
    await tx.job.update({ where: { jobId: known.jobId }, data: { releaseId } });
  }
  const row =
    known ??
    (await tx.job.create({
      data: {
        ...same,
        jobId: newId(),
        jobSeed: same.seedOverride,
        priority: wish.priority ?? 0,
        requestedBy,
        releaseId: releaseId ?? null,
        ...bornAs(birth!, wish.reason ?? ''),
      },
    }));
  if (idempotency) {
    await tx.idempotencyKey.create({ data: { actor: requestedBy, ...idempotency, jobId: row.jobId } });
  }
  if (!known) {
    await note(tx, {
      actor: requestedBy,
      deed: override ? 'jobs.override' : 'jobs.request',
      subject: `job:${row.jobId}`,
      reason: wish.reason ?? '',
      facts: { state: row.state },
    });
  }
  return { job: jobOf(row), created: !known };
};

/** A job with the version that it is for. */
export type JobDetail = Job & { package: SourceVersion };

export const byId = async (db: Connection, jobId: string): Promise<JobDetail | null> => {
  const row = await db.job.findUnique({ where: { jobId }, include: { package: true } });
  return row && { ...jobOf(row), package: versionOf(row.package) };
};

export interface JobFilter {
  suite?: string;
  source?: string;
  states?: readonly JobState[];
  releaseId?: string;
}

/** Where a page ends: the next one begins behind it. */
export interface JobCursor {
  createdAt: Date;
  jobId: string;
}

/** Jobs, newest first. `next` is null on the last page. */
export const page = async (
  db: Connection,
  { suite, source, states, releaseId }: JobFilter,
  limit: number,
  after: JobCursor | null = null,
): Promise<{ jobs: Job[]; next: JobCursor | null }> => {
  const behind = after && {
    OR: [{ createdAt: { lt: after.createdAt } }, { createdAt: after.createdAt, jobId: { lt: after.jobId } }],
  };
  const rows = await db.job.findMany({
    where: { suite, source, releaseId, ...(states ? { state: { in: [...states] } } : {}), ...(behind ?? {}) },
    orderBy: [{ createdAt: 'desc' }, { jobId: 'desc' }],
    take: limit + 1,
  });
  const jobs = rows.slice(0, limit).map(jobOf);
  const last = jobs.at(-1);
  return {
    jobs,
    next: rows.length > limit && last ? { createdAt: last.createdAt, jobId: last.jobId } : null,
  };
};

/** All jobs of a source package, newest first. */
export const ofPackage = async (db: Connection, source: string, suite?: string): Promise<Job[]> =>
  (
    await db.job.findMany({ where: { source, suite }, orderBy: [{ createdAt: 'desc' }, { jobId: 'desc' }] })
  ).map(jobOf);

/** Jobs that still ask something of the farm, oldest first. */
export const open = async (db: Connection): Promise<Job[]> =>
  (
    await db.job.findMany({
      where: { state: { in: [...openJobStates] } },
      orderBy: [{ createdAt: 'asc' }, { jobId: 'asc' }],
    })
  ).map(jobOf);

/**
 * Moves a job; leaving the open states cancels its runs. Throws Problem `conflict` where shared/job/states forbids the
 * move from the state the job is in now, `not-found` for no such job.
 */
export const move = (
  db: Database,
  jobId: string,
  to: JobState,
  reason: string,
  actor = 'scheduler',
): Promise<Job> => db.$transaction((tx) => moveJob(tx, { jobId, to, reason, actor }));

export const supersede = (db: Database, jobId: string, reason: string, actor = 'scheduler'): Promise<Job> =>
  move(db, jobId, 'superseded', reason, actor);

export const cancel = (db: Database, jobId: string, reason: string, actor: string): Promise<Job> =>
  move(db, jobId, 'cancelled', reason, actor);

/**
 * Lets a job be tried again that waits, has ended or was refused. Where the farm has another overlay now, another job takes its
 * place: the runs of one job are all of one recipe. Answers the job that needs a retrain now.
 */
export const giveBack = (db: Database, jobId: string, reason: string, actor: string): Promise<Job> =>
  db.$transaction(async (tx) => {
    await tx.$queryRaw`SELECT job_id FROM job WHERE job_id = ${jobId} FOR UPDATE`;
    const job = await byId(tx, jobId);
    if (job === null || !hasChanged(job) || !jobMayMove(job.state, 'needs-retrain')) {
      return moveJob(tx, { jobId, to: 'needs-retrain', reason, actor });
    }
    const override = job.state === 'not-for-us' || job.state === 'auto-not-for-us';
    return replace(tx, job, { reason, actor, override });
  });

/**
 * Lets a job go on that waits for an approval. Problem `conflict` where none was asked for, or it was given.
 */
export const approve = (db: Database, jobId: string, reason: string, actor: string): Promise<Job> =>
  db.$transaction(async (tx) => {
    const { count } = await tx.job.updateMany({
      where: { jobId, approvalAskedAt: { not: null }, approvedAt: null },
      data: { approvedAt: new Date(), approvedBy: actor },
    });
    if (count === 0) throw new Problem('conflict', `Job ${jobId} waits for no approval`);
    await note(tx, { actor, deed: 'jobs.approve', subject: `job:${jobId}`, reason });
    return moveJob(tx, { jobId, to: 'needs-retrain', reason: `approved by ${actor}: ${reason}`, actor });
  });

/** More would not place a run better. */
const mostDataDigests = 64;

export interface RecipeToRecord extends Holder {
  /** Text of debian/retrain/control. */
  control: string;
  jobSeed: string;
  /** What the recipe asks of a slot (shared/policy/world demandOfRecipe). */
  demand: Demand;
  /** sha256 of the data files that it pins. */
  dataDigests?: readonly string[];
}

/**
 * Records the recipe that a run found. The first run decides; a later one must have found the same, else Problem
 * `conflict`. Throws `lease-lost` or `not-your-run` where the run is not the caller's.
 */
export const recordRecipe = (
  db: Database,
  { control, jobSeed, demand, dataDigests = [], ...holder }: RecipeToRecord,
): Promise<Job> =>
  db.$transaction(async (tx) => {
    const { jobId } = await requireHolder(tx, holder);
    await tx.$queryRaw`SELECT job_id FROM job WHERE job_id = ${jobId} FOR UPDATE`;
    const row = await tx.job.findUniqueOrThrow({ where: { jobId } });
    const differs = (row.control ?? control) !== control || (row.jobSeed ?? jobSeed) !== jobSeed;
    if (differs)
      throw new Problem(
        'conflict',
        `Run ${holder.runId} found another recipe or job seed than the runs before`,
      );
    await recordClass(tx, holder, demand);
    if (row.control !== null) return jobOf(row);
    const { estimateSeconds } = jobOf(row).demand;
    const data = {
      control,
      jobSeed,
      controlAt: new Date(),
      dataDigests: [...new Set(dataDigests)].slice(0, mostDataDigests),
      // How long runs take was learnt elsewhere.
      demand: { ...demand, estimateSeconds } as unknown as Prisma.InputJsonObject,
    };
    return jobOf(await tx.job.update({ where: { jobId }, data }));
  });
