// One piece of the heap in which all programs of a step keep their passing data: they never run at the same time.
import { NotReplayable } from '../not-replayable.ts';
import type { HeapBackend } from './heap.ts';

/** Address of so many bytes of the heap. */
export function room({ wasm }: HeapBackend, bytes: number): number {
  const address = wasm._malloc(Math.max(1, bytes)) >>> 0;
  if (address === 0) throw new NotReplayable(`the wasm heap has no room for ${bytes} bytes`);
  return address;
}

export class Arena {
  /** A multiple of 64. */
  address = 0;
  readonly #backend: HeapBackend;
  #start = 0;
  #bytes = -1;

  constructor(backend: HeapBackend) {
    this.#backend = backend;
  }

  /** Makes room; answers whether it moved, so that what lies in it must be bound anew. */
  reserve(bytes: number): boolean {
    if (bytes <= this.#bytes) return false;
    const start = room(this.#backend, bytes + 64);
    this.dispose();
    this.#start = start;
    this.address = Math.ceil(this.#start / 64) * 64;
    this.#bytes = bytes;
    return true;
  }

  dispose(): void {
    if (this.#start !== 0) this.#backend.wasm._free(this.#start);
    this.#start = 0;
    this.#bytes = -1;
  }
}
