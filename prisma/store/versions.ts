// Versions of tagged or overlaid source packages, as intake finds them in a suite's index.
import type { AcceleratorWish } from '@retraind/shared/gpu/accelerator';
import type { RetrainPolicy } from '@retraind/shared/recipe/recipe';
import type { Connection, Database, Transaction } from '../client.ts';
import type { Prisma, SourceVersion as SourceVersionRow } from '../generated/client.ts';
import { note } from './audit.ts';
import { newId } from './id.ts';
import { beginningOf, bornAs } from './job-birth.ts';
import { type Job, jobOf, moveJob } from './job-move.ts';
import { takeUp } from './overlay.ts';

export type SourceVersion = Omit<SourceVersionRow, 'accelerators' | 'policy' | 'state'> & {
  accelerators: AcceleratorWish[];
  policy: RetrainPolicy;
  state: 'current' | 'superseded';
};

export const versionOf = (row: SourceVersionRow): SourceVersion => row as unknown as SourceVersion;

export interface Found {
  suite: string;
  source: string;
  version: string;
  /** From `Retrain-Accelerator`; [] where the tag says nothing. */
  accelerators: AcceleratorWish[];
  policy: RetrainPolicy;
  /** The rules target. */
  target: string;
  /** Folder in the archive, as the index says. */
  directory: string;
  /** Section and Priority of its stanza; '' or absent where the index does not say. */
  section?: string;
  archivePriority?: string;
  /** The farm's own recipe for it, as a tar artifact; null where the package brings its own. */
  overlaySha256: string | null;
  /** The overlay's control file; null where the package brings its own. */
  control: string | null;
  /** Public randomness under which the farm first saw the version; '' for an archive that the farm itself signs. */
  beacon: string;
  /** The job that policy makes of a new version; null for none (per-release, on-demand, never …). */
  job: {
    state: 'needs-retrain' | 'held' | 'not-for-us' | 'auto-not-for-us';
    reason: string;
    priority: number;
    /** A job seed instead of public randomness, for demonstrations and tests. */
    seedOverride?: string | null;
  } | null;
}

export interface FoundAnswer {
  /** Whether the farm had not seen this version in this suite before. */
  isNew: boolean;
  job: Job | null;
  /** Jobs of older versions that ended with it. */
  supersededJobIds: string[];
}

/**
 * Takes a version that the index has now as the suite's current one. A new version supersedes the older one with its
 * jobs and makes the job that policy asks for, all in one transaction. A version already known keeps its beacon and gets
 * no second job; its index fields and overlay are brought up to date (what that means for its jobs: ./overlay.ts).
 */
export const found = (db: Database, wanted: Found): Promise<FoundAnswer> =>
  db.$transaction(async (tx) => {
    const { suite, source, version, beacon, accelerators, job: wish } = wanted;
    const { policy, target, directory, overlaySha256, control, section = '', archivePriority = '' } = wanted;
    // One reading of a suite at a time decides which version is current.
    await tx.$queryRaw`SELECT name FROM suite WHERE name = ${suite} FOR UPDATE`;
    const supersededJobIds = await supersedeOthers(tx, suite, source, version);
    const key = { suite_source_version: { suite, source, version } };
    const known = await tx.sourceVersion.findUnique({ where: key });
    const data = {
      policy,
      target,
      directory,
      section,
      archivePriority,
      overlaySha256,
      control,
      accelerators: accelerators as unknown as Prisma.InputJsonArray,
      state: 'current',
      supersededAt: null,
    };
    const stored = await tx.sourceVersion.upsert({
      where: key,
      create: { suite, source, version, beacon, ...data },
      update: data,
    });
    if (known && known.overlaySha256 !== overlaySha256) await takeUp(tx, versionOf(stored));
    if (known || !wish) return { isNew: !known, job: null, supersededJobIds };
    const birth = await beginningOf(tx, versionOf(stored), { requestedBy: 'intake', override: false });
    const isOrdinary = wish.state === 'needs-retrain';
    const row = await tx.job.create({
      data: {
        jobId: newId(),
        suite,
        source,
        version,
        priority: wish.priority,
        seedOverride: wish.seedOverride ?? null,
        jobSeed: wish.seedOverride ?? null,
        requestedBy: 'intake',
        ...bornAs(
          isOrdinary ? birth : { ...birth, ...wish, ledgerId: null, approvalAskedAt: null },
          wish.reason,
        ),
      },
    });
    await note(tx, {
      actor: 'intake',
      deed: 'versions.found',
      subject: `job:${row.jobId}`,
      reason: wish.reason,
    });
    return { isNew: true, job: jobOf(row), supersededJobIds };
  });

const supersedeOthers = async (
  tx: Transaction,
  suite: string,
  source: string,
  version: string,
): Promise<string[]> => {
  const { count } = await tx.sourceVersion.updateMany({
    where: { suite, source, state: 'current', version: { not: version } },
    data: { state: 'superseded', supersededAt: new Date() },
  });
  if (count === 0) return [];
  const older = await tx.job.findMany({
    where: { suite, source, version: { not: version }, state: { notIn: ['superseded', 'cancelled'] } },
    orderBy: { jobId: 'asc' },
  });
  for (const { jobId } of older) {
    await moveJob(tx, {
      jobId,
      to: 'superseded',
      reason: `version ${version} is in ${suite} now`,
      actor: 'intake',
    });
  }
  return older.map(({ jobId }) => jobId);
};

/** The current versions of a suite, or of one source in it. */
export const current = async (db: Connection, suite: string, source?: string): Promise<SourceVersion[]> => {
  const rows = await db.sourceVersion.findMany({
    where: { suite, source, state: 'current' },
    orderBy: { source: 'asc' },
  });
  return rows.map(versionOf);
};
