// Whether what was built trains: a process of its own, since a library that does not fit may take its process along.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lastLine, run } from './command.ts';
import { InstallFault } from './fault.ts';

const retrainTfjs = fileURLToPath(new URL('../../packages/pipeline/bin/retrain-tfjs.mjs', import.meta.url));
const script = fileURLToPath(new URL('trial-training.mjs', import.meta.url));

/** Trains a small net by the engine of this name on the folder; answers the engine's label. */
export async function trial(folder: string, engine: 'tfjs-node' | 'tfjs-node-gpu'): Promise<string> {
  const out = mkdtempSync(join(tmpdir(), 'install-tfjs-node-'));
  try {
    const { status, said } = await run(process.execPath, [retrainTfjs, '--engine', engine, script], {
      env: {
        RETRAIN_TFJS_NODE: folder,
        RETRAIN_SEED: '1',
        RETRAIN_DATA: out,
        RETRAIN_OUT: out,
        RETRAIN_METRICS: '',
      },
    });
    const label = /^retrain-tfjs: engine (.+), seed 1$/m.exec(said)?.[1];
    if (status === 0 && label) return label;
    throw new InstallFault(
      'training',
      `${engine} does not train here: ${lastLine(said, /Error|retrain-tfjs:|error/)} (status ${status})`,
      'report it with the output of `retrain-tfjs --engine NAME SCRIPT`; recipes go on with the engine wasm',
    );
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}
