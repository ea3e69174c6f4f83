// Who did what, and why. Append-only: a trigger refuses every change.
import type { Connection } from '../client.ts';
import type { Audit, Prisma } from '../generated/client.ts';

export interface Note {
  /** A person's token name, `node:<id>`, or a program (`scheduler`, `intake`). */
  actor: string;
  /** The deed, as the store names it: `jobs.cancel`. */
  deed: string;
  /** `job:<id>`, `run:<id>`, `node:<id>`, `suite:<name>`. */
  subject: string;
  reason?: string;
  facts?: Prisma.InputJsonObject;
}

export const note = async (db: Connection, { actor, deed, subject, reason, facts }: Note): Promise<void> => {
  await db.audit.create({ data: { actor, deed, subject, reason: reason ?? '', facts: facts ?? {} } });
};

/** Notes on one subject, oldest first. */
export const ofSubject = (db: Connection, subject: string): Promise<Audit[]> =>
  db.audit.findMany({ where: { subject }, orderBy: { auditId: 'asc' } });

export interface AuditFilter {
  actor?: string;
  deed?: string;
  subject?: string;
}

/** Notes, newest first, of ids below `before`. `next` is null on the last page. */
export const page = async (
  db: Connection,
  filter: AuditFilter,
  limit: number,
  before: number | null = null,
): Promise<{ notes: Audit[]; next: number | null }> => {
  const rows = await db.audit.findMany({
    where: { ...filter, ...(before === null ? {} : { auditId: { lt: before } }) },
    orderBy: { auditId: 'desc' },
    take: limit + 1,
  });
  const notes = rows.slice(0, limit);
  return { notes, next: rows.length > limit ? (notes.at(-1)?.auditId ?? null) : null };
};
