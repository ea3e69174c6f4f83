// A list kept in order, for many elements that come and go one by one: chunks of limited length, so that an insertion moves
// hundreds of elements, never a hundred thousand. No two elements may be equal in the order.

const chunkLength = 512;

export class Ordered<T> {
  readonly #compare: (a: T, b: T) => number;
  /** Each in order, none empty, each before the next. */
  #chunks: T[][] = [];
  #size = 0;

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  get size(): number {
    return this.#size;
  }

  first(): T | undefined {
    return this.#chunks[0]?.[0];
  }

  *[Symbol.iterator](): Generator<T, void, undefined> {
    for (const chunk of this.#chunks) yield* chunk;
  }

  add(element: T): void {
    this.#size++;
    const at = Math.min(this.#chunkFor(element), this.#chunks.length - 1);
    const chunk = this.#chunks[at];
    if (chunk === undefined) {
      this.#chunks.push([element]);
      return;
    }
    chunk.splice(this.#placeIn(chunk, element), 0, element);
    if (chunk.length > chunkLength) this.#chunks.splice(at + 1, 0, chunk.splice(chunkLength / 2));
  }

  /** Whether it was there. */
  delete(element: T): boolean {
    const at = this.#chunkFor(element);
    const chunk = this.#chunks[at];
    const place = chunk === undefined ? 0 : this.#placeIn(chunk, element);
    if (chunk?.[place] === undefined || this.#compare(chunk[place], element) !== 0) return false;
    chunk.splice(place, 1);
    if (chunk.length === 0) this.#chunks.splice(at, 1);
    this.#size--;
    return true;
  }

  /** The first chunk whose last element is not before this one; their number where there is none. */
  #chunkFor(element: T): number {
    let [low, high] = [0, this.#chunks.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#compare(this.#chunks[middle]!.at(-1)!, element) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The first place in a chunk whose element is not before this one. */
  #placeIn(chunk: readonly T[], element: T): number {
    let [low, high] = [0, chunk.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#compare(chunk[middle]!, element) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
