// The compiled step on TensorFlow: each function is recorded operation by operation and becomes part of one graph, in whose
// session the weights then live; a step is one call.
import * as tf from '@tensorflow/tfjs-core';
import { batchKey, checkRows, checkValues } from '../batch.ts';
import { tensorsOf } from '../eager.ts';
import { setIterations } from '../iterations.ts';
import { learningRate, rateKept } from '../learning-rate.ts';
import type { StepMachine } from '../machines.ts';
import { NotReplayable } from '../not-replayable.ts';
import { rolledBack } from '../rollback.ts';
import type { Batch, HostTensor, StepOptions, Tensors } from '../step.ts';
import { attributeKinds } from './attributes.ts';
import { held, type TensorflowBackend } from './backend.ts';
import {
  answerName,
  cellSource,
  feedName,
  type GraphFunction,
  graphNodes,
  type Input,
  inputSource,
} from './graph.ts';
import { lowered } from './lowering.ts';
import { dtypes } from './saved-model.ts';
import { Session } from './session.ts';
import { Store } from './store.ts';
import { chooseThreads } from './threads.ts';
import { type Answer, pass, recordingRates } from './tracing.ts';

/** A function of the graph, ready to be called. */
interface Callable {
  fn: GraphFunction;
  answer: Answer;
  /** The inputs that the graph asks for, by their names in a batch. */
  feeds: [string, Input][];
  fed: string;
  fetched: string;
  trains: boolean;
}

/** How far the graph's first answer may lie from the recorded one, as a share: sums in another order stay far below. */
const tolerance = 1e-4;

export class TensorflowMachine implements StepMachine {
  readonly #options: StepOptions<string>;
  readonly #backend = tf.backend() as unknown as TensorflowBackend;
  readonly #store: Store;
  readonly #functions = new Map<string, Callable>();
  #session: Session | null = null;

  constructor(options: StepOptions<string>) {
    this.#options = options;
    for (const [name, set] of Object.entries(options.hold ?? {})) checkValues(name, set);
    this.#store = new Store(this.#backend, options.hold ?? {});
  }

  async record(name: string, batch: Batch): Promise<void> {
    chooseThreads(this.#options.variables, batch);
    await this.pull();
    const callable = this.#trace(name, batch);
    const key = batchKey(name, batch);
    this.#functions.set(key, callable);
    try {
      this.#open();
      this.#check(callable, batch);
      // The call was for its answer only.
      if (callable.trains) this.#store.refill(this.#session!);
    } catch (error) {
      // The other functions go on without it.
      this.#functions.delete(key);
      this.#open();
      if (error instanceof NotReplayable) throw error;
      throw new NotReplayable(`TensorFlow refuses the graph of the step: ${(error as Error).message}`);
    }
  }

  /** The graph's first answer against the recorded one: what was misunderstood in recording would show here. */
  #check(callable: Callable, batch: Batch): void {
    const { values } = this.#call(callable, batch);
    for (const [i, value] of values.entries()) {
      const wanted = callable.answer.values[i]!;
      const near = Math.abs(value - wanted) <= tolerance * Math.max(1, Math.abs(wanted));
      if (near || Object.is(value, wanted)) continue;
      throw new NotReplayable(
        `TensorFlow's graph of the step answers ${value}, the step as it is written ${wanted}`,
      );
    }
  }

  async replay(name: string, batch: Batch): Promise<HostTensor> {
    const callable = this.#functions.get(batchKey(name, batch));
    if (!callable || !this.#session) throw new Error(`${batchKey(name, batch)} is not recorded`);
    this.#store.sync(this.#session, learningRate(this.#options.optimizer));
    const answer = this.#call(callable, batch);
    if (callable.trains) {
      this.#store.trained();
      const { optimizer } = this.#options;
      setIterations(optimizer, optimizer.iterations + 1);
    }
    return answer;
  }

  /** Nothing to do: the optimizer was told, and its rate is looked at before each step. */
  setLearningRate(): void {}

  async pull(): Promise<void> {
    if (this.#session) this.#store.pull(this.#session);
  }

  dispose(): void {
    this.#session?.close();
    this.#session = null;
    this.#functions.clear();
  }

  /** Records a function twice, rolled back, and lowers it. */
  #trace(name: string, batch: Batch): Callable {
    const { optimizer, variables, loss, functions, hold } = this.#options;
    const trains = name === 'train';
    const tensors = tensorsOf(batch, hold);
    const act = trains
      ? () => optimizer.minimize(() => loss(tensors), true, variables)!
      : () => functions![name.slice('call '.length)]!(tensors);
    const prefix = `f${this.#functions.size}/`;
    const inputs = this.#inputs(prefix, batch, tensors);
    const store = this.#store;
    try {
      return rateKept(optimizer, () => {
        // A plain one first: the optimizer's slots come to be.
        if (trains) rolledBack(() => tf.dispose(tf.tidy(act)));
        const sources = {
          input: (input: string) => inputSource(inputs[input]!),
          variable: (variable: tf.Variable) => cellSource(prefix, store.cell(store.index(variable))),
          index: (variable: tf.Variable) => store.index(variable),
        };
        const [first, second] = recordingRates.map((rate) =>
          pass(this.#backend, optimizer, tensors, sources, rate, act),
        ) as [ReturnType<typeof pass>, ReturnType<typeof pass>];
        if (!trains && first.pass.written.size > 0) {
          throw new NotReplayable(`${name} assigns to a variable`);
        }
        const names = { prefix, rate: (factor: number) => cellSource(prefix, store.rate(factor)) };
        const graph = lowered(first.pass, second.pass, names, attributeKinds(this.#backend.binding));
        store.activate(prefix, graph);
        const { answer } = first;
        const fn = { prefix, inputs: Object.values(inputs), lowered: graph, dtype: answer.dtype };
        const feeds = Object.entries(inputs).filter(([, input]) => graph.used.has(inputSource(input)));
        return {
          fn,
          answer,
          feeds,
          fed: feeds.map(([, input]) => feedName(input)).join(','),
          fetched: answerName(fn),
          trains,
        };
      });
    } finally {
      tf.dispose(tensors);
    }
  }

  #inputs(prefix: string, batch: Batch, tensors: Tensors): Record<string, Input> {
    const entries = Object.entries(tensors).map(([name, tensor], i) => {
      const input: Input = {
        name: `${prefix}i${i}`,
        dtype: held(this.#backend, tensor).dtype,
        shape: tensor.shape,
        rowsOf: 'rows' in batch[name]! ? this.#store.set(name) : null,
      };
      return [name, input];
    });
    return Object.fromEntries(entries);
  }

  /** Loads the graph of all functions anew: graphs share no variables. */
  #open(): void {
    this.#session?.close();
    this.#session = null;
    if (this.#functions.size === 0) return;
    const store = this.#store;
    const variables = new Map(
      [...store.variables.entries()].flatMap(([i, { cell, active }]) => (active ? [[i, cell]] : [])),
    );
    const nodes = graphNodes(
      [...this.#functions.values()].map(({ fn }) => fn),
      { variables, others: store.others },
    );
    this.#session = new Session(this.#backend.binding, nodes);
    store.fill(this.#session, learningRate(this.#options.optimizer));
  }

  #call({ feeds, fed, fetched, answer }: Callable, batch: Batch): HostTensor {
    const { binding } = this.#backend;
    const ids: number[] = [];
    try {
      for (const [name, { shape, dtype, rowsOf }] of feeds) {
        const feed = batch[name]!;
        if ('rows' in feed) {
          checkRows(name, feed.rows, rowsOf!.shape[0]!);
          ids.push(binding.createTensor([feed.rows.length], dtypes.int32, feed.rows));
        } else {
          checkValues(name, feed);
          ids.push(binding.createTensor(shape, dtype, feed.values));
        }
      }
      const [output] = this.#session!.run(ids, fed, fetched);
      ids.push(output!.id);
      const values = binding.tensorDataSync(output!.id);
      return {
        shape: answer.shape,
        values: values instanceof Uint8Array ? Int32Array.from(values) : (values as HostTensor['values']),
      };
    } finally {
      for (const id of ids) binding.deleteTensor(id);
    }
  }
}
