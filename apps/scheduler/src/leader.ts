// One scheduler is active at a time: the one that holds an advisory lock of the database, on a connection of its own. The
// lock ends with the connection, so a killed leader is followed at once, and a leader that lost its database stops. Should
// two ever believe in their lock (a connection cut without a word), nothing breaks: every deed is a conditional UPDATE.
// Danger: an advisory lock needs a session; a pooler in transaction mode (pgbouncer) would hand it to a stranger.
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';

/** Key of the advisory lock: "retr" in ASCII. */
const lockKey = 0x72657472;

const longestPauseMilliseconds = 5_000;

export interface LeaderOptions {
  databaseUrl: string;
  /** How often a standby asks for the lock. */
  askMilliseconds: number;
  signal: AbortSignal;
  /** A lost connection or a failure while leading; the next attempt follows after a pause. */
  onTrouble: (error: Error) => void;
}

/**
 * Leads whenever the lock can be had, until `signal` is aborted. `lead` gets the connection that holds the lock and a signal
 * that is aborted when the connection is lost; it should return soon after.
 */
export async function leadForever(
  options: LeaderOptions,
  lead: (connection: pg.Client, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const { databaseUrl, askMilliseconds, signal, onTrouble } = options;
  let pause = 100;
  while (!signal.aborted) {
    const connection = new pg.Client({
      connectionString: databaseUrl,
      application_name: 'retraind-scheduler',
      keepAlive: true,
    });
    const lost = new AbortController();
    const lose = (error?: Error) => lost.abort(error ?? new Error('the connection ended'));
    connection.on('error', lose);
    connection.on('end', () => lose());
    try {
      await connection.connect();
      const either = AbortSignal.any([signal, lost.signal]);
      while (!(await takeLock(connection))) {
        pause = 100;
        await delay(askMilliseconds, undefined, { signal: either });
      }
      pause = 100;
      await lead(connection, either);
      if (lost.signal.aborted) throw lost.signal.reason;
    } catch (error) {
      if (!signal.aborted) onTrouble(lost.signal.aborted ? lost.signal.reason : (error as Error));
    } finally {
      await connection.end().catch(() => undefined);
    }
    await delay(pause, undefined, { signal }).catch(() => undefined);
    pause = Math.min(pause * 2, longestPauseMilliseconds);
  }
}

async function takeLock(connection: pg.Client): Promise<boolean> {
  const { rows } = await connection.query<{ held: boolean }>('SELECT pg_try_advisory_lock($1) AS held', [
    lockKey,
  ]);
  return rows[0]?.held === true;
}
