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
