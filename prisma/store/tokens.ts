// Bearer tokens of people. The token itself is never kept: 256 bits of chance need no slow hash, sha256 is enough.
import { createHash } from 'node:crypto';
import type { Connection } from '../client.ts';

export const roles = ['developer', 'porter', 'admin'] as const;
export type Role = (typeof roles)[number];

export interface Bearer {
  name: string;
  role: Role;
}

const hash = (token: string): string => createHash('sha256').update(token).digest('hex');

/** Makes a token known. Putting it again renames it and ends a revocation. */
export const put = async (db: Connection, token: string, { name, role }: Bearer): Promise<void> => {
  const sha256 = hash(token);
  await db.token.upsert({
    where: { sha256 },
    create: { sha256, name, role },
    update: { name, role, revokedAt: null },
  });
};

/** Who bears this token; null where nobody does or it was revoked. */
export const find = async (db: Connection, token: string): Promise<Bearer | null> => {
  const row = await db.token.findUnique({ where: { sha256: hash(token) } });
  return row && row.revokedAt === null ? { name: row.name, role: row.role as Role } : null;
};

/** Ends a token by its name. Returns how many it ended. */
export const revoke = async (db: Connection, name: string): Promise<number> => {
  const { count } = await db.token.updateMany({
    where: { name, revokedAt: null },
    data: { revokedAt: new Date() },
  });
  return count;
};
