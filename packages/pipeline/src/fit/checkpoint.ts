// What a run needs to go on after its process has ended, in $RETRAIN_CHECKPOINT: one file a `fit` of the script, whole or not
// there, so that any kill leaves the last one. A resumed run gives the bits of an undisturbed one.
import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type * as tf from '@tensorflow/tfjs-core';
import type { Sequential } from '@tensorflow/tfjs-layers';
import { RecipeFault } from '../fault.ts';
import { writeWhole } from '../file.ts';
import type { Net } from '../layers/net.ts';
import { mathRandomState, restoreMathRandom } from '../random.ts';
import { run } from '../run.ts';
import { iterations, setIterations } from '../step/iterations.ts';
import { decodeTensors, encodeTensors, type NamedTensor } from '../tensor-file.ts';
import type { StopState } from './early-stop.ts';
import type { Measures } from './evaluate.ts';
import type { Schedule } from './schedule.ts';
import type { Sets } from './task.ts';
import { restoreNet, restoreOptimizer, type Saved, savedNet, savedOptimizer } from './variables.ts';

/** Where a training stands: after `step` steps, at record `at` of the order of `epoch`. */
export interface Position {
  epoch: number;
  at: number;
  step: number;
  /** Sum of the records' losses in this epoch so far. */
  lossSum: number;
  epochLosses: number[];
  validations: Measures[];
  stop: StopState | null;
  /** Nothing is left to do. */
  done: boolean;
}

function isPosition(value: Position): boolean {
  const { epoch, at, step, lossSum, epochLosses, validations, done } = value;
  const counts = [epoch, at, step].every((count) => Number.isSafeInteger(count) && count >= 0);
  const lists = Array.isArray(epochLosses) && Array.isArray(validations);
  return counts && lists && typeof lossSum === 'number' && typeof done === 'boolean';
}

/** What decides a training's bits, part by part, as texts: a checkpoint goes on only where all are the same. */
export type Identity = Record<string, string>;

const digest = (value: unknown): string =>
  createHash('sha256')
    .update(typeof value === 'string' ? value : JSON.stringify(value))
    .digest('hex');

/** Rates are compared at so many steps. */
const ratesCompared = 64;

export interface IdentityParts {
  model: Sequential;
  optimizer: tf.Optimizer;
  rate: number;
  schedule: Schedule | null;
  sets: { training: Sets; validation: Sets | null };
  /** The first batch of the first epoch, which tells one data set from another of the same shape. */
  firstBatch: Float32Array;
  settings: Record<string, number | string | null>;
  engine: string;
}

export function identityOf(parts: IdentityParts): Identity {
  const { model, optimizer, rate, schedule, sets, firstBatch, settings, engine } = parts;
  const steps = Number(settings.steps);
  const rates = Array.from({ length: ratesCompared }, (_, i) => {
    const step = 1 + Math.floor((i * Math.max(0, steps - 1)) / (ratesCompared - 1));
    return schedule ? schedule(step, steps) : rate;
  });
  const shapeOf = ({ inputs, labels, targets }: Sets) => [
    inputs.rows,
    inputs.shape,
    labels?.classes ?? null,
    targets?.shape ?? null,
  ];
  const bytes = new Uint8Array(firstBatch.buffer, firstBatch.byteOffset, firstBatch.byteLength);
  return {
    net: digest(model.layers.map((layer) => [layer.getClassName(), layer.getConfig()])),
    optimizer: `${optimizer.getClassName()} ${JSON.stringify({ ...optimizer.getConfig(), learningRate: null })}`,
    'learning rate': digest(rates),
    data: digest([
      shapeOf(sets.training),
      sets.validation && shapeOf(sets.validation),
      createHash('sha256').update(bytes).digest('hex'),
    ]),
    seed: String(run.seed),
    numerics: String(run.numerics),
    settings: JSON.stringify(settings),
    engine,
  };
}

let fits = 0;

/** The checkpoint of one `fit`. */
export class Checkpoint {
  readonly #path: string;
  readonly #identity: Identity;
  readonly #net: Net;
  readonly #optimizer: tf.Optimizer;
  #writtenAt = performance.now();

  constructor(folder: string, number: number, identity: Identity, net: Net, optimizer: tf.Optimizer) {
    this.#path = join(folder, `fit-${number}.safetensors`);
    this.#identity = identity;
    this.#net = net;
    this.#optimizer = optimizer;
  }

  /** Whether the last one (or the begin) is more than so many seconds ago. */
  isDue(seconds: number): boolean {
    return performance.now() - this.#writtenAt >= 1000 * seconds;
  }

  /**
   * Writes where the training stands. The variables must be at home (`step.pull()`). Answers why it could not (a full disk, say):
   * no reason to give up a training that may well get to its end.
   */
  async write(position: Position, best: readonly Saved[] | null): Promise<string | null> {
    this.#writtenAt = performance.now();
    const groups: [string, readonly Saved[]][] = [
      ['net', await savedNet(this.#net.variables)],
      ['optimizer', await savedOptimizer(this.#optimizer)],
      ['best', best ?? []],
    ];
    const tensors = groups.flatMap(([group, all]) =>
      all.map((each): NamedTensor => ({ ...each, name: `${group}/${each.name}` })),
    );
    const json = {
      format: 1,
      recipe: this.#identity,
      position,
      iterations: iterations(this.#optimizer),
      mathRandom: mathRandomState(),
    };
    try {
      await mkdir(join(this.#path, '..'), { recursive: true });
      await writeWhole(this.#path, encodeTensors(tensors, json));
      return null;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === undefined) throw error;
      return (error as Error).message;
    }
  }

  /**
   * Puts everything back as the last checkpoint has it; null where there is none, or one of another engine. Throws a RecipeFault where it is broken, or
   * of another recipe: then it says in what they differ.
   */
  async resume(): Promise<{ position: Position; best: Saved[] | null } | null> {
    let bytes: Buffer;
    try {
      bytes = await readFile(this.#path);
    } catch (error) {
      if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return null;
      throw error;
    }
    const { tensors, json } = decodeTensors(bytes, this.#path);
    // The digest of the values is right, and the header parses: what follows was written by this program, by some version.
    const {
      format,
      recipe,
      position,
      iterations: steps,
      mathRandom,
    } = json as {
      format?: number;
      recipe?: Identity;
      position?: Position;
      iterations?: number;
      mathRandom?: unknown;
    };
    const clear = 'empty the folder $RETRAIN_CHECKPOINT to train anew';
    if (format !== 1 || !recipe || !position) {
      throw new RecipeFault(`${this.#path}: is no checkpoint of this version`, clear);
    }
    if (!isPosition(position)) throw new RecipeFault(`${this.#path}: does not say where it stood`, clear);
    const differs = Object.keys(this.#identity).filter((part) => recipe[part] !== this.#identity[part]);
    if (differs.length === 1 && differs[0] === 'engine') {
      // A node whose engine was changed while the run was away: no fault of the recipe, but no bits to go on with either.
      process.stderr.write(`trains anew: the checkpoint is of the engine ${recipe.engine}\n`);
      return null;
    }
    if (differs.length > 0) {
      throw new RecipeFault(
        `${this.#path}: is a checkpoint of another recipe (not the same: ${differs.join(', ')})`,
        clear,
      );
    }
    const group = (name: string): Saved[] =>
      tensors
        .filter((tensor) => tensor.name.startsWith(`${name}/`))
        .map((tensor) => ({ ...tensor, name: tensor.name.slice(name.length + 1) }));
    const fits =
      restoreNet(this.#net.variables, group('net')) && restoreOptimizer(this.#optimizer, group('optimizer'));
    if (!fits) throw new RecipeFault(`${this.#path}: its variables are not those of this net`, clear);
    setIterations(this.#optimizer, Number(steps));
    restoreMathRandom(mathRandom);
    const best = group('best');
    return { position, best: best.length > 0 ? best : null };
  }
}

/** The checkpoint of the next `fit` of the script; null where the run has no folder for it. */
export async function nextCheckpoint(
  net: Net,
  optimizer: tf.Optimizer,
  identity: () => Promise<Identity>,
): Promise<Checkpoint | null> {
  fits += 1;
  const number = fits;
  return run.checkpoint === null
    ? null
    : new Checkpoint(run.checkpoint, number, await identity(), net, optimizer);
}
