// What lives in the session between calls: the variables that its functions use, held sets, and the learning rate. Knows
// which of them is newer, here or there.
import type * as tf from '@tensorflow/tfjs-core';
import type { HostTensor } from '../step.ts';
import { held, type TensorflowBackend } from './backend.ts';
import { type Cell, cellNames, cellSource } from './graph.ts';
import type { Lowered } from './lowering.ts';
import { dtypes } from './saved-model.ts';
import type { Session } from './session.ts';

interface Kept {
  variable: tf.Variable;
  cell: Cell;
  /** Whether a function reads or writes it. */
  active: boolean;
  /** Whether training changes it. */
  moves: boolean;
  /** The values that the session was given, or that were brought home from it: other ones are a recipe's own assignment. */
  known: object | null;
}

/** What a cell is to hold. */
type Content = { cell: Cell; values: HostTensor['values'] } | { cell: Cell; variable: tf.Variable };

export class Store {
  readonly #backend: TensorflowBackend;
  readonly #kept: Kept[] = [];
  readonly #sets = new Map<string, { cell: Cell; set: HostTensor }>();
  readonly #rates = new Map<number, Cell>();
  #rate = Number.NaN;
  /** Whether the session has trained since the variables were brought home. */
  #ahead = false;

  constructor(backend: TensorflowBackend, hold: Record<string, HostTensor>) {
    this.#backend = backend;
    for (const [name, set] of Object.entries(hold)) {
      const dtype = set.values instanceof Int32Array ? dtypes.int32 : dtypes.float32;
      this.#sets.set(name, { cell: { name: `s${this.#sets.size}`, dtype, shape: set.shape }, set });
    }
  }

  index(variable: tf.Variable): number {
    const found = this.#kept.findIndex((kept) => kept.variable === variable);
    if (found >= 0) return found;
    const { dtype } = held(this.#backend, variable);
    const cell = { name: `v${this.#kept.length}`, dtype, shape: variable.shape };
    return this.#kept.push({ variable, cell, active: false, moves: false, known: null }) - 1;
  }

  cell(index: number): Cell {
    return this.#kept[index]!.cell;
  }

  set(name: string): Cell {
    return this.#sets.get(name)!.cell;
  }

  rate(factor: number): Cell {
    let cell = this.#rates.get(factor);
    if (!cell) {
      cell = { name: `r${this.#rates.size}`, dtype: dtypes.float32, shape: [] };
      this.#rates.set(factor, cell);
    }
    return cell;
  }

  /** Notes which variables the function of this prefix needs. */
  activate(prefix: string, { used, written }: Lowered): void {
    for (const [index, kept] of this.#kept.entries()) {
      kept.moves ||= written.has(index);
      kept.active ||= kept.moves || used.has(cellSource(prefix, kept.cell));
    }
  }

  /** Those of all variables, by their index; `active` says which of them the graph has. */
  get variables(): { cell: Cell; active: boolean }[] {
    return this.#kept;
  }

  /** Those of sets and rates. */
  get others(): Cell[] {
    return [...[...this.#sets.values()].map(({ cell }) => cell), ...this.#rates.values()];
  }

  /** Gives a new session everything. */
  fill(session: Session, rate: number): void {
    for (const kept of this.#kept) kept.known = null;
    this.#ahead = false;
    this.#rate = rate;
    this.#give(session, [
      ...[...this.#sets.values()].map(({ cell, set }) => ({ cell, values: set.values })),
      ...this.#stale(),
      ...this.#rateValues(),
    ]);
  }

  /** Gives the session the variables that training moves as they are at home: what it has trained is forgotten. */
  refill(session: Session): void {
    for (const kept of this.#kept) if (kept.moves) kept.known = null;
    this.#ahead = false;
    this.#give(session, this.#stale());
  }

  /** Gives the session what was assigned to at home since, and the rate. Called at each step: cheap where nothing has changed. */
  sync(session: Session, rate: number): void {
    const values = this.#stale();
    if (!Object.is(rate, this.#rate)) {
      this.#rate = rate;
      values.push(...this.#rateValues());
    }
    this.#give(session, values);
  }

  /** The variables whose values at home the session has not seen; from now on it has. */
  #stale(): Content[] {
    const stale: Content[] = [];
    for (const kept of this.#kept) {
      if (!kept.active || kept.variable.dataId === kept.known) continue;
      kept.known = kept.variable.dataId;
      stale.push({ cell: kept.cell, variable: kept.variable });
    }
    return stale;
  }

  #rateValues(): Content[] {
    return [...this.#rates].map(([factor, cell]) => ({
      cell,
      values: new Float32Array([factor * this.#rate]),
    }));
  }

  /** Notes that the session has trained. */
  trained(): void {
    this.#ahead = true;
  }

  /** Brings home what training has changed. */
  pull(session: Session): void {
    if (!this.#ahead) return;
    const moved = this.#kept.filter(({ active, moves }) => active && moves);
    const outputs = session.run([], '', moved.map(({ cell }) => cellNames(cell).content).join(','));
    for (const [i, kept] of moved.entries()) {
      const tensor = this.#backend.createOutputTensor(outputs[i]!);
      kept.variable.assign(tensor);
      tensor.dispose();
      kept.known = kept.variable.dataId;
    }
    this.#ahead = false;
  }

  /** All in one call: TensorFlow prepares the whole graph anew for each set of names that it is called with. */
  #give(session: Session, contents: Content[]): void {
    // TensorFlow takes no call that asks for nothing.
    if (contents.length === 0) return;
    const { binding } = this.#backend;
    const made: number[] = [];
    const ids = contents.map((content) => {
      if ('variable' in content) return held(this.#backend, content.variable).id;
      const id = binding.createTensor(content.cell.shape, content.cell.dtype, content.values);
      made.push(id);
      return id;
    });
    const names = contents.map(({ cell }) => cellNames(cell));
    try {
      const outputs = session.run(
        ids,
        names.map(({ value }) => value).join(','),
        names.map(({ filled }) => filled).join(','),
      );
      made.push(...outputs.map(({ id }) => id));
    } finally {
      for (const id of made) binding.deleteTensor(id);
    }
  }
}
