// Releases: all per-release recipes of a suite as one undertaking. The plan is made from one reading of the database by the pure
// planner; starting asks for exactly what the plan lists, and asking twice asks for nothing more.
import { estimateOf } from '@retraind/shared/cost/estimate';
import type { JobState } from '@retraind/shared/job/states';
import type { Budget } from '@retraind/shared/policy/world';
import { parseRecipe } from '@retraind/shared/recipe/control';
import {
  type PlannedVersion,
  planRelease,
  type ReleasePlan,
  type ReleaseState,
  sumsOf,
} from '@retraind/shared/release/plan';
import { Problem } from '@retraind/shared/wire/problems';
import type { Connection, Database, Transaction } from '../client.ts';
import { Prisma, type Release as ReleaseRow } from '../generated/client.ts';
import { note } from './audit.ts';
import * as budgets from './budgets.ts';
import { timingsOf } from './estimates.ts';
import { newId } from './id.ts';
import { moveJob } from './job-move.ts';
import { requestOnce } from './jobs.ts';
import * as ledger from './ledger.ts';
import { current } from './versions.ts';

export type Release = Omit<ReleaseRow, 'state' | 'plan'> & { state: ReleaseState; plan: ReleasePlan };
const releaseOf = (row: ReleaseRow): Release => row as unknown as Release;

interface JobSeen {
  source: string;
  version: string;
  jobId: string;
  state: JobState;
}

/** What a release of the suite would do now, if `requester` started it. Problem `not-found` for no such suite. */
export const plan = async (db: Connection, suite: string, requester: string): Promise<ReleasePlan> => {
  if ((await db.suite.count({ where: { name: suite } })) === 0) {
    throw new Problem('not-found', `There is no suite ${suite}`, 'retrain suite add FILE makes one known');
  }
  const versions = await current(db, suite);
  const sources = versions.map(({ source }) => source);
  const [timings, entries, known, recipes, all] = await Promise.all([
    timingsOf(db, sources),
    ledger.inForce(db, sources),
    newestJobs(db, suite),
    seenRecipes(db, suite),
    budgets.forWorld(db),
  ]);
  const key = ({ source, version }: { source: string; version: string }) => `${source} ${version}`;
  const jobOf = new Map(known.map((job) => [key(job), job]));
  const planned = versions.map((version): PlannedVersion => {
    const { source } = version;
    const control = version.control ?? recipes.get(key(version)) ?? null;
    const { pilots, earlier } = timings.get(source)!;
    const job = jobOf.get(key(version));
    return {
      source,
      version: version.version,
      policy: version.policy,
      origin: version.overlaySha256 === null ? 'tag' : 'overlay',
      recipe: control === null ? null : parseRecipe(control).recipe,
      accelerators: version.accelerators,
      estimate: estimateOf(version.version, pilots, earlier),
      job: job ? { jobId: job.jobId, state: job.state } : null,
    };
  });
  const accounts: Budget['account'][] = [`suite:${suite}`, `requester:${requester}`];
  const ours = all.filter(({ account }) => accounts.includes(account));
  return planRelease({ suite, versions: planned, faults: [], ledger: entries, budgets: ours }, new Date());
};

const newestJobs = (db: Connection, suite: string): Promise<JobSeen[]> =>
  db.$queryRaw<JobSeen[]>`
    SELECT DISTINCT ON (source, version) source, version, job_id AS "jobId", state FROM job
    WHERE suite = ${suite} AND state NOT IN ('cancelled', 'superseded') AND seed_override IS NULL
    ORDER BY source, version, created_at DESC, job_id DESC`;

/** Recipes that runs recorded of versions that bring their own. */
const seenRecipes = async (db: Connection, suite: string): Promise<Map<string, string>> => {
  const rows = await db.$queryRaw<{ source: string; version: string; control: string }[]>`
    SELECT DISTINCT ON (source, version) source, version, control FROM job
    WHERE suite = ${suite} AND control IS NOT NULL ORDER BY source, version, control_at DESC`;
  return new Map(rows.map(({ source, version, control }) => [`${source} ${version}`, control]));
};

export interface Started {
  release: Release;
  /** Jobs that were asked for now; those that were there are part of the release, and not counted. */
  made: number;
  /** Whether this was its first start. */
  isNew: boolean;
}

/** Starts the release of a suite, or takes into the open one what has come since. One transaction. */
export const start = (
  db: Database,
  suite: string,
  { actor, reason }: { actor: string; reason: string },
): Promise<Started> =>
  db.$transaction(
    async (tx) => {
      // Two starts of a suite take turns.
      await tx.$queryRaw`SELECT name FROM suite WHERE name = ${suite} FOR UPDATE`;
      const planned = await plan(tx, suite, actor);
      const open = await tx.release.findFirst({ where: { suite, state: { not: 'ended' } } });
      const document = planned as unknown as Prisma.InputJsonObject;
      // The first plan is what was estimated; what comes later is added to it, so that nothing planned is forgotten.
      const row = open
        ? await tx.release.update({
            where: { releaseId: open.releaseId },
            data: { plan: merged(releaseOf(open).plan, planned) as unknown as Prisma.InputJsonObject },
          })
        : await tx.release.create({
            data: { releaseId: newId(), suite, startedBy: actor, reason, plan: document },
          });
      const { releaseId, startedBy } = row;
      let made = 0;
      for (const { source, version } of planned.items) {
        const wish = { suite, source, version, requestedBy: startedBy, releaseId };
        const why = `release of ${suite}: ${reason}`;
        if ((await requestOnce(tx, { ...wish, reason: why })).created) made++;
      }
      const facts = { made, packages: planned.items.length, refused: planned.refusals.length };
      await note(tx, { actor, deed: 'releases.start', subject: `release:${releaseId}`, reason, facts });
      return { release: releaseOf(row), made, isNew: open === null };
    },
    { timeout: 120_000 },
  );

/** The plan as of the first start, with packages that came later. Sums are those of all items. */
const merged = (first: ReleasePlan, later: ReleasePlan): ReleasePlan => {
  const known = new Set(first.items.map(({ source, version }) => `${source} ${version}`));
  const fresh = later.items.filter(({ source, version }) => !known.has(`${source} ${version}`));
  if (fresh.length === 0) return { ...first, refusals: later.refusals };
  const items = [...first.items, ...fresh];
  return { ...later, items, done: first.done, sums: sumsOf(items) };
};

/** Moves the open release of a suite. Problem `not-found` where none is open, `conflict` where it is in that state already. */
export const move = (
  db: Database,
  suite: string,
  to: ReleaseState,
  { actor, reason }: { actor: string; reason: string },
): Promise<Release> =>
  db.$transaction(async (tx) => {
    const open = await openOf(tx, suite);
    if (open.state === to) throw new Problem('conflict', `The release of ${suite} is ${to} already`);
    const row = await tx.release.update({
      where: { releaseId: open.releaseId },
      data: { state: to, reason, stateAt: new Date() },
    });
    if (to === 'ended') await cancelWaiting(tx, open.releaseId, `the release ended: ${reason}`, actor);
    // The scheduler reads a job whose row was touched.
    await tx.$executeRaw`UPDATE job SET state = state WHERE release_id = ${open.releaseId}`;
    const deed = { running: 'releases.resume', paused: 'releases.pause', ended: 'releases.end' }[to];
    await note(tx, { actor, deed, subject: `release:${open.releaseId}`, reason });
    return releaseOf(row);
  });

const openOf = async (tx: Transaction, suite: string): Promise<ReleaseRow> => {
  await tx.$queryRaw`SELECT name FROM suite WHERE name = ${suite} FOR UPDATE`;
  const open = await tx.release.findFirst({ where: { suite, state: { not: 'ended' } } });
  if (!open) {
    throw new Problem('not-found', `No release of ${suite} is open`, `retrain release ${suite} -m WHY`);
  }
  return open;
};

/** Jobs that nothing has run of; what has begun goes on to its verdict. */
const cancelWaiting = async (
  tx: Transaction,
  releaseId: string,
  reason: string,
  actor: string,
): Promise<void> => {
  const waiting = await tx.job.findMany({
    where: { releaseId, state: { in: ['needs-retrain', 'dep-wait', 'data-wait', 'budget-wait', 'held'] } },
    orderBy: { jobId: 'asc' },
  });
  for (const { jobId } of waiting) await moveJob(tx, { jobId, to: 'cancelled', reason, actor });
};

export const list = async (db: Connection): Promise<Release[]> =>
  (await db.release.findMany({ orderBy: [{ createdAt: 'desc' }, { releaseId: 'desc' }] })).map(releaseOf);

/** By its id, or the newest of a suite with this name. */
export const find = async (db: Connection, word: string): Promise<Release | null> => {
  const row = await db.release.findFirst({
    where: { OR: [{ releaseId: word }, { suite: word }] },
    orderBy: { createdAt: 'desc' },
  });
  return row && releaseOf(row);
};

/** What a release has come to. */
export interface Report {
  jobs: { state: JobState; count: number }[];
  /** Newest verdict of each model. */
  verdicts: { rung: string; count: number }[];
  spent: { gpuHours: number; cpuHours: number; wattHours: number; countedWattHours: number };
}

export const report = async (db: Connection, releaseId: string): Promise<Report> => {
  const [jobs, verdicts, spent] = await Promise.all([
    db.$queryRaw<Report['jobs']>`
      SELECT state, count(*)::int AS count FROM job WHERE release_id = ${releaseId} GROUP BY state ORDER BY state`,
    db.$queryRaw<Report['verdicts']>`
      SELECT rung, count(*)::int AS count FROM (
        SELECT DISTINCT ON (job_id, model) rung FROM verdict JOIN job USING (job_id)
        WHERE release_id = ${releaseId} ORDER BY job_id, model, verdict_id DESC
      ) AS newest GROUP BY rung ORDER BY rung`,
    spentBy(db, Prisma.sql`release_id = ${releaseId}`),
  ]);
  return { jobs, verdicts, spent };
};

/** What the leases of a job were billed, without those that check nodes: the farm pays for them. */
export const spentByJob = (db: Connection, jobId: string): Promise<Report['spent']> =>
  spentBy(db, Prisma.sql`job.job_id = ${jobId}`);

const spentBy = async (db: Connection, whose: Prisma.Sql): Promise<Report['spent']> => {
  const [spent] = await db.$queryRaw<[Report['spent']]>`
    SELECT COALESCE(sum(used_hours) FILTER (WHERE lease.gpus > 0), 0) AS "gpuHours",
      COALESCE(sum(used_hours) FILTER (WHERE lease.gpus = 0), 0) AS "cpuHours",
      COALESCE(sum(watt_hours), 0) AS "wattHours",
      COALESCE(sum(watt_hours) FILTER (WHERE energy_source = 'counter'), 0) AS "countedWattHours"
    FROM lease JOIN run USING (run_id) JOIN job USING (job_id) WHERE run.purpose <> 'check' AND ${whose}`;
  return spent;
};
