// Intake: what a suite's index has goes into the store as versions; the store makes and supersedes jobs in one transaction
// each. Runs on the leader only. One suite's trouble is told and noted, and never stops another suite.
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ArtifactStore } from '@retraind/host/artifacts';
import { type Overlay, readOverlays } from '@retraind/host/overlays';
import type { Database } from '@retraind/prisma/client';
import * as ledger from '@retraind/prisma/store/ledger';
import { retryChanged } from '@retraind/prisma/store/overlay';
import * as suites from '@retraind/prisma/store/suites';
import * as versions from '@retraind/prisma/store/versions';
import { retrainDue } from '@retraind/shared/policy/retrain';
import type { RetrainPolicy } from '@retraind/shared/recipe/recipe';
import { Problem } from '@retraind/shared/wire/problems';
import { type DebianSuite, openDebianSuite } from './debian.ts';
import type { ListedSource } from './sources-index.ts';

export interface IntakeOptions {
  db: Database;
  artifacts: ArtifactStore;
  /** For private apt lists: one folder a suite below it. */
  stateFolder: string;
  /** recipes/; null for none. */
  overlaysFolder: string | null;
  /** Job seed of every new job; null: public randomness. For demonstrations and tests. */
  seed: string | null;
  signal: AbortSignal;
  /** One line of the log: a constant message and its facts. */
  log: (level: 'info' | 'warn' | 'error', message: string, facts: Record<string, unknown>) => void;
}

export interface Intake {
  /** Reads every suite that is due. `now` in milliseconds. */
  readDue(now: number): Promise<void>;
}

/** The job that a policy makes of a version that just came in (docs/reference/recipe.md); null: it waits for a wish or a release. */
const jobFor = (policy: RetrainPolicy, seed: string | null): versions.Found['job'] => {
  const { due, reason } = retrainDue(policy, 'new-version');
  return due ? { state: 'needs-retrain', reason, priority: 0, seedOverride: seed } : null;
};

const wishOf = (listed: ListedSource, overlay: Overlay | null) => {
  // A package's own recipe wins over an overlay.
  if (listed.tag) {
    const { target, policy, accelerators } = listed.tag;
    const own = { overlaySha256: null, control: null };
    return { target, policy: policy ?? 'on-demand', accelerators: accelerators ?? [], ...own };
  }
  if (!overlay) return null;
  const { target, policy, accelerators } = overlay.recipe;
  return { target, policy, accelerators, overlaySha256: overlay.sha256, control: overlay.control };
};

interface Opened {
  sources: string;
  intakeSeconds: number;
  suite: DebianSuite;
}

export const openIntake = (options: IntakeOptions): Intake => {
  const { db, artifacts, log } = options;
  const opened = new Map<string, Opened>();
  const dueAt = new Map<string, number>();

  const overlaysNow = async (): Promise<Map<string, Overlay>> => {
    if (options.overlaysFolder === null) return new Map();
    const told = (problem: Problem) => log('warn', 'an overlay is left out', { problem: problem.detail });
    return await readOverlays(options.overlaysFolder, told);
  };

  const takeListed = async (
    suite: string,
    listed: readonly ListedSource[],
    overlays: ReadonlyMap<string, Overlay>,
  ): Promise<void> => {
    for (const entry of listed) {
      const { source, version, directory, section, archivePriority, beacon } = entry;
      if (entry.faults.length > 0) {
        const faults = entry.faults.map(({ line, message }) => `line ${line}: ${message}`);
        log('warn', 'a tag in the index is refused', { suite, source, version, faults });
        continue;
      }
      const overlay = overlays.get(source) ?? null;
      const wish = wishOf(entry, overlay);
      if (!wish) continue;
      if (wish.overlaySha256 && overlay && !(await artifacts.has(wish.overlaySha256))) {
        await artifacts.putText(overlay.tar);
      }
      const job = jobFor(wish.policy, options.seed);
      const answer = await versions.found(db, {
        ...{ suite, source, version, directory, section, archivePriority, beacon },
        job,
        ...wish,
      });
      if (!answer.isNew) continue;
      const { supersededJobIds } = answer;
      log('info', 'a version came in', {
        suite,
        source,
        version,
        jobId: answer.job?.jobId,
        supersededJobIds,
      });
    }
  };

  const open = async ({ name, sources, intakeSeconds }: suites.Suite): Promise<Opened> => {
    const known = opened.get(name);
    if (known && known.sources === sources && known.intakeSeconds === intakeSeconds) return known;
    const stateFolder = join(options.stateFolder, 'suites', name);
    const suite = await openDebianSuite({ sources, intakeSeconds, stateFolder });
    const fresh = { sources, intakeSeconds, suite };
    opened.set(name, fresh);
    return fresh;
  };

  const readSuite = async (row: suites.Suite, now: number): Promise<void> => {
    const known = opened.get(row.name);
    const same = known?.sources === row.sources && known.intakeSeconds === row.intakeSeconds;
    if (now < (dueAt.get(row.name) ?? 0) && (same || !known)) return;
    dueAt.set(row.name, now + row.intakeSeconds * 1_000);
    const entry = await open(row);
    const overlays = await overlaysNow();
    const digests = new Map([...overlays].map(([source, { sha256 }]) => [source, sha256]));
    const reading = await entry.suite.read(now, row.indexDigest, digests);
    if (reading.listed) {
      await takeListed(row.name, reading.listed, overlays);
      await retry(options);
      const { stanzas, digest, listed } = reading;
      log('info', 'an index was read', { suite: row.name, stanzas, toRetrain: listed.length, digest });
      // Noted last: a reading that was cut off is made again, and versions already taken are known then.
      const date = reading.date === null ? null : new Date(reading.date);
      await suites.noteIndex(db, row.name, { digest, date });
    }
    for (const problem of reading.problems) throw problem;
    if (row.indexProblem !== null && !reading.listed && row.indexDigest !== null) {
      await suites.noteIndex(db, row.name, { digest: row.indexDigest, date: row.indexDate });
    }
  };

  return {
    readDue: async (now) => {
      for (const row of await suites.list(db)) {
        if (options.signal.aborted) return;
        try {
          await readSuite(row, now);
        } catch (error) {
          if (!(error instanceof Problem)) throw error;
          log('warn', 'a suite could not be read', {
            suite: row.name,
            problem: error.code,
            detail: error.detail,
          });
          await suites.noteIndex(db, row.name, { problem: `${error.code}: ${error.detail}` });
        }
      }
    },
  };
};

/** How often the list of suites is looked at; each suite is read at its own interval. */
const lookMilliseconds = 1_000;
/** How often jobs are looked for whose entry of the ledger has ended, or that ended broken after their overlay had changed. */
const againMilliseconds = 60_000;

/** Asks again for what another overlay broke. */
const retry = async ({ db, log }: Pick<IntakeOptions, 'db' | 'log'>): Promise<void> => {
  for (const facts of await retryChanged(db)) log('info', 'a changed overlay is tried', { ...facts });
};

/** Reads suites as they fall due, until the signal is aborted. Rejects where the database is gone. */
export const intakeForever = async (options: IntakeOptions): Promise<void> => {
  const intake = openIntake(options);
  let againAt = 0;
  while (!options.signal.aborted) {
    await intake.readDue(Date.now());
    if (Date.now() >= againAt) {
      againAt = Date.now() + againMilliseconds;
      await retry(options);
      const jobs = await ledger.reopen(options.db);
      if (jobs > 0) options.log('info', 'entries of the ledger have ended', { jobs });
    }
    await delay(lookMilliseconds, undefined, { signal: options.signal }).catch(() => undefined);
  }
};
