// The one suite that every engine passes. A file an engine: each runs in a process of its own.
import { test } from 'node:test';
import { engines } from '@retraind/pipeline/engine/engines';
import { testKernels } from './kernels.ts';
import { testNets } from './nets.ts';
import { reference } from './reference.ts';

/** Opens the engine and registers its tests; one skipped test with the reason where this machine cannot open it. */
export async function testEngine(name: string, { compiled }: { compiled: boolean }): Promise<void> {
  const engine = engines.find((known) => known.name === name)!;
  const opened = await engine.open();
  if ('unavailable' in opened) {
    test(`${name}`, { skip: opened.unavailable }, () => {});
    return;
  }
  process.env.RETRAIN_SEED = '1';
  const { kernels, nets } = await reference();
  testKernels(name, kernels);
  testNets(name, compiled, nets);
}
