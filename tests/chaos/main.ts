// A farm of real programs over real PostgreSQL and Redis, in which every process is killed and stopped at random points while
// examples/tiny is retrained again and again. In the end every job has ended, none is lost, and no run is recorded twice.
//   npm run test:chaos                              150 runs on each queue backend
//   npm run test:chaos -- --runs 30 --seed 7 --backend redis
//   npm run test:chaos -- --runs 30 --without-fencing    must find results that were recorded twice
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { ensureTool } from '@retraind/host/debian-tools';
import { startRedis } from '../support/redis.ts';
import { isDoubled } from './accounts.ts';
import { playSleeper } from './sleeper.ts';
import { type Outcome, undertake } from './undertaking.ts';

const backends = ['postgres', 'redis'] as const;
const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '150' },
    seed: { type: 'string', default: String(randomInt(2 ** 31)) },
    backend: { type: 'string' },
    minutes: { type: 'string', default: '10' },
    'without-fencing': { type: 'boolean', default: false },
  },
});
const [runs, seed, minutes] = [values.runs, values.seed, values.minutes].map(Number) as [
  number,
  number,
  number,
];
if (
  !(runs > 0 && seed >= 0 && minutes > 0) ||
  (values.backend && !backends.some((one) => one === values.backend))
) {
  console.error(
    'usage: npm run test:chaos -- [--runs N] [--seed N] [--backend postgres|redis] [--minutes N a backend] [--without-fencing]',
  );
  process.exit(2);
}
const isFenced = !values['without-fencing'];
console.log(`seed ${seed}`);

let failed = 0;
const asked = backends.filter((backend) => values.backend === undefined || backend === values.backend);
for (const backend of asked) {
  const redis = backend === 'redis' ? await startRedis(await ensureTool('redis-server')) : null;
  const say = (line: string) => console.error(`${backend}: ${line}`);
  try {
    const outcome = await undertake({ runs, seed, redis, isFenced, seconds: minutes * 60, say });
    console.log(`${backend}: ${told(outcome)}`);
    // Chance alone may wake no worker late enough: the directed story is part of what must be seen.
    const slept = isFenced ? [] : await playSleeper({ isFenced, redisUrl: redis?.url });
    const faults = [...outcome.faults, ...slept];
    for (const fault of faults) console.log(`${backend}: ${fault}`);
    const isAsExpected = isFenced ? faults.length === 0 : faults.some(isDoubled);
    if (!isFenced) {
      const doubled = faults.filter(isDoubled).length;
      console.log(`${backend}: without fencing, ${doubled} doubled results were seen`);
    }
    if (!isAsExpected) failed++;
  } finally {
    await redis?.stop();
  }
}
console.log(`${asked.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

function told({ jobs, reported, leases, starts, deeds, givenBack, seconds }: Outcome): string {
  const list = (counts: Record<string, number>) =>
    Object.entries(counts)
      .map(([what, count]) => `${count} ${what}`)
      .join(', ');
  return [
    `${jobs} jobs, ${reported} runs recorded in ${seconds} s`,
    `leases: ${list(leases)}`,
    `${starts} children started`,
    `done to it: ${list(deeds)}`,
    `given back by a person: ${givenBack}`,
  ].join('; ');
}
