// Moves of jobs, as shared/job/states draws them; every move is one UPDATE on the states it may come from, so that of two
// movers one is refused.
import { type JobState, jobStatesBefore, openJobStates } from '@retraind/shared/job/states';
import type { Demand } from '@retraind/shared/policy/world';
import { Problem } from '@retraind/shared/wire/problems';
import type { Connection, Transaction } from '../client.ts';
import { isDuplicate } from '../faults.ts';
import type { Job as JobRow } from '../generated/client.ts';
import { note } from './audit.ts';

export type Job = Omit<JobRow, 'state' | 'demand'> & { state: JobState; demand: Demand };
export const jobOf = (row: JobRow): Job => row as unknown as Job;

export interface Move {
  jobId: string;
  to: JobState;
  reason: string;
  actor: string;
}

const isOpen = (state: JobState): boolean => (openJobStates as readonly JobState[]).includes(state);

/** The move inside a transaction: the job's row first, its runs second, as every deed locks them. */
export const moveJob = async (tx: Transaction, { jobId, to, reason, actor }: Move): Promise<Job> => {
  const update = tx.$executeRaw`
    UPDATE job SET state = ${to}, reason = ${reason}, state_at = now()
    WHERE job_id = ${jobId} AND state = ANY(${jobStatesBefore(to)})`;
  const count = await update.catch((error) => {
    if (!isDuplicate(error)) throw error;
    throw new Problem(
      'conflict',
      `Another open job asks what job ${jobId} asks`,
      'wait for that one, or cancel it',
    );
  });
  const row = await tx.job.findUnique({ where: { jobId } });
  if (!row) throw new Problem('not-found', `There is no job ${jobId}`);
  if (count === 0) throw new Problem('conflict', `Job ${jobId} is ${row.state}: it cannot become ${to}`);
  if (!isOpen(to)) await cancelRuns(tx, jobId, to === 'judged');
  await note(tx, { actor, deed: 'jobs.move', subject: `job:${jobId}`, reason, facts: { to } });
  return jobOf(row);
};

/**
 * Ends the runs of a job: waiting ones at once, leased ones are asked to stop at their next heartbeat. Checks of nodes may be kept: they
 * are not the job's.
 */
export const cancelRuns = async (tx: Connection, jobId: string, keepsChecks = false): Promise<void> => {
  await tx.$executeRaw`
    UPDATE run SET
      state = CASE state WHEN 'waiting' THEN 'cancelled' ELSE state END,
      ended_at = CASE state WHEN 'waiting' THEN now() END,
      cancel_asked = true
    WHERE job_id = ${jobId} AND state IN ('waiting', 'leased') AND NOT (${keepsChecks} AND purpose = 'check')`;
};
