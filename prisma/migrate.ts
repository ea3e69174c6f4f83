// Applies prisma/migrations in order: what `prisma migrate deploy` does, in a tenth of its time and without its native
// engine (docs/decisions/0401-own-migration-runner.md). Same table, same checksums, same advisory lock, so that
// either may follow the other on one database.
import { createHash, randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Problem } from '@retraind/shared/wire/problems';
import pg from 'pg';

/** Prisma's own lock (schema-engine, `ADVISORY_LOCK_ID`). */
const advisoryLock = 72707369;

const createTable = `CREATE TABLE IF NOT EXISTS _prisma_migrations (
  id VARCHAR(36) PRIMARY KEY NOT NULL, checksum VARCHAR(64) NOT NULL, finished_at TIMESTAMPTZ,
  migration_name VARCHAR(255) NOT NULL, logs TEXT, rolled_back_at TIMESTAMPTZ,
  started_at TIMESTAMPTZ NOT NULL DEFAULT now(), applied_steps_count INTEGER NOT NULL DEFAULT 0)`;

/** Finished where $4 (the error) is null, else failed: a person looks before anything more is applied (P3009). */
const insertRow = `INSERT INTO _prisma_migrations (id, checksum, migration_name, logs, finished_at, applied_steps_count)
  VALUES ($1, $2, $3, $4::text, CASE WHEN $4::text IS NULL THEN now() END, CASE WHEN $4::text IS NULL THEN 1 ELSE 0 END)`;

interface Migration {
  name: string;
  sql: string;
  checksum: string;
}

export const migrationsFolder: string = fileURLToPath(new URL('migrations/', import.meta.url));

export const readMigrations = (folder: string = migrationsFolder): Migration[] =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => {
      const sql = readFileSync(`${folder}/${name}/migration.sql`);
      return { name, sql: sql.toString('utf8'), checksum: createHash('sha256').update(sql).digest('hex') };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));

/**
 * Brings the database at `url` up to date and returns the names of what it applied. Programs may call it at once: one
 * works, the others wait. Throws Problem `database-unavailable` where nothing answers, and `conflict` where an earlier
 * migration broke half-way (Prisma's P3009), was edited since, or is unknown to this version of the farm.
 */
export const migrate = async (url: string, folder?: string): Promise<string[]> => {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (cause) {
    throw new Problem('database-unavailable', 'The database does not answer', 'look at DATABASE_URL', {
      cause,
    });
  }
  try {
    await client.query('SELECT pg_advisory_lock($1)', [advisoryLock]);
    await client.query(createTable);
    return await applyMissing(client, readMigrations(folder));
  } finally {
    await client.end();
  }
};

const applyMissing = async (client: pg.Client, migrations: Migration[]): Promise<string[]> => {
  const { rows } = await client.query<{ migration_name: string; checksum: string; finished_at: Date | null }>(
    'SELECT migration_name, checksum, finished_at FROM _prisma_migrations WHERE rolled_back_at IS NULL',
  );
  for (const { migration_name: name, checksum, finished_at } of rows) {
    const known = migrations.find((migration) => migration.name === name);
    const fault = !finished_at
      ? 'broke half-way (P3009)'
      : !known
        ? 'is not known to this version of the farm: the database is newer'
        : known.checksum !== checksum
          ? 'was edited after it had been applied'
          : null;
    if (fault)
      throw new Problem(
        'conflict',
        `Migration ${name} ${fault}`,
        'docs/reference/database.md says how to mend it',
      );
  }
  const applied: string[] = [];
  for (const { name, sql, checksum } of migrations) {
    if (rows.some((row) => row.migration_name === name)) continue;
    // One transaction, row included: a program killed here leaves nothing, and the next one begins anew.
    try {
      await client.query('BEGIN');
      await client.query(sql);
      await client.query(insertRow, [randomUUID(), checksum, name, null]);
      await client.query('COMMIT');
    } catch (cause) {
      await client.query('ROLLBACK');
      await client.query(insertRow, [randomUUID(), checksum, name, String(cause)]);
      throw new Problem('conflict', `Migration ${name} failed: ${String(cause)}`, undefined, { cause });
    }
    applied.push(name);
  }
  return applied;
};

// As a program (`node --import tsx prisma/migrate.ts`): the farm's supervisor and an admin's systemd unit run it before the
// others, with DATABASE_URL.
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const url = process.env.DATABASE_URL;
    if (!url) throw new Problem('invalid-config', 'DATABASE_URL is not set');
    for (const name of await migrate(url)) console.log(`applied ${name}`);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    console.error(error.hint ? `${error.detail}\n  hint: ${error.hint}` : error.detail);
    process.exitCode = error.exitCode;
  }
}
