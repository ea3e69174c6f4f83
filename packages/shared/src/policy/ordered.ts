// A list kept in order, for many elements that come and go one by one: chunks of limited length, so that an insertion moves
// hundreds of elements, never a hundred thousand. No two elements may be equal in the order.

const chunkLength = 512;

interface Chunk<T> {
  elements: T[];
  /** Of each element, beside each other: a search reads one run of memory and not an object after the other. */
  keys: number[];
}

export class Ordered<T> {
  readonly #keyOf: (element: T) => number;
  readonly #compare: (a: T, b: T) => number;
  /** Each in order, none empty, each before the next. */
  readonly #chunks: Chunk<T>[] = [];
  #size = 0;

  /** In the order of their keys; of equal keys, as `compare` says. */
  constructor(keyOf: (element: T) => number, compare: (a: T, b: T) => number) {
    this.#keyOf = keyOf;
    this.#compare = compare;
  }

  get size(): number {
    return this.#size;
  }

  first(): T | undefined {
    return this.#chunks[0]?.elements[0];
  }

  *[Symbol.iterator](): Generator<T, void, undefined> {
    for (const { elements } of this.#chunks) yield* elements;
  }

  /** Those behind an element that is there. */
  *after(element: T): Generator<T, void, undefined> {
    const key = this.#keyOf(element);
    const at = this.#chunkFor(element, key);
    const rest = this.#chunks.slice(at);
    const place = rest[0] === undefined ? 0 : this.#placeIn(rest[0], element, key) + 1;
    for (const [i, { elements }] of rest.entries()) yield* i === 0 ? elements.slice(place) : elements;
  }

  add(element: T): void {
    this.#size++;
    const key = this.#keyOf(element);
    const at = Math.min(this.#chunkFor(element, key), this.#chunks.length - 1);
    const chunk = this.#chunks[at];
    if (chunk === undefined) {
      this.#chunks.push({ elements: [element], keys: [key] });
      return;
    }
    const { elements, keys } = chunk;
    const place = this.#placeIn(chunk, element, key);
    elements.splice(place, 0, element);
    keys.splice(place, 0, key);
    if (elements.length <= chunkLength) return;
    const rest = { elements: elements.splice(chunkLength / 2), keys: keys.splice(chunkLength / 2) };
    this.#chunks.splice(at + 1, 0, rest);
  }

  /** Whether it was there. */
  delete(element: T): boolean {
    const key = this.#keyOf(element);
    const at = this.#chunkFor(element, key);
    const chunk = this.#chunks[at];
    if (chunk === undefined) return false;
    const place = this.#placeIn(chunk, element, key);
    if (place === chunk.elements.length || this.#order(chunk, place, element, key) !== 0) return false;
    chunk.elements.splice(place, 1);
    chunk.keys.splice(place, 1);
    if (chunk.elements.length === 0) this.#chunks.splice(at, 1);
    this.#size--;
    return true;
  }

  /** Below 0 where the element at a place is before this one. */
  #order({ elements, keys }: Chunk<T>, place: number, element: T, key: number): number {
    return keys[place]! - key || this.#compare(elements[place]!, element);
  }

  /** The first chunk whose last element is not before this one; their number where there is none. */
  #chunkFor(element: T, key: number): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const chunk = this.#chunks[middle]!;
      if (this.#order(chunk, chunk.keys.length - 1, element, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The first place in a chunk whose element is not before this one. */
  #placeIn(chunk: Chunk<T>, element: T, key: number): number {
    let low = 0;
    let high = chunk.keys.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#order(chunk, middle, element, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
