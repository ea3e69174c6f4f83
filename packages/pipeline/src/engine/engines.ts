// The ladder of engines, best first.
import { RecipeFault } from '../fault.ts';
import { cpu } from './cpu.ts';
import type { Engine, OpenEngine } from './engine.ts';
import { tfjsNode } from './tfjs-node.ts';
import { tfjsNodeGpu } from './tfjs-node-gpu.ts';
import { wasm } from './wasm.ts';
import { webgpu } from './webgpu.ts';

export const engines: readonly Engine[] = [tfjsNodeGpu, webgpu, tfjsNode, wasm, cpu];

let current: { opened: OpenEngine; isOther: boolean } | null = null;

/** The engine that was opened last, and whether it stands in for the usual one (`openOtherEngine`); null before. */
export const currentEngine = (): { opened: OpenEngine; isOther: boolean } | null => current;

/**
 * Opens the engine called `name`, or the first automatic one that this machine can run.
 * Throws a RecipeFault that gives each engine's reason where none opens.
 */
export async function openEngine(name?: string): Promise<OpenEngine> {
  const wanted = engines.filter((engine) => (name === undefined ? engine.automatic : engine.name === name));
  if (wanted.length === 0) {
    throw new RecipeFault(
      `there is no engine '${name}'`,
      `take one of ${engines.map((engine) => engine.name).join(', ')}`,
    );
  }
  const reasons: string[] = [];
  for (const engine of wanted) {
    const opened = await engine.open();
    if (!('unavailable' in opened)) {
      // A node that was meant to train by TensorFlow must not fall to another engine unseen.
      for (const reason of reasons) process.stderr.write(`retrain-tfjs: passed over ${reason}\n`);
      current = { opened, isOther: false };
      return opened;
    }
    reasons.push(`${engine.name}: ${opened.unavailable}`);
  }
  throw new RecipeFault(`no engine opens (${reasons.join('; ')})`, 'try `retrain-tfjs --engine cpu`');
}

/**
 * Opens the best automatic engine that is not the one which `openEngine` opens; that one where there is no other here
 * ($RETRAIN_NUMERICS=4).
 */
export async function openOtherEngine(name?: string): Promise<OpenEngine> {
  const usual = await openEngine(name);
  for (const engine of engines.filter(({ automatic }) => automatic)) {
    const opened = await engine.open();
    if ('unavailable' in opened || opened.label === usual.label) continue;
    current = { opened, isOther: true };
    return opened;
  }
  return openEngine(name);
}
