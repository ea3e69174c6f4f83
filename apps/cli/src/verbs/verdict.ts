// retrain verdict: what may be claimed of a job's models, and the exit code that says so to scripts.

import { exitCodeOf } from '@retraind/shared/verdict/exit-code';
import { explainVerdict } from '@retraind/shared/verdict/explanation';
import { exitCodes } from '@retraind/shared/wire/problems';
import { jsonOption, type Verb } from '../args.ts';
import { farmOptions, findFarm } from '../farm-client.ts';
import { findJob } from '../job-lookup.ts';
import { digestLines, judgedModels, verdictNotes, verdictTable } from '../verdict-view.ts';

export const verdict: Verb = {
  name: 'verdict',
  usage: 'verdict JOB|SOURCE [--explain] [--json]',
  summary: 'what may be claimed of the shipped models of a job',
  words: [1, 1],
  options: {
    ...farmOptions,
    explain: { type: 'boolean', help: 'every test and reason behind the verdict' },
    ...jsonOption,
  },
  async run(args, output) {
    const farm = await findFarm({ farm: args.text('farm'), data: args.text('data') });
    const job = await findJob(farm, args.words[0]!);
    const models = judgedModels(job, farm.address);
    if (models.length === 0) {
      output.result(
        { job: job.jobId, state: job.state, verdicts: [] },
        `no verdict yet: job ${job.jobId} is ${job.state}${job.reason ? ` (${job.reason})` : ''}`,
      );
      return exitCodes.waiting;
    }
    const parts = [
      verdictTable(models, output.color),
      verdictNotes(models, output.color),
      digestLines(models),
      `every file that this rests on: ${farm.address}${job.evidenceHref}`,
    ];
    if (args.flag('explain')) parts.push(...models.map((model) => explainVerdict(model.verdict).join('\n')));
    output.result({ job: job.jobId, state: job.state, verdicts: job.verdicts }, parts.join('\n\n'));
    return job.state === 'judged' ? exitCodeOf(job.verdicts) : exitCodes.waiting;
  },
};
