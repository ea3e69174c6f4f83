// npm run bench:parallel: five runs of examples/clothes at once beside the same five one after the other. A run has one
// thread, so a machine's cores are used by running side by side.
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runLocalJob } from '../apps/worker/src/local-job.ts';

const source = { path: fileURLToPath(new URL('../examples/clothes', import.meta.url)) };
const runs = 5;
const work = mkdtempSync(join(tmpdir(), 'retrain-parallel-'));

interface Seconds {
  /** From the first run's start to the last one's end: fetch, unpack, train, evaluate, pack, report. */
  runs: number;
  /** The whole job, with reading the recipe before and judging after. */
  job: number;
}

async function measured(name: string, parallel: number): Promise<Seconds> {
  const startedAt = performance.now();
  let first: number | undefined;
  let last = startedAt;
  const { broken } = await runLocalJob({
    source,
    runs,
    seed: '7',
    parallel,
    resultsFolder: join(work, name),
    cacheFolder: join(work, 'cache'),
    onEvent({ kind }) {
      if (kind === 'run-started') first ??= performance.now();
      if (kind === 'run-ended') last = performance.now();
    },
  });
  if (broken) throw new Error(`a run broke: ${broken.detail}`);
  return { runs: (last - first!) / 1000, job: (performance.now() - startedAt) / 1000 };
}

try {
  await measured('before', runs); // data, tools and the shipped file's evidence are then in the caches
  const one = await measured('one', 1);
  const all = await measured('all', runs);
  const line = (what: string, a: number, b: number): string =>
    `${what}: one at a time ${a.toFixed(1)} s, ${runs} at once ${b.toFixed(1)} s on ${availableParallelism()} cores: ${(a / b).toFixed(2)} ×`;
  console.log(line('the runs', one.runs, all.runs));
  console.log(line('the whole job', one.job, all.job));
} finally {
  rmSync(work, { recursive: true, force: true });
}
