// The story of a simulation as text, one line an event, and its digest: two simulations that have the same digest went the same
// way. Redo it with --trace FILE and sha256sum.
import { createHash } from 'node:crypto';

/** Lines are hashed by the thousand: a call for each costs more than the hash. */
const linesAtOnce = 1_000;

export class Trace {
  readonly #hash = createHash('sha256');
  readonly #now: () => number;
  readonly #tell: ((text: string) => void) | null;
  #lines: string[] = [];
  events = 0;

  /** `tell` gets the same text that is hashed. */
  constructor(now: () => number, tell: ((text: string) => void) | null) {
    this.#now = now;
    this.#tell = tell;
  }

  line(text: string): void {
    this.events++;
    if (this.#lines.push(`${this.#now()} ${text}\n`) >= linesAtOnce) this.#flush();
  }

  #flush(): void {
    const text = this.#lines.join('');
    this.#lines = [];
    this.#hash.update(text);
    this.#tell?.(text);
  }

  /** sha256 (hex) over all lines so far. */
  digest(): string {
    this.#flush();
    return this.#hash.copy().digest('hex');
  }
}
