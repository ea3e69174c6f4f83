// retrain explain: why a job is where it is, clause by clause, by the same function that decides.
import { exitCodes } from '@retraind/shared/wire/problems';
import type { Explanation } from '@retraind/shared/wire/resources';
import { jsonOption, type Verb } from '../args.ts';
import { attemptLines } from '../attempts-view.ts';
import { checkLines } from '../checks-view.ts';
import { farmOptions, findFarm } from '../farm-client.ts';
import { findJob } from '../job-lookup.ts';

export const explain: Verb = {
  name: 'explain',
  usage: 'explain JOB|SOURCE [--json]',
  summary: 'why a job runs, waits or ended',
  words: [1, 1],
  options: { ...farmOptions, ...jsonOption },
  async run(args, output) {
    const farm = await findFarm({ farm: args.text('farm'), data: args.text('data') });
    const job = await findJob(farm, args.words[0]!);
    const explanation = await farm.get<Explanation>(job.explainHref);
    const lines = explanation.clauses.map((clause) => {
      const mark = clause.holds ? output.color.good('pass') : output.color.bad('fail');
      return `  ${mark}  ${clause.nodeId ?? 'job'}  ${clause.clause}: ${clause.detail}`;
    });
    const runs = explanation.runs.map(({ runId, place, expectedAt, sentence }) => {
      const queued = place === null ? '' : `, place ${place}`;
      const expected = expectedAt === null ? '' : `, expected about ${expectedAt}`;
      return `  run ${runId}${queued}${expected}: ${sentence}`;
    });
    output.result(
      { ...explanation, attempts: job.attempts, checks: job.checks },
      [
        `job ${explanation.jobId} is ${explanation.state}: ${explanation.sentence}`,
        ...runs,
        ...lines,
        `  ${explanation.licence}`,
        ...attemptLines(job.attempts, output),
        ...checkLines(job.checks, output),
      ].join('\n'),
    );
    return exitCodes.done;
  },
};
