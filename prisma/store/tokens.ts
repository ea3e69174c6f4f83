// Bearer tokens of people. The token itself is never kept: 256 bits of chance need no slow hash, sha256 is enough.
import { createHash } from 'node:crypto';
import type { Bearer, Role } from '@retraind/shared/policy/roles';
import { Problem } from '@retraind/shared/wire/problems';
import type { Connection, Database } from '../client.ts';
import type { Token } from '../generated/client.ts';
import { note } from './audit.ts';

export type { Bearer };
export type TokenRow = Omit<Token, 'sha256' | 'role'> & { role: Role };

/** Whoever makes a token names only what its role needs. */
export type BearerToMake = Pick<Bearer, 'name' | 'role'> & Partial<Bearer>;

const hash = (token: string): string => createHash('sha256').update(token).digest('hex');

/** Makes a token known. Putting it again renames it, gives it this reach and ends a revocation. */
export const put = async (db: Connection, token: string, bearer: BearerToMake): Promise<void> => {
  const sha256 = hash(token);
  const { name, role, suites = [], sources = [] } = bearer;
  const data = { name, role, suites: [...suites], sources: [...sources] };
  await db.token.upsert({
    where: { sha256 },
    create: { sha256, ...data },
    update: { ...data, revokedAt: null },
  });
};

/** Makes a new token known. Problem `conflict` where somebody bears this name: the audit and the budgets know people by it. */
export const make = (
  db: Database,
  token: string,
  bearer: Bearer,
  { actor, reason }: { actor: string; reason: string },
): Promise<void> =>
  db.$transaction(async (tx) => {
    await tx.$queryRaw`SELECT pg_advisory_xact_lock(hashtext('retraind token'))::text`;
    const { name, role, suites, sources } = bearer;
    const taken = await tx.token.count({ where: { name, revokedAt: null } });
    if (taken > 0) {
      throw new Problem('conflict', `${name} has a token`, 'revoke it first, or take another name');
    }
    await put(tx, token, bearer);
    const facts = { role, suites: [...suites], sources: [...sources] };
    await note(tx, { actor, deed: 'tokens.make', subject: `token:${name}`, reason, facts });
  });

/** Who bears this token; null where nobody does or it was revoked. */
export const find = async (db: Connection, token: string): Promise<Bearer | null> => {
  const row = await db.token.findUnique({ where: { sha256: hash(token) } });
  if (!row || row.revokedAt !== null) return null;
  const { name, suites, sources } = row;
  return { name, role: row.role as Role, suites, sources };
};

/** Ends a token by its name. Problem `not-found` where nobody bears it. */
export const revoke = (
  db: Database,
  name: string,
  { actor, reason }: { actor: string; reason: string },
): Promise<void> =>
  db.$transaction(async (tx) => {
    const { count } = await tx.token.updateMany({
      where: { name, revokedAt: null },
      data: { revokedAt: new Date() },
    });
    if (count === 0) throw new Problem('not-found', `Nobody bears a token with the name ${name}`);
    await note(tx, { actor, deed: 'tokens.revoke', subject: `token:${name}`, reason });
  });

/** All tokens, without their hashes, by name. */
export const list = async (db: Connection): Promise<TokenRow[]> =>
  (await db.token.findMany({ orderBy: [{ name: 'asc' }, { createdAt: 'asc' }], omit: { sha256: true } })).map(
    (row) => ({ ...row, role: row.role as Role }),
  );
