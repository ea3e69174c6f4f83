// Reads for lists and pages: many jobs at once, so that a page is a few statements and not a few for each job.
import type { RunPlace } from '@retraind/shared/job/run-place';
import type { JobState, RunState, RunStep } from '@retraind/shared/job/states';
import type { Rung } from '@retraind/shared/verdict/evidence';
import type { Connection } from '../client.ts';
import { Prisma } from '../generated/client.ts';
import { type SourceVersion, versionOf } from './versions.ts';

/** A run in a list, with the node of its last lease (the run itself forgets it when the lease ends). */
export interface RunLine extends RunPlace {
  runId: string;
  jobId: string;
  source: string;
  version: string;
  seed: number | null;
  state: RunState;
  step: RunStep | null;
  progress: number | null;
  nodeId: string | null;
  leaseEpoch: number;
  createdAt: Date;
  changedAt: Date;
}

export interface RunFilter {
  jobIds?: readonly string[];
  source?: string;
  version?: string;
  state?: RunState;
}

/** Where a page of runs ends: the next one begins behind it. */
export interface RunCursor {
  createdAt: Date;
  runId: string;
}

const runColumns = Prisma.sql`
  run.run_id AS "runId", run.job_id AS "jobId", job.source, job.version, run.purpose, run.seed_index AS "seedIndex",
  run.declared_seed AS "declaredSeed", run.numerics, run.repeat, run.seed,
  run.state, run.step, run.progress, lease.node_id AS "nodeId", run.lease_epoch AS "leaseEpoch",
  run.created_at AS "createdAt", COALESCE(run.ended_at, run.heartbeat_at, run.created_at) AS "changedAt"`;
const runTables = Prisma.sql`
  run JOIN job USING (job_id)
  LEFT JOIN lease ON lease.run_id = run.run_id AND lease.lease_epoch = run.lease_epoch`;

/** The runs of these jobs in seed order; of one seed, the older first. */
export const runsOfJobs = async (db: Connection, jobIds: readonly string[]): Promise<RunLine[]> =>
  jobIds.length === 0
    ? []
    : db.$queryRaw<RunLine[]>`
        SELECT ${runColumns} FROM ${runTables} WHERE run.job_id = ANY(${[...jobIds]}::text[])
        ORDER BY run.job_id, run.seed_index, run.purpose DESC, run.numerics, run.created_at, run.run_id`;

/** The runs that slots hold now. */
export const leasedRuns = (db: Connection): Promise<RunLine[]> =>
  db.$queryRaw<RunLine[]>`
    SELECT ${runColumns} FROM ${runTables} WHERE run.state = 'leased' ORDER BY run.created_at, run.run_id`;

/** Runs, newest first. `next` is null on the last page. */
export const runsPage = async (
  db: Connection,
  { source, version, state }: RunFilter,
  limit: number,
  after: RunCursor | null = null,
): Promise<{ runs: RunLine[]; next: RunCursor | null }> => {
  const rows = await db.$queryRaw<RunLine[]>`
    SELECT ${runColumns} FROM ${runTables}
    WHERE (${source ?? null}::text IS NULL OR job.source = ${source ?? null}::text)
      AND (${version ?? null}::text IS NULL OR job.version = ${version ?? null}::text)
      AND (${state ?? null}::text IS NULL OR run.state = ${state ?? null}::text)
      AND (${after === null} OR (run.created_at, run.run_id) < (${after?.createdAt ?? null}::timestamptz, ${after?.runId ?? null}::text))
    ORDER BY run.created_at DESC, run.run_id DESC LIMIT ${limit + 1}::int`;
  const runs = rows.slice(0, limit);
  const last = runs.at(-1);
  return {
    runs,
    next: rows.length > limit && last ? { createdAt: last.createdAt, runId: last.runId } : null,
  };
};

/** What a list says of a verdict: the newest of each model. */
export interface VerdictLine {
  jobId: string;
  model: string;
  rung: Rung;
  sentence: string;
  moreRuns: number;
}

export const verdictsOfJobs = async (db: Connection, jobIds: readonly string[]): Promise<VerdictLine[]> =>
  jobIds.length === 0
    ? []
    : db.$queryRaw<VerdictLine[]>`
        SELECT DISTINCT ON (job_id, model) job_id AS "jobId", model, rung, document ->> 'sentence' AS sentence,
          (document ->> 'moreRuns')::int AS "moreRuns"
        FROM verdict WHERE job_id = ANY(${[...jobIds]}::text[]) ORDER BY job_id, model, verdict_id DESC`;

/** Models with a final verdict that rests on statistics (newest of each job and model), and how many of them are called different. */
export const statisticallyJudged = async (db: Connection): Promise<{ judged: number; different: number }> => {
  const [row] = await db.$queryRaw<{ judged: number; different: number }[]>`
    SELECT count(*)::int AS judged, (count(*) FILTER (WHERE rung = 'different'))::int AS different
    FROM (
      SELECT DISTINCT ON (job_id, model) rung, document FROM verdict ORDER BY job_id, model, verdict_id DESC
    ) newest
    WHERE jsonb_typeof(document -> 'familyP') = 'number' AND (document ->> 'moreRuns')::int = 0`;
  return row!;
};

/** A job in a list. */
export interface JobLine {
  jobId: string;
  suite: string;
  source: string;
  version: string;
  state: JobState;
  reason: string;
  createdAt: Date;
  stateAt: Date;
}

/** The jobs of these versions, newest first. */
export const jobsOfVersions = async (
  db: Connection,
  versions: readonly Pick<SourceVersion, 'suite' | 'source' | 'version'>[],
): Promise<JobLine[]> =>
  versions.length === 0
    ? []
    : db.$queryRaw<JobLine[]>`
        SELECT job_id AS "jobId", suite, source, version, state, reason, created_at AS "createdAt", state_at AS "stateAt"
        FROM job WHERE (suite, source, version) IN (
          SELECT * FROM unnest(${versions.map(({ suite }) => suite)}::text[],
            ${versions.map(({ source }) => source)}::text[], ${versions.map(({ version }) => version)}::text[]))
        ORDER BY created_at DESC, job_id DESC`;

/** Versions that suites have now, by source and suite. */
export const currentVersions = async (db: Connection, limit: number): Promise<SourceVersion[]> => {
  const rows = await db.sourceVersion.findMany({
    where: { state: 'current' },
    orderBy: [{ source: 'asc' }, { suite: 'asc' }],
    take: limit,
  });
  return rows.map(versionOf);
};

/** All versions of a source that the farm has seen, the newest found first. */
export const versionsOfSource = async (
  db: Connection,
  source: string,
  version?: string,
): Promise<SourceVersion[]> => {
  const rows = await db.sourceVersion.findMany({
    where: { source, version },
    orderBy: [{ foundAt: 'desc' }, { suite: 'asc' }, { version: 'desc' }],
    take: 200,
  });
  return rows.map(versionOf);
};

/** Leases of a job's runs that ended without a result, newest first. */
export const attemptsOfJob = (db: Connection, jobId: string, limit: number) =>
  db.lease.findMany({
    where: { run: { jobId }, outcome: { notIn: ['reported'] } },
    orderBy: [{ endedAt: 'desc' }, { runId: 'asc' }, { leaseEpoch: 'desc' }],
    take: limit,
    include: { node: { select: { name: true } } },
  });
