// A recorded function, ready to run: its steps in order, bound to addresses.
import type * as tf from '@tensorflow/tfjs-core';
import { room } from './arena.ts';
import { Constants } from './constants.ts';
import { freshId, type HeapBackend, widthOf } from './heap.ts';
import type { Homes } from './homes.ts';
import { type Layout, type Lowered, lower } from './lower.ts';
import { type Place, type Placement, place, type Step } from './placement.ts';
import type { TensorUse } from './recording.ts';
import type { Work } from './simplify.ts';

/** Where an input's values go. */
export interface InputPlace {
  address: number;
  size: number;
  dtype: 'float32' | 'int32';
}

/** One thing that a program does: an emitted loop, an own kernel, C calls, a kernel's JavaScript, or a copy of bytes. */
export interface Instruction {
  name: string;
  by: Lowered['by'];
  run(): void;
}

export class Program {
  readonly result: TensorUse;
  /** Inputs that are read, by name. */
  readonly inputs = new Map<string, InputPlace>();
  instructions: Instruction[] = [];
  readonly #backend: HeapBackend;
  readonly #work: Work;
  readonly #steps: Step[];
  readonly #placement: Placement;
  readonly #ids = new Map<number, number>();
  readonly #fixed: number;
  #resultAddress = 0;
  #rate = Number.NaN;
  #actions: (() => void)[] = [];

  constructor(backend: HeapBackend, work: Work) {
    this.#backend = backend;
    this.#work = work;
    this.result = work.result;
    const constants = new Constants();
    this.#steps = work.runs.map((run) => ({
      run,
      lowered: lower(backend, run, work.stored, constants),
    }));
    this.#placement = place(work, this.#steps, constants);
    this.#fixed = room(backend, constants.bytes);
    constants.copyTo(backend.wasm.HEAPU8, this.#fixed);
    // They are in the heap now; a set that the recipe holds may be among them.
    for (const each of work.stored) {
      if (each.origin.kind === 'constant') each.origin = { kind: 'constant', bytes: new Uint8Array() };
    }
  }

  /** What its arena must hold. */
  get arenaBytes(): number {
    return this.#placement.arenaBytes;
  }

  /** All that it reads or writes. */
  get variables(): Set<tf.Variable> {
    const places = [...this.#placement.places.values(), ...this.#placement.moves.map(({ to }) => to)];
    return new Set(places.flatMap((spot) => ('variable' in spot ? [spot.variable] : [])));
  }

  /** Puts everything at its place in an arena; again where the arena moves. */
  bind(arena: number, homes: Homes): void {
    const { places, result, scratch, moves } = this.#placement;
    const { stored, root } = this.#work;
    const { wasm } = this.#backend;
    const at = (spot: Place): number => {
      if ('variable' in spot) return homes.address(spot.variable);
      return 'arena' in spot ? arena + spot.arena : this.#fixed + spot.constant;
    };
    const address = (data: number): number => {
      const spot = places.get(root(data));
      if (!spot) throw new Error(`data ${data} has no place`);
      return at(spot);
    };
    const id = (data: number): number => {
      const main = root(data);
      const known = this.#ids.get(main) ?? freshId();
      this.#ids.set(main, known);
      wasm.tfjs.disposeData(known);
      wasm.tfjs.registerTensor(known, stored[main]!.size, address(main));
      return known;
    };
    const shared: Omit<Layout, 'scratch'> = { address, id, constant: (offset) => this.#fixed + offset };
    this.instructions = this.#steps.map(({ run: { name }, lowered }, i) => ({
      name,
      by: lowered.by,
      run: lowered.bind({ ...shared, scratch: arena + scratch[i]! }),
    }));
    for (const { from, to, bytes } of moves) {
      const [source, target] = [at(from), at(to)];
      const run = () => void wasm.HEAPU8.copyWithin(target, source, source + bytes);
      this.instructions.push({ name: 'move', by: 'copy', run });
    }
    this.#resultAddress = at(result);
    this.#actions = this.instructions.map(({ run }) => run);
    for (const [data, spot] of places) {
      const { origin, size, dtype } = stored[data]!;
      if (origin.kind !== 'input') continue;
      this.inputs.set(origin.name, { address: at(spot), size, dtype: dtype as InputPlace['dtype'] });
    }
  }

  setRate(rate: number): void {
    if (rate === this.#rate) return;
    this.#rate = rate;
    const { rates } = this.#work;
    for (const [data, factor] of rates) {
      const spot = this.#placement.places.get(data);
      // A rate that nothing needs has no place.
      if (!spot || !('constant' in spot)) continue;
      const { buffer } = this.#backend.wasm.HEAPU8;
      new Float32Array(buffer, this.#fixed + spot.constant, 1)[0] = factor * rate;
    }
  }

  /** Its inputs are in place, its variables at home. */
  run(): void {
    const actions = this.#actions;
    for (let i = 0; i < actions.length; i++) actions[i]!();
  }

  /** A copy of the result's bytes as the last run left it. */
  answer(): Uint8Array {
    const { size, dtype } = this.#work.stored[this.result.data]!;
    const at = this.#resultAddress;
    return this.#backend.wasm.HEAPU8.slice(at, at + size * widthOf(dtype));
  }

  dispose(): void {
    for (const id of this.#ids.values()) this.#backend.wasm.tfjs.disposeData(id);
    this.#backend.wasm._free(this.#fixed);
  }
}
