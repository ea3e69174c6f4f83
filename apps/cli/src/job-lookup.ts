// The job that a person means by one word: its id, or a source package (then its newest job).
import { Problem } from '@retraind/shared/wire/problems';
import type { Job, Package } from '@retraind/shared/wire/resources';
import type { FarmClient } from './farm-client.ts';

/** Throws Problem `not-found` naming both readings of the word. */
export async function findJob(farm: FarmClient, word: string): Promise<Job> {
  const direct = await farm.get<Job>(`/api/v1/jobs/${encodeURIComponent(word)}`).catch(nothingIfNotFound);
  if (direct) return direct;
  const found = await farm
    .get<Package>(`/api/v1/packages/${encodeURIComponent(word)}`)
    .catch(nothingIfNotFound);
  const newest = found?.versions
    .flatMap((version) => version.jobs)
    .sort((a, b) => b.createdAt.localeCompare(a.createdAt))[0];
  if (!newest) {
    throw new Problem(
      'not-found',
      `the farm knows no job and no package “${word}”`,
      'retrain status lists the jobs',
    );
  }
  return farm.get<Job>(`/api/v1/jobs/${newest.jobId}`);
}

function nothingIfNotFound(error: unknown): undefined {
  if (error instanceof Problem && (error.code === 'not-found' || error.code === 'invalid-request'))
    return undefined;
  throw error;
}
