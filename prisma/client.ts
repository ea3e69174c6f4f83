// The one connection to the farm's truth. A program opens it once; every deed of store/ takes it first.
import { PrismaPg } from '@prisma/adapter-pg';
import { Problem } from '@retraind/shared/wire/problems';
import pg from 'pg';
import { type Prisma, PrismaClient } from './generated/client.ts';

export type Database = PrismaClient;
/** What a deed sees inside its transaction. */
export type Transaction = Prisma.TransactionClient;
/** Reads and single statements take either. */
export type Connection = Database | Transaction;

/** Connections that one program may hold. A farm of an api, a scheduler and tools stays far under PostgreSQL's 100. */
const maxConnections = 10;

/**
 * A program that is stopped or cut off in the middle of a transaction keeps the rows that it locked, and whoever wants them
 * waits: the server ends its session instead. Ours take milliseconds between two statements.
 */
const idleInTransactionMilliseconds = 5_000;

/**
 * Opens a pool on a migrated database. Nothing connects before the first statement; `db.$disconnect()` ends it.
 * `onFault` hears of connections that die while idle (a server's restart): the pool replaces them, nothing is lost.
 */
export const openDatabase = (url: string, onFault: (error: Error) => void = () => undefined): Database => {
  const config = {
    connectionString: url,
    max: maxConnections,
    connectionTimeoutMillis: 10_000,
    idle_in_transaction_session_timeout: idleInTransactionMilliseconds,
  };
  const adapter = new PrismaPg(config, { onPoolError: onFault, onConnectionError: onFault });
  return new PrismaClient({ adapter, transactionOptions: { maxWait: 10_000, timeout: 30_000 } });
};

/** Asks the database for a sign of life. Throws Problem `database-unavailable`. */
export const checkDatabase = async (db: Connection): Promise<void> => {
  try {
    await db.$queryRaw`SELECT 1`;
  } catch (cause) {
    throw new Problem('database-unavailable', 'The database does not answer', undefined, { cause });
  }
};

/** Calls `onChange` with `job:<id>`, `run:<id>`, `node:<id>` or `suite:<name>` when such a row changed. */
export interface Listening {
  close(): Promise<void>;
}

/**
 * Listens to the channel `retraind`, reconnecting for ever. After each (re)connection `onChange('')` is called: what
 * was said in between is lost, so read all you show.
 */
export const listen = (url: string, onChange: (subject: string) => void): Listening => {
  let client: pg.Client | null = null;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  const retry = (lost: pg.Client): void => {
    if (client !== lost || closed) return;
    client = null;
    lost.end().catch(() => undefined);
    timer = setTimeout(connect, 500);
  };
  const connect = (): void => {
    const fresh = new pg.Client({ connectionString: url, keepAlive: true });
    client = fresh;
    fresh.on('error', () => retry(fresh));
    fresh.on('end', () => retry(fresh));
    fresh.on('notification', ({ payload }) => onChange(payload ?? ''));
    fresh
      .connect()
      .then(() => fresh.query('LISTEN retraind'))
      .then(() => onChange(''))
      .catch(() => retry(fresh));
  };
  connect();

  return {
    async close() {
      closed = true;
      clearTimeout(timer);
      await client?.end().catch(() => undefined);
    },
  };
};
