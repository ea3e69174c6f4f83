// One PostgreSQL for the tests: the embedded one, with a migrated template that a database is cloned from in 50 ms.
import { mkdtemp, rm } from 'node:fs/promises';
import { preparePostgres } from '@retraind/host/postgres';
import { Supervisor } from '@retraind/host/supervise';
import { migrate } from '@retraind/prisma/migrate';
import pg from 'pg';

export const templateName = 'retraind_template';

export interface TestPostgres {
  /** Connection URL of a database of the server. */
  urlOf(database: string): string;
  pid(): number | undefined;
  /** Resolves when the supervisor has started it again after its death. */
  restarted(): Promise<void>;
  stop(): Promise<void>;
}

/** Runs one statement on the server's own database. */
export const execute = async (url: string, ...statements: string[]): Promise<void> => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
};

/** Starts a server in a folder of its own. `isDurable` keeps fsync on, for tests that pull the plug. */
export const startTestPostgres = async ({ isDurable = false } = {}): Promise<TestPostgres> => {
  const folder = await mkdtemp('/tmp/retraind-test-');
  const postgres = await preparePostgres(`${folder}/postgres`);
  const waiting: (() => void)[] = [];
  const isReady = postgres.program.readyWhen!;
  const supervisor = new Supervisor({
    line: (_, line) => {
      if (isReady(line)) for (const wake of waiting.splice(0)) wake();
    },
    died: () => undefined,
  });
  const stop = async () => {
    await supervisor.stop();
    await postgres.forget();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await supervisor.start(postgres.program);
    const admin = postgres.urlOf('postgres');
    if (!isDurable) await execute(admin, 'ALTER SYSTEM SET fsync = off', 'SELECT pg_reload_conf()');
    await execute(admin, `CREATE DATABASE ${templateName}`);
    await migrate(postgres.urlOf(templateName));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    urlOf: postgres.urlOf,
    pid: () => supervisor.pidOf('postgres'),
    restarted: () => new Promise((resolve) => waiting.push(resolve)),
    stop,
  };
};
