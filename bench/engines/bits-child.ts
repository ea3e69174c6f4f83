// Trains one net of the reproducibility map on one engine and prints, for each of the counts of steps asked for, the digest of
// all weights; the weights themselves go to a folder, for the drift.
// usage: bits-child.ts ENGINE NET.json compiled|eager FOLDER STEPS…
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { engines } from '@retraind/pipeline/engine/engines';
import { netStep } from './net-step.ts';
import type { NetSpec } from './nets.ts';

const [engineName, net, mode, folder, ...counts] = process.argv.slice(2) as [
  string,
  string,
  'compiled' | 'eager',
  string,
  ...string[],
];
const opened = await engines.find(({ name }) => name === engineName)!.open();
if ('unavailable' in opened) {
  process.stdout.write(`${JSON.stringify({ unavailable: opened.unavailable })}\n`);
  process.exit(0);
}
const { step, variables, batch } = netStep(JSON.parse(net) as NetSpec, mode);
const digests: Record<string, string> = {};
let done = 0;
for (const count of counts.map(Number)) {
  while (done < count) await step.train(batch(done++));
  await step.pull();
  const weights = await Promise.all(variables.map((variable) => variable.data<'float32'>()));
  const bytes = Buffer.concat(
    weights.map((part) => Buffer.from(part.buffer, part.byteOffset, part.byteLength)),
  );
  digests[count] = createHash('sha256').update(bytes).digest('hex');
  writeFileSync(join(folder, `${count}.f32`), bytes);
}
const { label, version, device, determinism } = opened;
process.stdout.write(
  `${JSON.stringify({ label, version, device, determinism, mode: step.mode, reason: step.reason, digests })}\n`,
);
process.exit(0);
