// What scheduling costs, over real PostgreSQL:
//   npm run bench:schedule [-- --json] [--ticks N] [--submissions N] [--only ticks|latency]
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { openDatabase } from '@retraind/prisma/client';
import { execute, startTestPostgres, templateName } from '../tests/support/postgres-server.ts';
import { type Latencies, timeSubmissions } from './schedule/latency.ts';
import { fill, nodeCount } from './schedule/rows.ts';
import { type TickTimes, timeTicks } from './schedule/ticks.ts';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    ticks: { type: 'string', default: '200' },
    submissions: { type: 'string', default: '40' },
    only: { type: 'string' },
  },
});
const say = (line: string): void => {
  if (!values.json) console.log(line);
};
const ms = (value: number): string => `${value.toFixed(1)} ms`;

async function ticksOf(waiting: number): Promise<TickTimes> {
  // Durable, as a farm's is: a claim is on disk before a ring.
  const postgres = await startTestPostgres({ isDurable: true });
  try {
    const url = postgres.urlOf('bench');
    await execute(postgres.urlOf('postgres'), `CREATE DATABASE bench TEMPLATE ${templateName}`);
    await fill(url, waiting);
    const db = openDatabase(url);
    try {
      return await timeTicks(db, waiting, Number(values.ticks));
    } finally {
      await db.$disconnect();
    }
  } finally {
    await postgres.stop();
  }
}

const load = loadavg()[0]!;
say(
  `node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'CPU'}, load ${load.toFixed(1)} before`,
);
const ticks: TickTimes[] = [];
if (values.only !== 'latency') {
  say(`a tick with ${nodeCount} nodes, 1 % of the rows changed: read, take in, decide, claim`);
  for (const waiting of [1_000, 10_000, 100_000]) {
    const one = await ticksOf(waiting);
    ticks.push(one);
    const { read, take, decide, claim } = one.parts;
    say(
      `  ${String(waiting).padStart(7)} wait: p50 ${ms(one.p50)}, p99 ${ms(one.p99)}, longest ${ms(one.longest)}` +
        ` (read ${ms(read)}, take ${ms(take)}, decide ${ms(decide)}, claim ${ms(claim)}; ${one.changed.toFixed(0)} rows, ${one.placed.toFixed(1)} placed; whole reading ${ms(one.wholeRead)})`,
    );
  }
  say(`  p99 at 100,000 over p99 at 1,000: ${(ticks.at(-1)!.p99 / ticks[0]!.p99).toFixed(2)}`);
}
let latency: Latencies | null = null;
if (values.only !== 'ticks') {
  latency = await timeSubmissions(Number(values.submissions));
  say(
    `submit → lease taken and first step begun, ${latency.count} times: p50 ${ms(latency.begun.p50)}, p99 ${ms(latency.begun.p99)}`,
  );
  say(
    `bare BullMQ add → active on the same backend:      p50 ${ms(latency.bare.p50)}, p99 ${ms(latency.bare.p99)}`,
  );
  say(`ratio of the medians: ${(latency.begun.p50 / latency.bare.p50).toFixed(1)}`);
}
const growth = ticks.length > 0 ? ticks.at(-1)!.p99 / ticks[0]!.p99 : null;
if (values.json) {
  console.log(JSON.stringify({ load, cores: cpus().length, ticks, growth, latency }, null, 2));
}
