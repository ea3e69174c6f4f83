// The ledger of the infeasible: what it holds, and what an entry does to the jobs of its package.
import { type LedgerEntry, refusalOf } from '@retraind/shared/ledger/entry';
import { Problem } from '@retraind/shared/wire/problems';
import type { Connection, Database, Transaction } from '../client.ts';
import type { Ledger, Prisma } from '../generated/client.ts';
import { note } from './audit.ts';
import { moveJob } from './job-move.ts';

export type StoredEntry = LedgerEntry & Pick<Ledger, 'removedBy' | 'removedReason'>;
export type EntryToAdd = Omit<LedgerEntry, 'ledgerId' | 'reviewedAt' | 'removedAt' | 'reviewer'>;

const entryOf = (row: Ledger): StoredEntry => row as unknown as StoredEntry;

/** All entries, those in force first, by package. */
export const list = async (db: Connection): Promise<StoredEntry[]> =>
  (
    await db.ledger.findMany({
      orderBy: [{ removedAt: { sort: 'asc', nulls: 'first' } }, { source: 'asc' }, { ledgerId: 'asc' }],
    })
  ).map(entryOf);

/** Entries that are in force for these packages. */
export const inForce = async (db: Connection, sources?: readonly string[]): Promise<LedgerEntry[]> =>
  (
    await db.ledger.findMany({
      where: {
        removedAt: null,
        expiresAt: { gt: new Date() },
        ...(sources ? { source: { in: [...sources] } } : {}),
      },
      orderBy: { ledgerId: 'asc' },
    })
  ).map(entryOf);

const rowOf = ({ estimate, evidence, ...entry }: EntryToAdd, reviewer: string) => ({
  ...entry,
  evidence: [...evidence],
  reviewer,
  ...(estimate && { estimate: estimate as unknown as Prisma.InputJsonObject }),
});

/** Adds an entry. Jobs of the package that wait for a first slot become auto-not-for-us; what runs already goes on. */
export const add = (
  db: Database,
  entry: EntryToAdd,
  { actor, reason }: { actor: string; reason: string },
): Promise<StoredEntry> =>
  db.$transaction(async (tx) => {
    const added = entryOf(await tx.ledger.create({ data: rowOf(entry, actor) }));
    await note(tx, {
      actor,
      deed: 'ledger.add',
      subject: `package:${entry.source}`,
      reason,
      facts: { ledgerId: added.ledgerId, model: entry.model, reason: entry.reason },
    });
    if (entry.model === null) await refuseWaiting(tx, added, actor);
    return added;
  });

const refuseWaiting = async (tx: Transaction, entry: LedgerEntry, actor: string): Promise<void> => {
  const waiting = await tx.job.findMany({
    where: { source: entry.source, state: 'needs-retrain', runs: { none: { state: 'leased' } } },
    orderBy: { jobId: 'asc' },
  });
  for (const { jobId } of waiting) {
    await moveJob(tx, { jobId, to: 'auto-not-for-us', reason: refusalOf(entry), actor });
    await tx.job.update({ where: { jobId }, data: { ledgerId: entry.ledgerId } });
  }
};

/** Ends an entry. Problem `not-found`, or `conflict` where it was removed before. Its jobs wait again (`reopen`). */
export const remove = (
  db: Database,
  ledgerId: number,
  { actor, reason }: { actor: string; reason: string },
): Promise<StoredEntry> =>
  db.$transaction(async (tx) => {
    const known = await tx.ledger.findUnique({ where: { ledgerId } });
    if (!known) throw new Problem('not-found', `The ledger has no entry ${ledgerId}`);
    const { count } = await tx.ledger.updateMany({
      where: { ledgerId, removedAt: null },
      data: { removedAt: new Date(), removedBy: actor, removedReason: reason },
    });
    if (count === 0) throw new Problem('conflict', `Entry ${ledgerId} was removed before`);
    const facts = { ledgerId };
    await note(tx, { actor, deed: 'ledger.remove', subject: `package:${known.source}`, reason, facts });
    return entryOf(await tx.ledger.findUniqueOrThrow({ where: { ledgerId } }));
  });

/**
 * Jobs whose entry has expired or was removed wait again, where their version is still the suite's and nobody has asked anew.
 * Returns how many.
 */
export const reopen = async (db: Database): Promise<number> => {
  const due = await db.$queryRaw<{ jobId: string; why: string }[]>`
    SELECT job_id AS "jobId", CASE WHEN removed_at IS NULL THEN 'expired' ELSE 'was removed' END AS why
    FROM job JOIN source_version USING (suite, source, version) JOIN ledger ON ledger.ledger_id = job.ledger_id
    WHERE job.state = 'auto-not-for-us' AND source_version.state = 'current'
      AND (ledger.removed_at IS NOT NULL OR ledger.expires_at <= now())`;
  let moved = 0;
  for (const { jobId, why } of due) {
    try {
      await db.$transaction(async (tx) => {
        const reason = `its ledger entry ${why}`;
        await moveJob(tx, { jobId, to: 'needs-retrain', reason, actor: 'farm' });
        await tx.job.update({ where: { jobId }, data: { ledgerId: null } });
      });
      moved++;
    } catch (error) {
      // Another open job asks the same: that one is enough, and this one is not looked at again.
      if (!(error instanceof Problem) || error.code !== 'conflict') throw error;
      await db.job.update({ where: { jobId }, data: { ledgerId: null } });
    }
  }
  return moved;
};

/** Adds what comes with the farm, once: an entry that a person removed stays removed. */
export const seed = async (
  db: Connection,
  entries: readonly (EntryToAdd & Pick<LedgerEntry, 'reviewedAt'> & { key: string })[],
): Promise<number> => {
  const { count } = await db.ledger.createMany({
    data: entries.map(({ key, ...entry }) => ({ ...rowOf(entry, 'retraind'), seedKey: key })),
    skipDuplicates: true,
  });
  return count;
};
