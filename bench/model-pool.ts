// Trains the models of the error-rate bench, one process a core, and keeps them: a second call trains only what is missing.
// Honest models are the recipe of examples/clothes under other seeds; tampered ones the maker of examples/clothes-tampered.
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { shippedModels } from '../examples/makers/models.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const trainOne = fileURLToPath(new URL('./train-one.ts', import.meta.url));

export const kinds = { honest: 'clothes', tampered: 'clothes-tampered' } as const;
export type Kind = keyof typeof kinds;

export interface PooledModel {
  kind: Kind;
  seed: number;
  path: string;
}

export interface PoolOptions {
  honest: number;
  tampered: number;
  /** Processes at once. */
  jobs: number;
  /** Folder for the trained models; a folder inside is named for the code that made them. */
  cache: string;
  fashionMnist: string;
  onTrained(done: number, total: number): void;
}

/** Digest over all that decides a model's bytes besides its seed: the runtime, the scripts, the data's folder listing is pinned by apt. */
const codeDigest = (): string => {
  const hash = createHash('sha256');
  const manifest = JSON.parse(readFileSync(join(root, 'build/retrain-tfjs/manifest.json'), 'utf8'));
  hash.update(manifest.sha256);
  const scripts = shippedModels.map(({ script }) => script);
  for (const file of [...scripts, 'makers/poisoned.mjs', 'makers/trigger.mjs'])
    hash.update(readFileSync(join(root, 'examples', file)));
  return hash.digest('hex').slice(0, 12);
};

/** The models of seeds 1..honest and 1..tampered, trained where missing. Rejects with the first failure after ending its children. */
export const trainPool = async (options: PoolOptions): Promise<PooledModel[]> => {
  const folder = join(options.cache, codeDigest());
  mkdirSync(folder, { recursive: true });
  const models = (Object.keys(kinds) as Kind[]).flatMap((kind) =>
    Array.from({ length: options[kind] }, (_, i) => {
      const seed = i + 1;
      return { kind, seed, path: join(folder, `${kind}-${seed}.onnx`) };
    }),
  );
  const missing = models.filter(({ path }) => !existsSync(path));
  const total = missing.length;
  const running = new Set<ChildProcess>();
  let done = 0;
  options.onTrained(done, total);
  const line = async (): Promise<void> => {
    for (let model = missing.shift(); model; model = missing.shift()) {
      await trainInChild(model, options.fashionMnist, running);
      done += 1;
      options.onTrained(done, total);
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(options.jobs, total) }, line));
  } finally {
    missing.length = 0;
    for (const child of running) child.kill();
  }
  return models;
};

const trainInChild = (model: PooledModel, data: string, running: Set<ChildProcess>): Promise<void> =>
  new Promise((resolve, reject) => {
    const args = ['--import', 'tsx', trainOne, kinds[model.kind], String(model.seed), model.path, data];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'], cwd: root });
    running.add(child);
    child.on('error', reject);
    child.on('exit', (code) => {
      running.delete(child);
      if (code === 0) resolve();
      else reject(new Error(`training ${model.kind} model with seed ${model.seed} ended with ${code}`));
    });
  });
