// One scheduler is active at a time: the one that holds an advisory lock of the database, on a connection of its own. The
// lock ends with the connection, so a killed leader is followed at once, and a leader that lost its database stops. A leader
// that was stopped, or whose machine went away without a word, keeps its connection: so each says something on it every
// second, and the server itself ends a session that was silent for eight (idle_session_timeout, PostgreSQL 14).
// Should two ever believe in their lock (a stopped leader that wakes), nothing breaks: every deed is a conditional UPDATE.
// Danger: an advisory lock needs a session; a pooler in transaction mode (pgbouncer) would hand it to a stranger.
import { setTimeout as delay, setInterval as every } from 'node:timers/promises';
import pg from 'pg';

/** Key of the advisory lock: "retr" in ASCII. */
const lockKey = 0x72657472;

const longestPauseMilliseconds = 5_000;

/** With a standby's asking (at most 2 s) a silent leader is followed within 15 s, which the tests hold it to. */
const silenceMilliseconds = 8_000;
const signMilliseconds = 1_000;

export interface LeaderOptions {
  databaseUrl: string;
  /** How often a standby asks for the lock; well under the eight seconds after which its own silence would be ended. */
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
      // An answer that does not come is a lost connection too: a network that swallows packets says nothing.
      query_timeout: silenceMilliseconds,
    });
    const lost = new AbortController();
    const lose = (error?: Error) => lost.abort(error ?? new Error('the connection ended'));
    connection.on('error', lose);
    connection.on('end', () => lose());
    try {
      await connection.connect();
      await connection.query(`SET idle_session_timeout = ${silenceMilliseconds}`);
      const either = AbortSignal.any([signal, lost.signal]);
      while (!(await takeLock(connection))) {
        pause = 100;
        await delay(askMilliseconds, undefined, { signal: either });
      }
      pause = 100;
      const ended = new AbortController();
      const signs = giveSigns(connection, AbortSignal.any([either, ended.signal]), lose);
      await lead(connection, either).finally(() => ended.abort());
      await signs;
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

/** Says every second that the leader lives; a sign that fails ends its term. */
async function giveSigns(
  connection: pg.Client,
  signal: AbortSignal,
  lose: (error: Error) => void,
): Promise<void> {
  try {
    for await (const _ of every(signMilliseconds, null, { signal })) await connection.query('SELECT 1');
  } catch (error) {
    if (!signal.aborted) lose(error as Error);
  }
}

async function takeLock(connection: pg.Client): Promise<boolean> {
  const { rows } = await connection.query<{ held: boolean }>('SELECT pg_try_advisory_lock($1) AS held', [
    lockKey,
  ]);
  return rows[0]?.held === true;
}
