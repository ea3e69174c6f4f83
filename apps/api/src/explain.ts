// Why a job is where it is: the scheduler's own decision, taken on the world of this moment.
import type { JobDetail } from '@retraind/prisma/store/jobs';
import * as world from '@retraind/prisma/store/world';
import { explainJob } from '@retraind/shared/policy/explain';
import { defaultPolicy, nodeSilenceSeconds } from '@retraind/shared/policy/world';
import type { Explanation } from '@retraind/shared/wire/resources';
import type { Farm } from './farm.ts';

export async function explanationOf({ db }: Farm, job: JobDetail): Promise<Explanation> {
  const { jobs, runs, nodes, budgets } = await world.read(db, null);
  const now = { jobs, runs, nodes, budgets, policy: defaultPolicy, nodeSilenceSeconds };
  const explained = explainJob(now, new Date(), job.jobId);
  if (explained === null) {
    // It asks nothing of the farm any more: its state and reason say all.
    // A reason may be a whole sentence, with its full stop.
    const why = job.reason === '' ? '' : `: ${job.reason.replace(/\.$/, '')}`;
    return {
      jobId: job.jobId,
      state: job.state,
      sentence: `The job is ${job.state}${why}.`,
      runs: [],
      clauses: [],
    };
  }
  const { jobId, state, sentence } = explained;
  const refused = explained.runs.find(({ refusal }) => refusal !== null)?.refusal;
  return {
    jobId,
    state,
    sentence,
    runs: explained.runs.map(({ refusal: _, ...run }) => run),
    clauses: (refused?.slots ?? []).flatMap(({ nodeId, nodeName, slot, clauses }) =>
      clauses.map(({ clause, passes, reason }) => ({
        nodeId,
        clause,
        holds: passes,
        detail: `${nodeName} slot ${slot}: ${reason}`,
      })),
    ),
  };
}
