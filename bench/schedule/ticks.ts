// What a tick costs while many jobs wait: 1 % of the rows of jobs and runs have changed since the last one, a fifth of the
// nodes have given a sign of life, some slots have come free. Timed: the changes read from PostgreSQL, the decision, the claims.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type Database, openDatabase } from '@retraind/prisma/client';
import * as runs from '@retraind/prisma/store/runs';
import { read } from '@retraind/prisma/store/world';
import { WorldMemory } from '@retraind/prisma/store/world-memory';
import { decideQueue } from '@retraind/shared/policy/decide';
import { defaultPolicy, nodeSilenceSeconds } from '@retraind/shared/policy/world';
import type { Disturbance } from './disturber.ts';

const changedShare = 0.01;
/** Slots that come free between two ticks: one in a hundred. */
const freedSlots = 4;
const leaseSeconds = 86_400;

export interface TickTimes {
  waiting: number;
  ticks: number;
  /** Milliseconds. */
  p50: number;
  p99: number;
  longest: number;
  /** Mean milliseconds of each part. */
  parts: { read: number; take: number; decide: number; claim: number };
  /** The first reading, of everything: milliseconds. */
  wholeRead: number;
  /** Rows that changed and runs that were placed, a tick. */
  changed: number;
  placed: number;
}

export const quantile = (sorted: readonly number[], q: number): number =>
  sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)]!;

export async function timeTicks(databaseUrl: string, waiting: number, ticks: number): Promise<TickTimes> {
  const db = openDatabase(databaseUrl);
  const disturber = fork(fileURLToPath(new URL('disturber.ts', import.meta.url)), [databaseUrl]);
  const died = once(disturber, 'exit').then(() => Promise.reject(new Error('the disturber died')));
  // It is told to end at the end.
  died.catch(() => undefined);
  try {
    return await timeEach(db, waiting, ticks, async (disturbance) => {
      const done = once(disturber, 'message');
      disturber.send(disturbance);
      await Promise.race([done, died]);
    });
  } finally {
    disturber.disconnect();
    await db.$disconnect();
  }
}

async function timeEach(
  db: Database,
  waiting: number,
  ticks: number,
  disturb: (disturbance: Disturbance) => Promise<void>,
): Promise<TickTimes> {
  const memory = new WorldMemory(defaultPolicy, nodeSilenceSeconds);
  const wholeFrom = performance.now();
  const first = await read(db, null);
  memory.take(first, wholeFrom, () => performance.now());
  const wholeRead = performance.now() - wholeFrom;
  let cursor = first.cursor;
  const totals: number[] = [];
  const parts = { read: 0, take: 0, decide: 0, claim: 0 };
  const changedRows = Math.ceil(waiting * changedShare);
  const seen = { changed: 0, placed: 0 };
  const warmUp = 10;
  for (let i = 0; i < warmUp + ticks; i++) {
    const held = [...memory.queue.held.values()].map(({ run }) => run.runId);
    const freedRunIds = Array.from(
      { length: freedSlots },
      (_, k) => held[(i * freedSlots + k) % held.length]!,
    );
    await disturb({ tick: i, waiting, rows: changedRows, freedRunIds });
    const start = performance.now();
    const change = await read(db, cursor);
    const haveRead = performance.now();
    memory.take(change, start, () => performance.now());
    const taken = performance.now();
    const { actions } = decideQueue(memory.queue, new Date());
    const decided = performance.now();
    const places = actions.filter((action) => action.kind === 'place');
    const leased = await runs.leaseAll(db, places, leaseSeconds);
    const claimed = performance.now();
    cursor = change.cursor;
    if (i < warmUp) continue;
    totals.push(claimed - start);
    parts.read += (haveRead - start) / ticks;
    parts.take += (taken - haveRead) / ticks;
    parts.decide += (decided - taken) / ticks;
    parts.claim += (claimed - decided) / ticks;
    seen.changed += (change.jobs.length + change.movedJobs.length + change.runs.length) / ticks;
    seen.placed += leased.size / ticks;
  }
  totals.sort((a, b) => a - b);
  const [p50, p99, longest] = [quantile(totals, 0.5), quantile(totals, 0.99), totals.at(-1)!];
  return { waiting, ticks, p50, p99, longest, parts, wholeRead, ...seen };
}
