// retrain cancel, retrain give-back: end a job, or let its runs leave their slots. A person answers for both with -m.
import { exitCodes, Problem } from '@retraind/shared/wire/problems';
import type { Job, Run } from '@retraind/shared/wire/resources';
import { jsonOption, messageOption, type Verb } from '../args.ts';
import { type FarmClient, farmOptions, findFarm } from '../farm-client.ts';
import { findJob } from '../job-lookup.ts';

const options = { ...farmOptions, ...messageOption, ...jsonOption };

export const cancel: Verb = {
  name: 'cancel',
  usage: 'cancel JOB|SOURCE -m WHY [--json]',
  summary: 'end a job; its runs stop within ten seconds, and what they trained so far is lost',
  words: [1, 1],
  options,
  async run(args, output) {
    const farm = await findFarm({ farm: args.text('farm'), data: args.text('data') });
    const reason = args.reason();
    const { jobId } = await findJob(farm, args.words[0]!);
    const job = await farm.post<Job>(`/api/v1/jobs/${jobId}/cancel`, { reason });
    const running = job.runs.filter(({ state }) => state === 'leased').length;
    const runs = running === 1 ? 'one run is told' : `${running} runs are told`;
    output.result(
      job,
      `job ${jobId}: ${job.source} ${job.version} is ${job.state}${running > 0 ? `; ${runs} to stop` : ''}`,
    );
    return exitCodes.done;
  },
};

/** The run with that id, or undefined: ids of jobs and runs look alike. */
const runOf = (farm: FarmClient, word: string): Promise<Run | undefined> =>
  farm.get<Run>(`/api/v1/runs/${encodeURIComponent(word)}`).catch((error: unknown) => {
    if (error instanceof Problem && (error.code === 'not-found' || error.code === 'invalid-request')) {
      return undefined;
    }
    throw error;
  });

export const giveBack: Verb = {
  name: 'give-back',
  usage: 'give-back RUN|JOB|SOURCE -m WHY [--json]',
  summary: 'let a run leave its slot with its checkpoint, or a job that ended be tried again',
  words: [1, 1],
  options,
  async run(args, output) {
    const farm = await findFarm({ farm: args.text('farm'), data: args.text('data') });
    const reason = args.reason();
    const word = args.words[0]!;
    if (await runOf(farm, word)) {
      const run = await farm.post<Run>(`/api/v1/runs/${word}/give-back`, { reason });
      const what =
        run.state === 'leased'
          ? 'is told to leave its slot; it goes on with its checkpoint'
          : `is ${run.state}`;
      output.result(run, `run ${run.runId} ${what}`);
      return exitCodes.done;
    }
    const { jobId } = await findJob(farm, word);
    const job = await farm.post<Job>(`/api/v1/jobs/${jobId}/give-back`, { reason });
    output.result(job, `job ${jobId}: ${job.source} ${job.version} is ${job.state}`);
    return exitCodes.done;
  },
};
