// Suites: archives as apt reads them.
import { Problem } from '@retraind/shared/wire/problems';
import type { Connection, Database } from '../client.ts';
import type { Suite } from '../generated/client.ts';
import { note } from './audit.ts';

export type { Suite };

export interface SuiteToAdd {
  name: string;
  /** deb822 `.sources` text, key inline. */
  sources: string;
  /** Seconds between two readings of its Sources index. */
  intakeSeconds: number;
}

/** Adds a suite, or replaces the sources and the interval of the one with that name. */
export const add = (
  db: Database,
  { name, sources, intakeSeconds }: SuiteToAdd,
  actor: string,
): Promise<Suite> =>
  db.$transaction(async (tx) => {
    const suite = await tx.suite.upsert({
      where: { name },
      create: { name, sources, intakeSeconds },
      update: { sources, intakeSeconds },
    });
    await note(tx, { actor, deed: 'suites.add', subject: `suite:${name}` });
    return suite;
  });

export const list = (db: Connection): Promise<Suite[]> => db.suite.findMany({ orderBy: { name: 'asc' } });

export const byName = (db: Connection, name: string): Promise<Suite | null> =>
  db.suite.findUnique({ where: { name } });

/** What a reading of the index came to: its digest and the Date of the InRelease, or what went wrong. */
export type IndexReading = { digest: string; date: Date | null } | { problem: string };

/** Notes a reading. One that failed leaves the last good digest as it was. */
export const noteIndex = async (db: Connection, name: string, reading: IndexReading): Promise<void> => {
  const data =
    'problem' in reading
      ? { indexProblem: reading.problem }
      : { indexDigest: reading.digest, indexDate: reading.date, indexProblem: null };
  const { count } = await db.suite.updateMany({
    where: { name },
    data: { ...data, indexReadAt: new Date() },
  });
  if (count === 0) throw new Problem('not-found', `There is no suite ${name}`);
};
