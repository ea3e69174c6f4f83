// npm run bench:parallel: five runs of examples/clothes at once beside the same five one after the other. A run has one
// thread, so a machine's cores are used by running side by side.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exitCodes } from '@retraind/shared/wire/problems';

const root = fileURLToPath(new URL('..', import.meta.url));
const runs = 5;
const judged: number[] = [
  exitCodes.done,
  exitCodes.different,
  exitCodes.inconclusive,
  exitCodes.notVerifiable,
];

/** Seconds of `retrain run examples/clothes --runs 5` with so many runs at a time: fetching, training, evaluating, judging. */
async function seconds(atATime: number): Promise<number> {
  const results = mkdtempSync(join(tmpdir(), 'retrain-parallel-'));
  const startedAt = performance.now();
  const args = ['apps/cli/bin/retrain.mjs', 'run', 'examples/clothes', '--runs', String(runs), '--seed', '7'];
  const options = ['--parallel', String(atATime), '--results', results, '--json'];
  const child = spawn(process.execPath, [...args, ...options], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const status = await new Promise<number | null>((resolve) => child.on('close', resolve));
  rmSync(results, { recursive: true, force: true });
  // Whatever the verdict is: here only a failure to run counts.
  if (!judged.includes(status ?? -1)) throw new Error(`retrain run ended with ${status}`);
  return (performance.now() - startedAt) / 1000;
}

await seconds(runs); // once before: data and tools are then in the caches
const one = await seconds(1);
const all = await seconds(runs);
console.log(
  `${runs} runs one at a time ${one.toFixed(1)} s, all at once ${all.toFixed(1)} s on ${availableParallelism()} cores: ${(one / all).toFixed(2)} ×`,
);
