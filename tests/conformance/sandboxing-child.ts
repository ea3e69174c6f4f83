// A worker as far as its sandboxes go: takes its slot, says what it found there, and when it is told to, starts programs in several
// sandboxes at once, again and again, each with a child that left its session, until it is killed.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { slotFolder, sweepSlot } from '../../apps/worker/src/leftovers.ts';
import { keepSlot } from '../../apps/worker/src/sandbox/keeper.ts';
import { openSandbox, sandboxNames } from '../../apps/worker/src/sandbox/sandbox.ts';

const [work, token, lanes] = process.argv.slice(2) as [string, string, string];
const { keeper, ended } = await keepSlot(work, 0);
const leftovers = await sweepSlot(work, 0);
console.log(JSON.stringify({ ended, leftovers }));
for await (const _ of createInterface({ input: process.stdin })) break;

const limits = {
  seconds: 60,
  silenceSeconds: 60,
  logBytes: 1 << 20,
  diskBytes: 1 << 26,
  memoryBytes: 1 << 30,
};
const lane = async (number: number): Promise<void> => {
  const sandbox = openSandbox(sandboxNames[number % sandboxNames.length]!, { keeper });
  if (await sandbox.check().catch((error: Error) => error)) return;
  for (let turn = 0; ; turn++) {
    const out = join(slotFolder(work, 0), `${number}-${turn}`);
    mkdirSync(out);
    const mount = { source: out, target: '/build/out', writable: true };
    await sandbox.run({
      // A moment, or for ever.
      argv: ['/bin/sh', '-c', `setsid sleep ${token} & ${turn % 3 === 2 ? 'wait' : 'exit 0'}`],
      env: { PATH: '/usr/bin:/bin' },
      cwd: sandbox.pathInside(mount),
      mounts: [mount],
      hidden: [],
      signsOfLife: [],
      limits: { ...limits, silenceSeconds: 0.4 },
      signal: new AbortController().signal,
      onOutput: () => {},
    });
  }
};
console.log('begun');
await Promise.all(Array.from({ length: Number(lanes) }, (_, number) => lane(number)));
