// retrain status: what the farm is doing, or where one job or package stands.
import type { Page } from '@retraind/shared/wire/page';
import { exitCodes } from '@retraind/shared/wire/problems';
import type { Job, JobSummary } from '@retraind/shared/wire/resources';
import { jsonOption, type Verb } from '../args.ts';
import { farmOptions, findFarm } from '../farm-client.ts';
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

function printJob(job: Job, output: Output): void {
  const head = ['RUN', 'SEED', 'STATE', 'STEP', 'DONE', 'NODE'].map(output.color.bold);
  const rows = job.runs.map((run) => [
    run.runId,
    run.seed === null ? `#${run.seedIndex}` : String(run.seed),
    run.state,
    run.step ?? '–',
    percent(run.progress),
    run.nodeId ?? '–',
  ]);
  const title = `job ${job.jobId}: ${job.source} ${job.version} (${job.suite}) is ${job.state}${job.reason ? `: ${job.reason}` : ''}`;
  output.result({ job }, rows.length === 0 ? title : `${title}\n${table([head, ...rows])}`);
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
    if (word === undefined) printJobs((await farm.get<Page<JobSummary>>('/api/v1/jobs')).items, output);
    else printJob(await findJob(farm, word), output);
    return exitCodes.done;
  },
};
