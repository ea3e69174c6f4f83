// Each variable that a replayed step touches lives at one address, where the step overwrites it: its new value is visible at
// once, to tfjs too.
import * as tf from '@tensorflow/tfjs-core';
import { bytesOf, forgetPacked, type HeapBackend, type HeapEntry, sizeOf, widthOf } from './heap.ts';
import type { Snapshot } from './snapshot.ts';

interface Home {
  variable: tf.Variable;
  /** Holds the memory, whatever the variable is assigned meanwhile. */
  holder: tf.Tensor;
  address: number;
}

export class Homes {
  readonly #backend: HeapBackend;
  readonly #homes = new Map<tf.Variable, Home>();

  constructor(backend: HeapBackend) {
    this.#backend = backend;
  }

  /** Gives each variable that has none a home. */
  settle(variables: Iterable<tf.Variable>): void {
    for (const variable of variables) {
      if (this.#homes.has(variable)) continue;
      const holder = tf.keep(tf.tidy(() => variable.clone()));
      const { memoryOffset } = this.#backend.dataIdMap.get(holder.dataId);
      this.#homes.set(variable, { variable, holder, address: memoryOffset });
      variable.assign(holder);
    }
  }

  /** Forgets the homes of all other variables; those stay as they are. */
  keepOnly(wanted: ReadonlySet<tf.Variable>): void {
    for (const [variable, { holder }] of this.#homes) {
      if (wanted.has(variable)) continue;
      holder.dispose();
      this.#homes.delete(variable);
    }
  }

  address(variable: tf.Variable): number {
    return this.#homes.get(variable)!.address;
  }

  /** Before a replay: brings back what was assigned elsewhere, and lets go of memory that others share. */
  gather(): void {
    const { dataIdMap } = this.#backend;
    for (const home of this.#homes.values()) {
      if (home.variable.dataId !== home.holder.dataId) this.#bringBack(home);
      // The holder and the variable itself; more is a reshaped tensor, say, that must keep its values.
      if (dataIdMap.get(home.holder.dataId).refCount > 2) this.#partFromSharers(home);
    }
  }

  /** Before anything but a replay: XNNPACK must not use weights that it packed before they were overwritten. */
  forgetPacked(): void {
    for (const { holder } of this.#homes.values()) {
      forgetPacked(this.#backend, this.#backend.dataIdMap.get(holder.dataId));
    }
  }

  /** Overwrites variables. */
  restore(values: Snapshot): void {
    for (const [variable, bytes] of values) this.#backend.wasm.HEAPU8.set(bytes, this.address(variable));
  }

  dispose(): void {
    this.forgetPacked();
    this.keepOnly(new Set());
  }

  #bringBack({ variable, holder, address }: Home): void {
    const from = this.#backend.dataIdMap.get(variable.dataId);
    this.#backend.wasm.HEAPU8.copyWithin(address, from.memoryOffset, from.memoryOffset + byteLength(from));
    variable.assign(holder);
  }

  /** The sharers keep their data id and get memory of their own; the home's memory gets a new data id. */
  #partFromSharers(home: Home): void {
    const backend = this.#backend;
    const entry = backend.dataIdMap.get(home.holder.dataId);
    const bytes = bytesOf(backend, entry);
    entry.memoryOffset = backend.wasm._malloc(bytes.length) >>> 0;
    backend.wasm.HEAPU8.set(bytes, entry.memoryOffset);
    forgetPacked(backend, entry);
    const { shape, dtype } = home.variable;
    const info = backend.makeOutput(shape, dtype, home.address);
    const { dataId } = info;
    const holder = tf.keep(tf.engine().makeTensorFromTensorInfo({ dataId, shape, dtype }));
    home.variable.assign(holder);
    home.holder.dispose();
    home.holder = holder;
  }
}

const byteLength = ({ shape, dtype }: HeapEntry): number => sizeOf(shape) * widthOf(dtype);
