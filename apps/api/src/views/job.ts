// Jobs and versions as they are told.

import type { Connection } from '@retraind/prisma/client';
import * as checks from '@retraind/prisma/store/checks';
import * as estimates from '@retraind/prisma/store/estimates';
import type { JobDetail } from '@retraind/prisma/store/jobs';
import * as lists from '@retraind/prisma/store/lists';
import * as releases from '@retraind/prisma/store/releases';
import * as verdicts from '@retraind/prisma/store/verdicts';
import type { SourceVersion } from '@retraind/prisma/store/versions';
import { printWishes } from '@retraind/shared/gpu/wish';
import { parseRecipe } from '@retraind/shared/recipe/control';
import type { Job, JobModel, JobSummary, RunSummary, Version } from '@retraind/shared/wire/resources';
import type { Farm } from '../farm.ts';
import { billView } from './release.ts';
import { attemptView, checkView, jobHref, recordView, runSummaryView } from './run.ts';

// Map.groupBy is not in Node 20.
function grouped<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}

/** Summaries of jobs, in the order given: two statements for all of them. */
export async function jobSummaries(db: Connection, jobs: readonly lists.JobLine[]): Promise<JobSummary[]> {
  const jobIds = jobs.map(({ jobId }) => jobId);
  const [runs, claimed] = await Promise.all([lists.runsOfJobs(db, jobIds), lists.verdictsOfJobs(db, jobIds)]);
  const runsOf = grouped(runs, ({ jobId }) => jobId);
  const verdictsOf = grouped(claimed, ({ jobId }) => jobId);
  return jobs.map((job) => ({
    ...jobBase(job, (runsOf.get(job.jobId) ?? []).map(runSummaryView)),
    verdicts: (verdictsOf.get(job.jobId) ?? []).map(({ model, rung, sentence, moreRuns }) => ({
      model,
      rung,
      sentence,
      final: moreRuns === 0,
    })),
  }));
}

const mostAttempts = 50;

/** A job whole. */
export async function jobView({ db, gramsPerKwh }: Farm, job: JobDetail): Promise<Job> {
  const [runRows, claimed, attempts, checked, spent, estimate] = await Promise.all([
    lists.runsOfJobs(db, [job.jobId]),
    verdicts.ofJob(db, job.jobId),
    lists.attemptsOfJob(db, job.jobId, mostAttempts),
    checks.ofJob(db, job.jobId),
    releases.spentByJob(db, job.jobId),
    estimates.estimateFor(db, job.source, job.version),
  ]);
  const runs = runRows.map(runSummaryView);
  return {
    ...jobBase(job, runs),
    verdicts: claimed.map(({ verdict }) => verdict),
    jobSeed: job.jobSeed,
    seedOverride: job.seedOverride,
    beacon: job.package.beacon,
    expected: estimate.basis === 'unknown' ? null : estimate.detail,
    bill: billView(spent, gramsPerKwh),
    releaseHref: job.releaseId && `/releases/${job.releaseId}`,
    overlaySha256: job.overlaySha256,
    models: job.control === null ? [] : declaredModels(job.control),
    runs,
    attempts: attempts.map(attemptView),
    checks: checked.map(checkView),
    statements: claimed.flatMap(({ verdict, statementSha256 }) => {
      const record = recordView(statementSha256);
      return record === null ? [] : [{ model: verdict.model, ...record }];
    }),
    explainHref: `${jobHref(job.jobId)}/explain`,
    evidenceHref: `${jobHref(job.jobId)}/evidence`,
  };
}

function jobBase(job: lists.JobLine, runs: RunSummary[]): Omit<JobSummary, 'verdicts'> {
  // Runs that were ended to be made anew are no part of what is wanted, nor what the farm checks nodes with.
  const wanted = runs.filter(
    ({ state, purpose }) => !['cancelled', 'broken', 'void'].includes(state) && purpose !== 'check',
  );
  const reported = wanted.filter(({ state }) => state === 'reported').length;
  return {
    jobId: job.jobId,
    source: job.source,
    version: job.version,
    suite: job.suite,
    state: job.state,
    reason: job.reason === '' ? null : job.reason,
    progress: progressOf(wanted),
    runsWanted: wanted.length,
    runsReported: reported,
    createdAt: job.createdAt.toISOString(),
    changedAt: job.stateAt.toISOString(),
    href: jobHref(job.jobId),
    pageHref: `/jobs/${job.jobId}`,
  };
}

/**
 * Share of a run's time that lies before each step, and that the step takes: training is nearly all of it. A guess that
 * only moves bars; nothing is decided by it.
 */
const stepShares = {
  fetch: { before: 0, share: 0.03 },
  unpack: { before: 0.03, share: 0.02 },
  train: { before: 0.05, share: 0.85 },
  evaluate: { before: 0.9, share: 0.07 },
  pack: { before: 0.97, share: 0.02 },
  report: { before: 0.99, share: 0.01 },
} as const;

/** How far a run is as a whole; null while it waits. */
export function runProgress({
  state,
  step,
  progress,
}: Pick<RunSummary, 'state' | 'step' | 'progress'>): number | null {
  if (state === 'reported') return 1;
  if (state !== 'leased') return null;
  if (step === null) return 0;
  const { before, share } = stepShares[step];
  return before + share * (progress ?? 0);
}

function progressOf(runs: RunSummary[]): number | null {
  if (runs.every(({ state }) => state === 'waiting')) return null;
  return runs.reduce((sum, run) => sum + (runProgress(run) ?? 0), 0) / runs.length;
}

/** What the recipe registered of each model. The text was checked when it was told, so it parses. */
const declaredModels = (control: string): JobModel[] =>
  (parseRecipe(control).recipe?.models ?? []).map((model) => ({
    name: model.name,
    output: model.output,
    comparison: model.comparison,
    task: model.task,
    license: model.license,
    metric: model.metric,
    margin: model.margin,
    claimedMetric: model.claimedMetric,
  }));

/** Versions with their jobs, newest job first: three statements for all of them. */
export async function versionViews(db: Connection, versions: readonly SourceVersion[]): Promise<Version[]> {
  const jobs = await jobSummaries(db, await lists.jobsOfVersions(db, versions));
  const key = ({ suite, source, version }: { suite: string; source: string; version: string }) =>
    `${suite} ${source} ${version}`;
  const jobsOf = grouped(jobs, key);
  return versions.map((version) => {
    const source = encodeURIComponent(version.source);
    const name = encodeURIComponent(version.version);
    return {
      source: version.source,
      version: version.version,
      suite: version.suite,
      target: version.overlaySha256 === null ? version.target : null,
      accelerator: version.accelerators.length === 0 ? null : printWishes(version.accelerators),
      policy: version.policy,
      foundAt: version.foundAt.toISOString(),
      supersededAt: version.supersededAt?.toISOString() ?? null,
      jobs: jobsOf.get(key(version)) ?? [],
      href: `/api/v1/packages/${source}/versions/${name}`,
      pageHref: `/packages/${source}/${name}`,
    };
  });
}
