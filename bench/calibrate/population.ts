// Trains the populations of a task, one process a core, and keeps each model where code and engine decide its place: a second
// call trains only what is missing, and a call that is cut off loses no model that was finished.
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { engineFolder } from '@retraind/pipeline/engine/tensorflow/folder';
import { build } from 'esbuild';
import type { Order } from './making-child.ts';
import { honest, type Task } from './task.ts';

const child = fileURLToPath(new URL('./making-child.ts', import.meta.url));
const root = fileURLToPath(new URL('../..', import.meta.url));

export type EngineName = 'tfjs-node' | 'wasm';

/** The engine that trains here, and what of the machine decides its bits. */
export const usualEngine = (): { name: EngineName; bits: string } => {
  const folder = engineFolder('cpu');
  if ('unavailable' in folder) return { name: 'wasm', bits: 'wasm' };
  return { name: 'tfjs-node', bits: `${folder.manifest.sha256} ${cpus()[0]?.model ?? ''}` };
};

/** One model of a population. */
export interface Wanted {
  population: string;
  seed: number;
  numerics: number;
}

export interface MadeModel extends Wanted {
  /** The ONNX file. */
  path: string;
  figures: Record<string, number>;
}

export interface PopulationOptions {
  engine: ReturnType<typeof usualEngine>;
  /** Processes at once. */
  jobs: number;
  cache: string;
  onTrained(done: number, total: number): void;
}

export interface Populations {
  /** Folder of the data files that the recipe model declares. */
  data: string;
  models: MadeModel[];
  /** What trains them, as a run's record says it. */
  engineLabel: string;
}

/** Digest over all code that decides the models, and the engine. */
const makingDigest = async (task: Task, engineBits: string): Promise<string> => {
  const { outputFiles } = await build({
    entryPoints: [child, fileURLToPath(task.making)],
    outdir: '/',
    bundle: true,
    minify: true,
    write: false,
    platform: 'node',
    format: 'esm',
    external: ['*.wasm', '*.node'],
    logLevel: 'silent',
  });
  const hash = createHash('sha256').update(engineBits);
  for (const { contents } of outputFiles) hash.update(contents);
  return hash.digest('hex').slice(0, 16);
};

/** The models, in the order in which they are wanted. Rejects with the first failure, after ending its children. */
export const trainAll = async (
  task: Task,
  wanted: readonly Wanted[],
  options: PopulationOptions,
): Promise<Populations> => {
  const { engine, onTrained } = options;
  const folder = join(options.cache, task.name, await makingDigest(task, engine.bits));
  const data = join(folder, 'data');
  const models = wanted.map((one) => ({ ...one, path: `${stem(folder, one)}.onnx` }));
  // Tampered models are made from the honest one of their seed.
  const bases = wanted.map((one) => ({ ...one, population: honest }));
  const missing = distinct([...bases, ...wanted]).filter((one) => !existsSync(`${stem(folder, one)}.onnx`));
  mkdirSync(folder, { recursive: true });
  const team = new Team(task.making, options);
  let done = 0;
  onTrained(done, missing.length);
  const orders = (of: readonly Wanted[]): Order[] =>
    of.map((one) => ({
      ...one,
      data,
      out: stem(folder, one),
      base: stem(folder, { ...one, population: honest }),
    }));
  const told = (): void => onTrained(++done, missing.length);
  try {
    if (!existsSync(data)) {
      const part = `${data}.part-${process.pid}`;
      mkdirSync(part, { recursive: true });
      const label = await team.fill([{ writeData: part }], 'usual', () => {});
      // Beside the data: a later call that trains nothing opens no engine.
      writeFileSync(join(part, 'engine.txt'), label!);
      renameSync(part, data);
    }
    for (const isBase of [true, false]) {
      for (const which of ['usual', 'other'] as const) {
        const now = missing.filter(
          ({ population, numerics }) =>
            (population === honest) === isBase && (numerics === 4) === (which === 'other'),
        );
        await team.fill(orders(now), which, told);
      }
    }
  } finally {
    team.end();
    rmSync(`${data}.part-${process.pid}`, { recursive: true, force: true });
  }
  const figuresOf = (path: string) =>
    JSON.parse(readFileSync(path.replace(/\.onnx$/, '.json'), 'utf8')) as Record<string, number>;
  return {
    data,
    engineLabel: readFileSync(join(data, 'engine.txt'), 'utf8'),
    models: models.map((model) => ({ ...model, figures: figuresOf(model.path) })),
  };
};

const stem = (folder: string, { population, seed, numerics }: Wanted): string =>
  join(folder, `${population}-${seed}${numerics === 0 ? '' : `-numerics-${numerics}`}`);

const distinct = (wanted: readonly Wanted[]): Wanted[] => [
  ...new Map(wanted.map((one) => [stem('', one), one])).values(),
];

/** Children that take orders from one list. */
class Team {
  readonly #making: URL;
  readonly #options: PopulationOptions;
  readonly #running = new Set<ChildProcess>();

  constructor(making: URL, options: PopulationOptions) {
    this.#making = making;
    this.#options = options;
  }

  /** Has the orders filled by as many children as there are jobs; answers their engine's label, undefined without orders. */
  async fill(
    orders: readonly Order[],
    which: 'usual' | 'other',
    told: () => void,
  ): Promise<string | undefined> {
    const left = [...orders];
    const children = Math.min(this.#options.jobs, left.length);
    const labels = await Promise.all(Array.from({ length: children }, () => this.#serve(left, which, told)));
    return labels[0];
  }

  end(): void {
    for (const running of this.#running) running.kill();
  }

  async #serve(left: Order[], which: 'usual' | 'other', told: () => void): Promise<string> {
    const args = ['--import', 'tsx', child, this.#making.href, this.#options.engine.name, which];
    const running = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'], cwd: root });
    this.#running.add(running);
    let said = '';
    running.stderr.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-4_000);
    });
    // A child that dies at once leaves a pipe that cannot be written; its answer that never comes is the failure.
    running.stdin.on('error', () => {});
    const answers = createInterface({ input: running.stdout })[Symbol.asyncIterator]();
    const answer = async (what: string): Promise<{ engine: string }> => {
      const { value, done } = await answers.next();
      if (!done) return JSON.parse(value);
      throw new Error(`${what}: the process that makes models ended\n${said}`);
    };
    try {
      const { engine } = await answer('start');
      for (let order = left.shift(); order; order = left.shift()) {
        running.stdin.write(`${JSON.stringify(order)}\n`);
        await answer('writeData' in order ? order.writeData : order.out);
        told();
      }
      return engine;
    } finally {
      running.kill();
      this.#running.delete(running);
    }
  }
}
