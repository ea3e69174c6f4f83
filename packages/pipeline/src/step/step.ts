// A training step made once and run many times. Engines that can, record it and replay it (one call a step instead of a
// hundred); the others run it as it is written, and say why once.
import * as tf from '@tensorflow/tfjs-core';
import { writeMetrics } from '../metrics.ts';
import { registerOperations } from '../ops/kernels.ts';
import { mathRandomState, restoreMathRandom } from '../random.ts';
import { batchKey } from './batch.ts';
import { EagerStep } from './eager.ts';
import { type StepMachine, stepMachineOf } from './machines.ts';
import { NotReplayable } from './not-replayable.ts';

/** Values on the host's side. float32 or int32, row-major. */
export interface HostTensor {
  shape: number[];
  values: Float32Array | Int32Array;
}

/** What one call is fed: values, or row numbers into a set that the step holds (`hold`). */
export type Batch = Record<string, HostTensor | { rows: Int32Array }>;

/** The same batch as the step's own code sees it. */
export type Tensors = Record<string, tf.Tensor>;

export interface StepOptions<F extends string = never> {
  optimizer: tf.Optimizer;
  /** The variables that the optimizer moves. */
  variables: tf.Variable[];
  /** Loss of a batch, a scalar. It must do the same operations at each call: no branch on values, nothing read back. */
  loss(batch: Tensors): tf.Scalar;
  /** What else is asked of the same weights (predict, evaluate …): it moves none of them. */
  functions?: Record<F, (batch: Tensors) => tf.Tensor>;
  /** Whole sets kept beside the weights; a batch then names their rows (first axis) only. */
  hold?: Record<string, HostTensor>;
}

/** A step, however it is run. One at a time: await each call before the next. */
export interface TrainingStep<F extends string = never> {
  /** `compiled`: recorded once and replayed. */
  readonly mode: 'compiled' | 'eager';
  /** Why it is not compiled; null where it is. */
  readonly reason: string | null;
  /** One step of the optimizer; answers the batch's loss as it was before the step (also where it is not finite). */
  train(batch: Batch): Promise<number>;
  /** Runs one of `functions` on the weights as they are now. */
  call(name: F, batch: Batch): Promise<HostTensor>;
  /** The rate of the steps to come. */
  setLearningRate(rate: number): void;
  /** Brings weights and the optimizer's own state home into the tf.Variables: before anything but this step reads them. */
  pull(): Promise<void>;
  dispose(): void;
}

/** Makes a step for the engine that is open. Never fails for want of a compiled form: then it is eager, with the reason. */
export function compileStep<F extends string = never>(options: StepOptions<F>): TrainingStep<F> {
  return new ReplayedStep(options);
}

/** The eager step, whatever the engine offers: the reference of the compiled one. */
export function eagerStep<F extends string = never>(options: StepOptions<F>): TrainingStep<F> {
  return new EagerStep(options, 'asked for');
}

/** Records each function at each set of shapes that it meets; falls back to the eager step at the first that cannot be. */
class ReplayedStep<F extends string> implements TrainingStep<F> {
  readonly #eager: EagerStep<F>;
  #machine: StepMachine | null;
  #reason: string | null = null;
  readonly #recorded = new Set<string>();
  /** Functions that cannot be replayed, while training can. */
  readonly #refused = new Set<string>();

  constructor(options: StepOptions<F>) {
    registerOperations();
    const engine = tf.getBackend();
    this.#machine = stepMachineOf(engine, options);
    this.#eager = new EagerStep(options, `the engine's backend '${engine}' has no compiled step`);
    if (this.#machine === null) this.#reason = this.#eager.reason;
  }

  get mode(): 'compiled' | 'eager' {
    return this.#machine === null ? 'eager' : 'compiled';
  }

  get reason(): string | null {
    return this.#reason;
  }

  async train(batch: Batch): Promise<number> {
    const machine = await this.#machineFor('train', batch);
    if (machine === null) return this.#eager.train(batch);
    const [loss] = (await machine.replay('train', batch)).values;
    return loss!;
  }

  async call(name: F, batch: Batch): Promise<HostTensor> {
    const machine = await this.#machineFor(`call ${name}`, batch);
    if (machine !== null) return machine.replay(`call ${name}`, batch);
    await this.pull();
    return this.#eager.call(name, batch);
  }

  setLearningRate(rate: number): void {
    this.#eager.setLearningRate(rate);
    this.#machine?.setLearningRate(rate);
  }

  async pull(): Promise<void> {
    await this.#machine?.pull();
  }

  dispose(): void {
    this.#machine?.dispose();
    this.#eager.dispose();
  }

  /** The machine, with this function recorded at these shapes; null where it is eager from now on. */
  async #machineFor(name: string, batch: Batch): Promise<StepMachine | null> {
    if (this.#machine === null || this.#refused.has(name)) return null;
    const key = batchKey(name, batch);
    if (this.#recorded.has(key)) return this.#machine;
    // Recording runs the recipe's code more often than the eager step would: its draws are taken back.
    const drawn = mathRandomState();
    try {
      await this.#machine.record(name, batch);
      this.#recorded.add(key);
      return this.#machine;
    } catch (error) {
      if (!(error instanceof NotReplayable)) throw error;
      await this.#refuse(name, this.#machine, error.message);
      return null;
    } finally {
      restoreMathRandom(drawn);
    }
  }

  /** Without training there is nothing to gain; without another function, only that one is run as it is written. */
  async #refuse(name: string, machine: StepMachine, reason: string): Promise<void> {
    await machine.pull();
    if (name === 'train') {
      machine.dispose();
      this.#machine = null;
      this.#reason = reason;
      writeMetrics({ stepMode: 'eager', reason });
    } else {
      this.#refused.add(name);
    }
    process.stderr.write(`retrain-tfjs: '${name}' of the step is not compiled: ${reason}\n`);
  }
}
