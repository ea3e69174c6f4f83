// retrain status: what the farm is doing, or where one job or package stands.
import { seedLabel } from '@retraind/shared/job/run-place';
import { shortHours } from '@retraind/shared/policy/approval';
import type { Page } from '@retraind/shared/wire/page';
import { exitCodes } from '@retraind/shared/wire/problems';
import type { Explanation, Job, JobSummary } from '@retraind/shared/wire/resources';
import { jsonOption, type Verb } from '../args.ts';
import { attemptLines } from '../attempts-view.ts';
import { checkLines } from '../checks-view.ts';
import { type FarmClient, farmOptions, findFarm } from '../farm-client.ts';
import { findJob } from '../job-lookup.ts';
import { type Output, table } from '../output.ts';

const percent = (value: number | null): string => (value === null ? '–' : `${Math.round(value * 100)} %`);

function printJobs(jobs: JobSummary[], output: Output): void {
  const head = ['JOB', 'PACKAGE', 'SUITE', 'STATE', 'RUNS', 'DONE', 'VERDICT', 'REASON'].map(
    output.color.bold,
  );
  const rows = jobs.map((job) => [
    job.jobId,
    `${job.source} ${job.version}`,
    job.suite,
    job.state,
    `${job.runsReported}/${job.runsWanted}`,
    percent(job.progress),
    job.verdicts.map((verdict) => `${verdict.rung}${verdict.final ? '' : ' (so far)'}`).join(', ') || '–',
    job.reason ?? '',
  ]);
  output.result({ jobs }, jobs.length === 0 ? 'no jobs' : table([head, ...rows]));
}

/** Why a job that is not done is where it is, by the function that decides; null for one that is. */
async function whyWaiting(farm: FarmClient, job: Job): Promise<Explanation | null> {
  if (job.state !== 'needs-retrain' && job.state !== 'retraining') return null;
  return farm.get<Explanation>(job.explainHref);
}

/** What a run is expected to take, and what the job was billed so far. */
function costLines({ expected, bill }: Job): string[] {
  const { gpuHours, cpuHours, kilowattHours, countedKilowattHours, gramsCo2e } = bill;
  const hours = [
    ...(gpuHours > 0 ? [`${shortHours(gpuHours)} GPU-hours`] : []),
    ...(cpuHours > 0 ? [`${shortHours(cpuHours)} CPU-hours`] : []),
  ];
  const energy = `${shortHours(kilowattHours)} kWh (${shortHours(countedKilowattHours)} by counters, the rest sampled or estimated)`;
  const co2 = gramsCo2e === null ? [] : [`${shortHours(gramsCo2e / 1_000)} kg CO2e`];
  return [
    `expected: ${expected ?? 'unknown, no run of this package was timed'}`,
    `bill: ${hours.length === 0 ? 'nothing yet' : [...hours, energy, ...co2].join(', ')}`,
  ];
}

function printJob(job: Job, why: Explanation | null, output: Output): void {
  const head = ['RUN', 'SEED', 'STATE', 'STEP', 'DONE', 'NODE'].map(output.color.bold);
  const rows = job.runs.map((run) => [
    run.runId,
    seedLabel(run),
    run.state,
    run.step ?? '–',
    percent(run.progress),
    run.nodeId ?? '–',
  ]);
  const title = `job ${job.jobId}: ${job.source} ${job.version} (${job.suite}) is ${job.state}${job.reason ? `: ${job.reason}` : ''}`;
  const refused = why?.clauses.filter((clause) => !clause.holds).map((clause) => `  ${clause.detail}`) ?? [];
  const lines = [
    title,
    ...(why ? [why.sentence, ...refused] : []),
    ...(rows.length > 0 ? [table([head, ...rows])] : []),
    ...attemptLines(job.attempts, output),
    ...checkLines(job.checks, output),
    ...costLines(job),
  ];
  output.result({ job, why }, lines.join('\n'));
}

export const status: Verb = {
  name: 'status',
  usage: 'status [JOB|SOURCE] [--json]',
  summary: 'what the farm is doing, or where one job or package stands',
  words: [0, 1],
  options: { ...farmOptions, ...jsonOption },
  async run(args, output) {
    const farm = await findFarm({ farm: args.text('farm'), data: args.text('data') });
    const [word] = args.words;
    if (word === undefined) {
      const page = await farm.get<Page<JobSummary>>('/api/v1/jobs?limit=200');
      printJobs(page.items, output);
      if (page.next !== null)
        output.say(`the newest ${page.items.length} jobs are shown; older ones: ${farm.address}/jobs`);
    } else {
      const job = await findJob(farm, word);
      printJob(job, await whyWaiting(farm, job), output);
    }
    return exitCodes.done;
  },
};
