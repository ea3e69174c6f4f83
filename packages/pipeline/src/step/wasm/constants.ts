// The bytes of a program that never change, in one piece of the heap.
import { createHash } from 'node:crypto';
import { padded } from './memory-plan.ts';

export class Constants {
  bytes = 0;
  readonly #offsets = new Map<string, number>();
  readonly #parts: { offset: number; bytes: Uint8Array }[] = [];

  /** Answers the bytes' offset; equal ones share one: gradients are full of zeros of one shape. */
  add(bytes: Uint8Array): number {
    const key = createHash('sha256').update(bytes).digest('latin1');
    const offset = this.#offsets.get(key) ?? this.addOwn(bytes);
    this.#offsets.set(key, offset);
    return offset;
  }

  /** For bytes that are rewritten: nothing else lies there. */
  addOwn(bytes: Uint8Array): number {
    const offset = this.bytes;
    this.#parts.push({ offset, bytes });
    this.bytes += padded(bytes.length);
    return offset;
  }

  copyTo(heap: Uint8Array, base: number): void {
    for (const { offset, bytes } of this.#parts) heap.set(bytes, base + offset);
  }
}
