// A fresh migrated database for a test file, cloned from a template on the run's one server (a server of its own where the
// file is run by hand). Databases go with the server.
import { randomBytes } from 'node:crypto';
import { after } from 'node:test';
import { type Database, openDatabase } from '@retraind/prisma/client';
import { execute, startTestPostgres, templateName } from './postgres-server.ts';

export interface TestDatabase {
  /** For programs and for clients of one's own. */
  url: string;
  db: Database;
}

/** Milliseconds after the last test in which everything that the tests opened must be closed. */
const leakMilliseconds = 20_000;

export interface TestDatabaseOptions {
  /** A server of its own: for tests that see transactions of other databases (snapshots count them all). */
  alone?: boolean;
}

/** Opens it at the head of a test file; it closes after the file's last test. */
export const withDatabase = async ({ alone = false }: TestDatabaseOptions = {}): Promise<TestDatabase> => {
  const shared = alone ? undefined : process.env.TEST_DATABASE_URL;
  const own = shared === undefined ? await startTestPostgres() : null;
  const admin = shared ?? own!.urlOf('postgres');
  const name = `test_${randomBytes(6).toString('hex')}`;
  await execute(admin, `CREATE DATABASE ${name} TEMPLATE ${templateName} STRATEGY FILE_COPY`);
  const url = admin.replace(/\/postgres\?/, `/${name}?`);
  const db = openDatabase(url);
  after(async () => {
    await db.$disconnect();
    await own?.stop();
    failOnLeak();
  });
  return { url, db };
};

// A handle that a test forgot would keep the file running until the runner gives up: say what it is instead.
const failOnLeak = (): void => {
  const tell = () => {
    console.error(
      `still open ${leakMilliseconds} ms after the last test: ${process.getActiveResourcesInfo().join(', ')}`,
    );
    process.exit(1);
  };
  setTimeout(tell, leakMilliseconds).unref();
};
