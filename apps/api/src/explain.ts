// Why a job is where it is: the scheduler's own decision, taken on the world of this moment.
import type { JobDetail } from '@retraind/prisma/store/jobs';
import { explainQueued } from '@retraind/shared/policy/explain';
import type { Explanation } from '@retraind/shared/wire/resources';
import type { Farm } from './farm.ts';

export async function explanationOf({ db, memory }: Farm, job: JobDetail): Promise<Explanation> {
  await memory.refresh(db);
  const explained = explainQueued(memory.queue, new Date(), job.jobId);
  if (explained === null) {
    // It asks nothing of the farm any more: its state and reason say all.
    // A reason may be a whole sentence, with its full stop.
    const why = job.reason === '' ? '' : `: ${job.reason.replace(/\.$/, '')}`;
    return {
      jobId: job.jobId,
      state: job.state,
      sentence: `The job is ${job.state}${why}.`,
      licence: 'licence: not evaluated',
      runs: [],
      clauses: [],
    };
  }
  const { jobId, state, sentence, licence } = explained;
  const refused = explained.runs.find(({ slots }) => slots.length > 0);
  return {
    jobId,
    state,
    sentence,
    licence,
    runs: explained.runs.map(({ slots: _, expectedAt, ...run }) => ({
      ...run,
      expectedAt: expectedAt?.toISOString() ?? null,
    })),
    clauses: (refused?.slots ?? []).flatMap(({ nodeId, nodeName, slot, clauses }) =>
      clauses.map(({ clause, passes, reason }) => ({
        nodeId,
        slot,
        clause,
        holds: passes,
        detail: `${nodeName} slot ${slot}: ${reason}`,
      })),
    ),
  };
}
