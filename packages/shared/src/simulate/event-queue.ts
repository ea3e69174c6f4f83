// What happens next on a virtual clock: a binary heap by time, and among equals by the order in which they were put in, so
// that the same story is told the same way every time.

interface Entry {
  at: number;
  order: number;
  happen: () => void;
}

export class EventQueue {
  readonly #heap: Entry[] = [];
  #order = 0;
  #now = 0;

  /** Milliseconds since the simulation began; moves only with `next`. */
  get now(): number {
    return this.#now;
  }

  get size(): number {
    return this.#heap.length;
  }

  /** Puts something in at a time, which is never before now. */
  at(at: number, happen: () => void): void {
    const heap = this.#heap;
    const entry = { at: Math.max(at, this.#now), order: this.#order++, happen };
    let index = heap.length;
    heap.push(entry);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(entry, heap[parent]!)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = entry;
  }

  after(milliseconds: number, happen: () => void): void {
    this.at(this.#now + milliseconds, happen);
  }

  /** Moves the clock to the next event and lets it happen; false where nothing is left. */
  next(): boolean {
    const heap = this.#heap;
    const first = heap[0];
    if (first === undefined) return false;
    const last = heap.pop()!;
    if (heap.length > 0) sink(heap, last);
    this.#now = first.at;
    first.happen();
    return true;
  }
}

const isBefore = (a: Entry, b: Entry): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

function sink(heap: Entry[], entry: Entry): void {
  let index = 0;
  for (;;) {
    let child = 2 * index + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
    if (!isBefore(heap[child]!, entry)) break;
    heap[index] = heap[child]!;
    index = child;
  }
  heap[index] = entry;
}
