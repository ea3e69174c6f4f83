// What scheduling costs, over real PostgreSQL:
//   npm run bench:schedule [-- --json] [--ticks N] [--submissions N] [--only ticks|latency]
//     [--backend postgres|redis]       both, where there is a redis-server
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { execute, startTestPostgres, templateName } from '../tests/support/postgres-server.ts';
import { provideRedis } from '../tests/support/redis.ts';
import { type Backend, backends, type Latencies, timeSubmissions } from './schedule/latency.ts';
import { fill, nodeCount } from './schedule/rows.ts';
import { type TickTimes, timeTicks } from './schedule/ticks.ts';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    ticks: { type: 'string', default: '200' },
    submissions: { type: 'string', default: '40' },
    only: { type: 'string' },
    backend: { type: 'string' },
  },
});
if (values.backend !== undefined && !backends.includes(values.backend as Backend)) {
  console.error(`bench:schedule: --backend is one of ${backends.join(', ')}`);
  process.exit(2);
}
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
    return await timeTicks(url, waiting, Number(values.ticks));
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
const latency: Latencies[] = [];
if (values.only !== 'ticks') {
  const { path, absence } = await provideRedis();
  say('submit → lease taken and first step begun, beside bare BullMQ add → active on the same backend:');
  for (const backend of backends) {
    if (values.backend !== undefined && values.backend !== backend) continue;
    if (backend === 'redis' && path === null) {
      say(`  ${backend.padEnd(8)} not measured: ${absence}`);
      continue;
    }
    const one = await timeSubmissions(Number(values.submissions), backend === 'redis' ? path : null);
    latency.push(one);
    say(
      `  ${backend.padEnd(8)} ${one.count} times: p50 ${ms(one.begun.p50)}, p99 ${ms(one.begun.p99)}; bare p50 ${ms(one.bare.p50)}, p99 ${ms(one.bare.p99)}; ratio of the medians ${(one.begun.p50 / one.bare.p50).toFixed(1)}`,
    );
  }
}
const growth = ticks.length > 0 ? ticks.at(-1)!.p99 / ticks[0]!.p99 : null;
if (values.json) {
  console.log(JSON.stringify({ load, cores: cpus().length, ticks, growth, latency }, null, 2));
}
