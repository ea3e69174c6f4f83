// Why a job is where it is.

import type { JobDetail } from '@retraind/prisma/store/jobs';
import type { Explanation } from '@retraind/shared/wire/resources';
import type { Farm } from './farm.ts';

export async function explanationOf(_farm: Farm, job: JobDetail): Promise<Explanation> {
  return {
    jobId: job.jobId,
    state: job.state,
    sentence: job.reason === '' ? `The job is ${job.state}.` : job.reason,
    clauses: [],
  };
}
