// A process that times steps of one net on one engine: each line on stdin is a number of steps, each answer a line
// {"ms": […]} on stdout. The first line out says what it runs on. The peer's (pytorch.py) speaks the same.
import { createInterface } from 'node:readline';
import { engines } from '@retraind/pipeline/engine/engines';
import { netStep } from './net-step.ts';
import { netNamed } from './nets.ts';

const [engineName, netName, mode] = process.argv.slice(2) as [string, string, 'compiled' | 'eager'];
const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

const opened = await engines.find(({ name }) => name === engineName)!.open();
if ('unavailable' in opened) {
  say({ unavailable: opened.unavailable });
  process.exit(0);
}
const { step, batch } = netStep(netNamed(netName), mode);
await step.train(batch(0));
say({ label: opened.label, reason: step.mode === mode ? null : step.reason });
let count = 0;
for await (const line of createInterface({ input: process.stdin })) {
  const ms: number[] = [];
  for (let i = 0; i < Number(line); i++) {
    const from = performance.now();
    await step.train(batch(count++));
    ms.push(performance.now() - from);
  }
  say({ ms });
}
process.exit(0);
