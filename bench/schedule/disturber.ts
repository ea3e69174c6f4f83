// The rest of the farm, as a process of its own as on a farm: what happens between two ticks.
//   node --import tsx bench/schedule/disturber.ts DATABASE-URL    asked over its IPC channel, one Disturbance after the other
import { openDatabase } from '@retraind/prisma/client';
import * as runs from '@retraind/prisma/store/runs';
import { nodeCount, nodeIdOf, waitingIdOf } from './rows.ts';

export interface Disturbance {
  tick: number;
  /** Jobs that wait, and how many of them change with their runs. */
  waiting: number;
  rows: number;
  /** Leased runs whose slots come free. */
  freedRunIds: string[];
}

const beatingNodes = nodeCount / 5;

const db = openDatabase(process.argv[2]!);

async function disturb({ tick, waiting, rows, freedRunIds }: Disturbance): Promise<void> {
  const from = (tick * rows) % waiting;
  const ids = Array.from({ length: rows }, (_, i) => waitingIdOf((from + i) % waiting));
  const nodeIds = Array.from({ length: beatingNodes }, (_, i) =>
    nodeIdOf((tick * beatingNodes + i) % nodeCount),
  );
  await db.$executeRaw`UPDATE job SET priority = (priority + 1) % 3 WHERE job_id = ANY(${ids})`;
  await db.$executeRaw`UPDATE run SET not_before = now() WHERE run_id = ANY(${ids}) AND state = 'waiting'`;
  await db.$executeRaw`UPDATE node SET seen_at = now() WHERE node_id = ANY(${nodeIds})`;
  for (const runId of freedRunIds) {
    const row = await runs.byId(db, runId);
    if (row?.state !== 'leased') continue;
    const { leaseEpoch } = row;
    const end = { outcome: 'given-back', blame: 'farm', detail: 'the benchmark frees its slot' } as const;
    await runs.giveBack(db, { runId, leaseEpoch, ...end });
  }
}

process.on('message', async (disturbance: Disturbance) => {
  await disturb(disturbance);
  process.send!('done');
});
process.on('disconnect', () => void db.$disconnect().then(() => process.exit(0)));
