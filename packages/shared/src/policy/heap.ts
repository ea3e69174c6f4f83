// A binary heap (J. W. J. Williams, "Algorithm 232: Heapsort", 1964): the first of many that change their rank one at a time.

export class Heap<T> {
  readonly #before: (a: T, b: T) => boolean;
  readonly #items: T[];

  constructor(items: T[], before: (a: T, b: T) => boolean) {
    this.#before = before;
    this.#items = items;
    for (let at = (items.length >> 1) - 1; at >= 0; at--) this.#sink(at);
  }

  first(): T | undefined {
    return this.#items[0];
  }

  /** Takes the first one out. */
  pop(): T | undefined {
    const first = this.#items[0];
    const last = this.#items.pop();
    if (this.#items.length > 0) {
      this.#items[0] = last!;
      this.#sink(0);
    }
    return first;
  }

  /** Puts another one in the place of the first. */
  replaceFirst(item: T): void {
    this.#items[0] = item;
    this.#sink(0);
  }

  #sink(from: number): void {
    const items = this.#items;
    let at = from;
    for (;;) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < items.length && this.#before(items[child]!, items[least]!)) least = child;
      }
      if (least === at) return;
      [items[at], items[least]] = [items[least]!, items[at]!];
      at = least;
    }
  }
}
