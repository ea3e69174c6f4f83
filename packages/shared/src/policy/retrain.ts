// What a version that intake sees in an index asks of the farm: a job or none, each with its reason, and which older jobs it
// ends. A new policy is one case here.
import { type JobState, jobMayMove } from '../job/states.ts';
import type { RetrainPolicy } from '../recipe/recipe.ts';
import { compareVersions } from '../recipe/version.ts';

export type Due = { due: true; reason: string } | { due: false; reason: string };

/** What wakes a policy: a version new in the index, a release campaign, or a person (or porter) who asks. */
export type Occasion = 'new-version' | 'release' | 'request';

/** Whether a retrain is due by policy. A person's request is served under every policy: `never` binds the farm only. */
export function retrainDue(policy: RetrainPolicy, occasion: Occasion): Due {
  if (occasion === 'request') return { due: true, reason: 'a person asked' };
  switch (policy) {
    case 'never':
      return { due: false, reason: 'Policy: never' };
    case 'on-upload':
      return occasion === 'new-version'
        ? { due: true, reason: 'a new version was uploaded' }
        : { due: false, reason: 'Policy: on-upload was served when the version came' };
    case 'per-release':
      return occasion === 'release'
        ? { due: true, reason: 'the suite is being released' }
        : { due: false, reason: 'Policy: per-release waits for a release or a request' };
    case 'on-demand':
      return { due: false, reason: 'Policy: on-demand waits for a request' };
    case 'on-data-change':
      // Data is pinned in the source, so it changes only with a version; whether it did is known after unpacking.
      return occasion === 'new-version'
        ? { due: true, reason: 'a new version was uploaded, which may pin other data' }
        : { due: false, reason: 'Policy: on-data-change waits for a new version' };
  }
}

/** Who asked for a job. */
export type Asker = 'policy' | 'release' | 'person';

const occasionOf: Record<Asker, Occasion> = {
  policy: 'new-version',
  release: 'release',
  person: 'request',
};

/** Whether a job that its recipe broke is due again under another recipe of the same version: as its asker would have it of a new one. */
export const retryDue = (policy: RetrainPolicy, asker: Asker): Due => retrainDue(policy, occasionOf[asker]);

/** A version of a source in a suite. */
export interface VersionKey {
  suite: string;
  source: string;
  version: string;
}

/** Whether `next` takes the place of `old` in its suite: the same source, a higher version. */
export const supersedes = (next: VersionKey, old: VersionKey): boolean =>
  next.suite === old.suite && next.source === old.source && compareVersions(next.version, old.version) > 0;

/** The jobs that a new version ends: those of lower versions whose state may still become `superseded`. */
export const supersededBy = <J extends VersionKey & { state: JobState }>(
  next: VersionKey,
  jobs: readonly J[],
): J[] => jobs.filter((job) => supersedes(next, job) && jobMayMove(job.state, 'superseded'));
