// What a tick costs while many jobs wait: 1 % of the rows of jobs and runs have changed since the last one, a fifth of the
// nodes have given a sign of life, some slots have come free. Timed: the changes read from PostgreSQL, the decision, the claims.
import type { Database } from '@retraind/prisma/client';
import * as runs from '@retraind/prisma/store/runs';
import { read } from '@retraind/prisma/store/world';
import { WorldMemory } from '@retraind/prisma/store/world-memory';
import { decideQueue } from '@retraind/shared/policy/decide';
import { defaultPolicy, nodeSilenceSeconds } from '@retraind/shared/policy/world';
import { nodeCount, nodeIdOf, waitingIdOf } from './rows.ts';

const changedShare = 0.01;
const beatingNodes = nodeCount / 5;
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

export async function timeTicks(db: Database, waiting: number, ticks: number): Promise<TickTimes> {
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
    await disturb(db, memory, i, waiting, changedRows);
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
    seen.changed += (change.jobs.length + change.runs.length) / ticks;
    seen.placed += leased.size / ticks;
  }
  totals.sort((a, b) => a - b);
  const [p50, p99, longest] = [quantile(totals, 0.5), quantile(totals, 0.99), totals.at(-1)!];
  return { waiting, ticks, p50, p99, longest, parts, wholeRead, ...seen };
}

/** What happens on a farm between two ticks. */
async function disturb(
  db: Database,
  memory: WorldMemory,
  tick: number,
  waiting: number,
  rows: number,
): Promise<void> {
  const from = (tick * rows) % waiting;
  const ids = Array.from({ length: rows }, (_, i) => waitingIdOf((from + i) % waiting));
  const nodeIds = Array.from({ length: beatingNodes }, (_, i) =>
    nodeIdOf((tick * beatingNodes + i) % nodeCount),
  );
  await db.$executeRaw`UPDATE job SET priority = (priority + 1) % 3 WHERE job_id = ANY(${ids})`;
  await db.$executeRaw`UPDATE run SET not_before = now() WHERE run_id = ANY(${ids}) AND state = 'waiting'`;
  await db.$executeRaw`UPDATE node SET seen_at = now() WHERE node_id = ANY(${nodeIds})`;
  const held = [...memory.queue.held.values()];
  for (let i = 0; i < freedSlots && held.length > 0; i++) {
    const { runId } = held[(tick * freedSlots + i) % held.length]!.run;
    const row = await runs.byId(db, runId);
    if (row?.state !== 'leased') continue;
    const { leaseEpoch } = row;
    const end = { outcome: 'given-back', blame: 'farm', detail: 'the benchmark frees its slot' } as const;
    await runs.giveBack(db, { runId, leaseEpoch, ...end });
  }
}
