// A job keeps the overlay with which it began: its runs are all of one recipe. When the farm has another one,
//
//   nobody has begun the job ──► it takes the new overlay       its runs run, or are judged ──► it goes on as it began
//   its recipe broke it      ──► superseded, and a new job of the same wish, where its asker would have one
//
// One overlay is tried once for a wish: neither an unchanged one nor one that is put back starts anything.
import { jobMayMove, openJobStates } from '@retraind/shared/job/states';
import { type Asker, retryDue } from '@retraind/shared/policy/retrain';
import type { RetrainPolicy } from '@retraind/shared/recipe/recipe';
import type { Database, Transaction } from '../client.ts';
import { isDuplicate } from '../faults.ts';
import { Prisma } from '../generated/client.ts';
import { note } from './audit.ts';
import { newId } from './id.ts';
import { beginningOf, bornAs } from './job-birth.ts';
import { type Job, jobOf, moveJob } from './job-move.ts';
import { type SourceVersion, versionOf } from './versions.ts';

/** How a recipe ends a job that another recipe may not end so. An auto-not-for-us of the ledger is not the recipe's. */
const brokenByRecipe = ['attempted', 'failed', 'dep-wait', 'data-wait'] as const;
/** Where a job stands before its first lease. */
const unbegun = ['needs-retrain', 'budget-wait', 'held'];

type Judged = Job & { package: SourceVersion };

/** Whether the overlay in force is another one than the job's. */
export const hasChanged = ({ overlaySha256, package: version }: Judged): boolean =>
  version.state === 'current' && overlaySha256 !== version.overlaySha256;

/** Gives the overlay in force to the jobs of a version that nobody has begun. */
export const takeUp = async (tx: Transaction, version: SourceVersion): Promise<void> => {
  const { suite, source, version: name, overlaySha256 } = version;
  const waiting = await tx.$queryRaw<{ jobId: string; requestedBy: string }[]>`
    SELECT job_id AS "jobId", requested_by AS "requestedBy" FROM job
    WHERE suite = ${suite} AND source = ${source} AND version = ${name} AND state = ANY(${unbegun})
      AND overlay_sha256 IS DISTINCT FROM ${overlaySha256} ORDER BY job_id FOR UPDATE`;
  for (const { jobId, requestedBy } of waiting) {
    // A statement of its own: it sees a lease that was made while the row's lock was waited for.
    if ((await tx.lease.count({ where: { run: { jobId } } })) > 0) continue;
    const { demand } = await beginningOf(tx, version, { requestedBy, override: false });
    const wanted = demand as unknown as Prisma.InputJsonObject;
    await tx.job.update({ where: { jobId }, data: { overlaySha256, demand: wanted } });
  }
};

const short = (sha256: string | null): string =>
  sha256 === null ? "the package's own recipe" : `overlay ${sha256.slice(0, 12)}`;

/** Puts a new job of the same wish, under the overlay in force, in the place of a job whose row is locked. */
export const replace = async (
  tx: Transaction,
  job: Judged,
  { reason, actor, override }: { reason: string; actor: string; override: boolean },
): Promise<Job> => {
  const { jobId, suite, source, version, seedOverride, priority, requestedBy, releaseId } = job;
  const newJobId = newId();
  const change = `${short(job.overlaySha256)} was in force, ${short(job.package.overlaySha256)} is now`;
  const why = `job ${newJobId} takes its place: ${change}`;
  // What a person cancelled stays cancelled.
  if (jobMayMove(job.state, 'superseded')) await moveJob(tx, { jobId, to: 'superseded', reason: why, actor });
  const birth = await beginningOf(tx, job.package, { requestedBy, override });
  const wish = { suite, source, version, seedOverride, priority, requestedBy, releaseId };
  const row = await tx.job.create({
    data: { ...wish, jobId: newJobId, jobSeed: seedOverride, ...bornAs(birth, reason) },
  });
  const facts = { inPlaceOf: jobId, state: row.state, overlaySha256: row.overlaySha256 };
  await note(tx, { actor, deed: 'jobs.replace', subject: `job:${newJobId}`, reason, facts });
  return jobOf(row);
};

export interface Retried {
  jobId: string;
  /** The job that took its place. */
  newJobId: string;
  source: string;
  version: string;
}

interface Candidate {
  jobId: string;
  asker: Asker;
  policy: RetrainPolicy;
}

/**
 * Jobs that their recipe broke, of which the farm has another overlay now that was not tried for this wish yet: a new job takes the
 * place of each, where policy, a release that goes on, or a person asked for it. May be called at any time, by several at once.
 */
export const retryChanged = async (db: Database): Promise<Retried[]> => {
  const retried: Retried[] = [];
  for (const { jobId, asker, policy } of await candidates(db)) {
    const due = retryDue(policy, asker);
    if (!due.due) continue;
    try {
      const made = await db.$transaction((tx) => retryOne(tx, jobId, due.reason));
      if (made) retried.push(made);
    } catch (error) {
      // Somebody asked for the same meanwhile: that job has the overlay in force.
      if (!isDuplicate(error)) throw error;
    }
  }
  return retried;
};

const broken = Prisma.sql`(job.state IN (${Prisma.join([...brokenByRecipe])})
  OR (job.state = 'auto-not-for-us' AND job.ledger_id IS NULL))`;

/** That no job of the same wish had the overlay in force, or asks for it now; of several broken ones the newest speaks. */
const untried = Prisma.sql`NOT EXISTS (
  SELECT FROM job other WHERE other.job_id <> job.job_id AND other.suite = job.suite AND other.source = job.source
    AND other.version = job.version AND other.seed_override IS NOT DISTINCT FROM job.seed_override
    AND (other.overlay_sha256 IS NOT DISTINCT FROM source_version.overlay_sha256
      OR other.state IN (${Prisma.join([...openJobStates])})
      OR (other.created_at, other.job_id) > (job.created_at, job.job_id)))`;

const candidates = (db: Database): Promise<Candidate[]> => db.$queryRaw<Candidate[]>`
  SELECT job.job_id AS "jobId", source_version.policy,
    CASE WHEN job.release_id IS NOT NULL THEN 'release' WHEN job.requested_by = 'intake' THEN 'policy' ELSE 'person' END AS asker
  FROM job JOIN source_version USING (suite, source, version) LEFT JOIN release ON release.release_id = job.release_id
  WHERE ${broken} AND source_version.state = 'current'
    AND job.overlay_sha256 IS DISTINCT FROM source_version.overlay_sha256
    AND (release.release_id IS NULL OR release.state <> 'ended') AND ${untried}
  ORDER BY job.created_at, job.job_id`;

const retryOne = async (tx: Transaction, jobId: string, why: string): Promise<Retried | null> => {
  await tx.$queryRaw`SELECT job_id FROM job WHERE job_id = ${jobId} FOR UPDATE`;
  const still = await tx.$queryRaw<unknown[]>`
    SELECT FROM job JOIN source_version USING (suite, source, version)
    WHERE job.job_id = ${jobId} AND ${broken} AND job.overlay_sha256 IS DISTINCT FROM source_version.overlay_sha256
      AND ${untried}`;
  if (still.length === 0) return null;
  const row = await tx.job.findUniqueOrThrow({ where: { jobId }, include: { package: true } });
  const job = { ...jobOf(row), package: versionOf(row.package) };
  const { source, version } = job;
  const [before, now] = [short(job.overlaySha256), short(job.package.overlaySha256)];
  const reason = `the overlay changed: job ${jobId} is ${job.state} with ${before}, ${now} is in force; ${why}`;
  const made = await replace(tx, job, { reason, actor: 'farm', override: false });
  return { jobId, newJobId: made.jobId, source, version };
};
