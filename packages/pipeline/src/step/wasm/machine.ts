// The recorded step on the wasm engine: no tfjs between its kernels, its memory planned, weights overwritten where they lie.
import * as tf from '@tensorflow/tfjs-core';
import { batchKey } from '../batch.ts';
import { tensorsOf } from '../eager.ts';
import { setIterations } from '../iterations.ts';
import { learningRate, setLearningRate } from '../learning-rate.ts';
import type { StepMachine } from '../machines.ts';
import { NotReplayable } from '../not-replayable.ts';
import { registeredVariables, rolledBack } from '../rollback.ts';
import type { Batch, HostTensor, StepOptions, Tensors } from '../step.ts';
import { agreement } from './agreement.ts';
import { Arena } from './arena.ts';
import { feed } from './feed.ts';
import { fuse } from './fuse.ts';
import type { HeapBackend } from './heap.ts';
import { Homes } from './homes.ts';
import { Program } from './program.ts';
import { record } from './recorder.ts';
import type { Recording } from './recording.ts';
import { simplify } from './simplify.ts';
import { compare, type Snapshot, snapshot } from './snapshot.ts';

/** Stands in for a rate that is 0, which doubles to itself. */
const someRate = 2 ** -10;

/** A recording, and what it left behind: the variables' bytes. */
interface Seen {
  recording: Recording;
  after: Snapshot;
}

export class WasmStepMachine implements StepMachine {
  readonly #options: StepOptions<string>;
  readonly #backend = tf.backend() as HeapBackend;
  readonly #homes = new Homes(this.#backend);
  readonly #arena = new Arena(this.#backend);
  readonly #programs = new Map<string, Program>();

  constructor(options: StepOptions<string>) {
    this.#options = options;
  }

  async record(name: string, batch: Batch): Promise<void> {
    if (tf.backend() !== (this.#backend as unknown)) throw new NotReplayable('another engine was opened');
    const { optimizer, hold } = this.#options;
    const [rate, { iterations }] = [learningRate(optimizer), optimizer];
    const recordedRate = rate > 0 && Number.isFinite(rate) ? rate : someRate;
    const inputs = tensorsOf(batch, hold);
    this.#homes.forgetPacked();
    try {
      const seen = this.#recordTwice(name, inputs, recordedRate);
      this.#compile(batchKey(name, batch), batch, recordedRate, seen);
    } finally {
      const wanted = [...this.#programs.values()].flatMap(({ variables }) => [...variables]);
      this.#homes.keepOnly(new Set(wanted));
      setLearningRate(optimizer, rate);
      setIterations(optimizer, iterations);
      tf.dispose(inputs);
    }
  }

  async replay(name: string, batch: Batch): Promise<HostTensor> {
    const program = this.#programs.get(batchKey(name, batch))!;
    const { optimizer, hold } = this.#options;
    this.#homes.gather();
    feed(this.#backend, program.inputs, batch, hold);
    // The optimizer's own field is the truth: a recipe may set it without asking the step.
    program.setRate(learningRate(optimizer));
    program.run();
    if (name === 'train') setIterations(optimizer, optimizer.iterations + 1);
    return valuesOf(program);
  }

  /** Each replay looks at the optimizer's rate. */
  setLearningRate(): void {}

  async pull(): Promise<void> {
    this.#homes.gather();
    this.#homes.forgetPacked();
  }

  dispose(): void {
    this.#homes.dispose();
    for (const program of this.#programs.values()) program.dispose();
    this.#programs.clear();
    this.#arena.dispose();
  }

  #functionOf(name: string): (inputs: Tensors) => tf.Tensor {
    const { optimizer, loss, variables, functions } = this.#options;
    if (name === 'train') return (inputs) => optimizer.minimize(() => loss(inputs), true, variables)!;
    const called = functions![name.slice('call '.length)]!;
    return (inputs) => tf.tidy(() => called(inputs));
  }

  /** Two recordings one after the other, the second at twice the rate; then all variables are as before. */
  #recordTwice(name: string, inputs: Tensors, rate: number): [Seen, Seen] {
    const act = this.#functionOf(name);
    // The optimizer's slots come to be, and whatever else is made once only.
    rolledBack(() => act(inputs).dispose());
    this.#homes.settle(Object.values(registeredVariables()));
    return rolledBack((): [Seen, Seen] => {
      const seen = (each: number): Seen => {
        setLearningRate(this.#options.optimizer, each);
        const recording = record(this.#backend, inputs, () => act(inputs));
        return { recording, after: snapshot(this.#backend, recording.written.keys()) };
      };
      return [seen(rate), seen(2 * rate)];
    }).result;
  }

  #bind(program: Program): void {
    if (this.#arena.reserve(program.arenaBytes)) {
      for (const each of this.#programs.values()) each.bind(this.#arena.address, this.#homes);
    } else {
      program.bind(this.#arena.address, this.#homes);
    }
  }

  /** Makes a program of the recordings and verifies it. Whatever goes wrong here costs speed only: it is NotReplayable. */
  #compile(key: string, batch: Batch, rate: number, seen: [Seen, Seen]): void {
    const [first, second] = seen;
    let program: Program | null = null;
    try {
      const agreed = agreement(first.recording, second.recording, rate);
      program = new Program(this.#backend, fuse(simplify(agreed, first.recording)));
      this.#programs.set(key, program);
      this.#bind(program);
      this.#verify(program, batch, rate, seen);
    } catch (error) {
      this.#programs.delete(key);
      program?.dispose();
      if (error instanceof NotReplayable) throw error;
      throw new NotReplayable(`the replay fails: ${(error as Error).message}`);
    }
  }

  /** Replays what was recorded, and compares bit for bit; then all variables are as before. */
  #verify(program: Program, batch: Batch, rate: number, seen: [Seen, Seen]): void {
    this.#homes.gather();
    const before = snapshot(this.#backend, program.variables);
    const expected: Snapshot = new Map(before);
    try {
      seen.forEach(({ recording, after }, i) => {
        for (const [variable, bytes] of after) expected.set(variable, bytes);
        feed(this.#backend, program.inputs, batch, this.#options.hold);
        program.setRate(rate * (i + 1));
        program.run();
        compare(expected, snapshot(this.#backend, expected.keys()), recording.resultBytes, program.answer());
      });
    } finally {
      this.#homes.restore(before);
    }
  }
}

function valuesOf(program: Program): HostTensor {
  const { shape, dtype } = program.result;
  const bytes = program.answer();
  if (dtype === 'float32') return { shape: [...shape], values: new Float32Array(bytes.buffer) };
  // Booleans too as tfjs gives them.
  const values = dtype === 'int32' ? new Int32Array(bytes.buffer) : bytes;
  return { shape: [...shape], values: values as HostTensor['values'] };
}
