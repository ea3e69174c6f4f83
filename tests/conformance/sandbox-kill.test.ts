// kill -9 of a worker while it starts, runs and ends sandboxes: nothing of them is left, whatever the moment. SANDBOX_KILLS sets
// how often; SANDBOX_KILL_SEED repeats the moments, as far as a machine can.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { markName } from '@retraind/host/run-mark';
import { slotFolder } from '../../apps/worker/src/leftovers.ts';
import { keepSlot } from '../../apps/worker/src/sandbox/keeper.ts';
import { processTree } from '../../apps/worker/src/sandbox/process-tree.ts';
import { randoms } from '../support/randoms.ts';

const kills = Number(process.env.SANDBOX_KILLS ?? 10);
const seed = Number(process.env.SANDBOX_KILL_SEED ?? randomInt(2 ** 31));
const lanes = 6;
const patienceSeconds = 20;
const work = await mkdtemp(join(tmpdir(), 'retraind-kill-sandbox-'));
after(() => rm(work, { recursive: true, force: true }));
/** Seconds that a program sleeps: names all of this test in /proc, whatever environment they have. */
const token = String(1_000_000 + randomInt(1_000_000_000));

const commandOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ');
  } catch {
    return '';
  }
};
const pids = (): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
const isAlive = (pid: number): boolean => commandOf(pid) !== '';

/** All that a worker started, but for the workers themselves. */
const left = (): string[] =>
  pids()
    .map(commandOf)
    .filter((command) => command.includes(token) && !command.includes('sandboxing-child'));

const startWorker = async (): Promise<{
  worker: ChildProcess;
  found: { ended: number[]; leftovers: string[] };
  line: () => Promise<string>;
}> => {
  const file = fileURLToPath(new URL('sandboxing-child.ts', import.meta.url));
  const worker = spawn(process.execPath, ['--import', 'tsx', file, work, token, String(lanes)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: worker.stdout! })[Symbol.asyncIterator]();
  const line = async (): Promise<string> => (await lines.next()).value ?? '';
  return { worker, line, found: JSON.parse(await line()) };
};

const kill = async (worker: ChildProcess): Promise<void> => {
  assert.deepEqual([worker.exitCode, worker.signalCode], [null, null], 'it ended by itself');
  const ended = once(worker, 'exit');
  worker.kill('SIGKILL');
  await ended;
};

test('a worker killed at any moment leaves no process, with its keeper or without', async (t) => {
  t.diagnostic(`SANDBOX_KILL_SEED=${seed}`);
  const random = randoms(seed);
  let swept = 0;
  for (let round = 0; round < kills; round++) {
    const { worker, found, line } = await startWorker();
    try {
      // What was before it is gone, and none of its own has begun.
      assert.deepEqual(left(), [], `round ${round}`);
      assert.deepEqual(readdirSync(slotFolder(work, 0)), []);
      swept += found.leftovers.length;
      worker.stdin!.end('go\n');
      assert.equal(await line(), 'begun');
      await delay(random.next().value * 900);
    } finally {
      if (round % 2 === 1) {
        const keeper = (await processTree(worker.pid!)).find((pid) => /retrain-keeper/.test(commandOf(pid)));
        process.kill(keeper!, 'SIGKILL');
      }
      await kill(worker);
    }
    if (round % 2 === 1) continue;
    // The keeper alone, without a next start.
    const end = performance.now() + patienceSeconds * 1_000;
    while (left().length > 0) {
      assert.ok(performance.now() < end, `round ${round}: ${left().join('\n')}`);
      await delay(20);
    }
  }
  assert.ok(swept > 0, 'no worker was killed at work');
  const { worker } = await startWorker();
  assert.deepEqual(left(), []);
  assert.deepEqual(readdirSync(slotFolder(work, 0)), []);
  await kill(worker);
  assert.deepEqual(readdirSync(join(work, 'runs')).sort(), ['slot-0', 'slot-0.accounts', 'slot-0.lock']);
});

test('a start ends what carries the mark of its slot, nothing of another slot, and nothing of a live worker', async (t) => {
  const folder = join(work, 'two');
  mkdirSync(folder);
  const first = await keepSlot(folder, 0);
  const second = await keepSlot(folder, 1);
  assert.deepEqual([...first.ended, ...second.ended], []);
  await assert.rejects(keepSlot(folder, 1, 0.2), { code: 'already-running' });

  const sleepers = [first, second].map(({ keeper }) =>
    spawn('sleep', [token], {
      env: { [markName]: `${keeper.mark}0123456789abcdef` },
      detached: true,
      stdio: 'ignore',
    }),
  );
  t.after(() => {
    for (const { pid } of sleepers) if (isAlive(pid!)) process.kill(pid!, 'SIGKILL');
  });
  const [orphan, neighbour] = sleepers.map(({ pid }) => pid!);
  // The keeper of slot 0 is killed and cannot help.
  const keeper = (await processTree(process.pid)).find(
    (pid) =>
      /retrain-keeper/.test(commandOf(pid)) && commandOf(pid).includes(join(folder, 'runs/slot-0.lock')),
  );
  for (const pid of (await processTree(keeper!)).reverse()) process.kill(pid, 'SIGKILL');
  const again = await keepSlot(folder, 0);
  assert.deepEqual(again.ended, [orphan]);
  assert.ok(isAlive(neighbour!), 'the neighbour’s lives on');
});

test('a process that serves no slot leaves no folder and no process when it is killed', async () => {
  const room = join(work, 'own');
  mkdirSync(room);
  const file = join(room, 'own.mts');
  const keeper = new URL('../../apps/worker/src/sandbox/keeper.ts', import.meta.url).href;
  writeFileSync(
    file,
    `import { spawn } from 'node:child_process';
import { newMark, ownKeeper } from '${keeper}';
const own = ownKeeper();
spawn('sleep', ['${token}'], { env: { ${markName}: newMark(own) }, detached: true, stdio: 'ignore' });
console.log(own.folder);
setInterval(() => {}, 1000);`,
  );
  const child = spawn(process.execPath, ['--import', 'tsx', file], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [folder] = (await once(createInterface({ input: child.stdout! }), 'line')) as [string];
  assert.ok(existsSync(folder) && left().length > 0);
  await kill(child);
  const end = performance.now() + patienceSeconds * 1_000;
  while (existsSync(folder) || left().length > 0) {
    assert.ok(performance.now() < end, left().join('\n'));
    await delay(20);
  }
});
