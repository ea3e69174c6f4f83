// Sends text to the farm while it comes, in order: one request in flight, what comes meanwhile goes with the next one.

/** Characters after which a chunk goes off at once. */
const eagerLength = 65_536;
const idleMilliseconds = 300;

export class StreamSender {
  readonly #send: (text: string) => Promise<void>;
  #waiting = '';
  #sending: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #fault: unknown = null;

  constructor(send: (text: string) => Promise<void>) {
    this.#send = send;
  }

  push(text: string): void {
    if (this.#fault !== null) return;
    this.#waiting += text;
    if (this.#waiting.length >= eagerLength) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), idleMilliseconds);
  }

  #flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#sending !== null || this.#waiting === '') return;
    const text = this.#waiting;
    this.#waiting = '';
    this.#sending = this.#send(text).then(
      () => {
        this.#sending = null;
        if (this.#waiting.length >= eagerLength) this.#flush();
        else if (this.#waiting !== '') this.#timer ??= setTimeout(() => this.#flush(), idleMilliseconds);
      },
      (error) => {
        this.#sending = null;
        this.#fault = error;
        this.#waiting = '';
      },
    );
  }

  /** Sends what is left. Throws what the farm answered to any chunk. */
  async finish(): Promise<void> {
    do {
      this.#flush();
      await this.#sending;
    } while (this.#waiting !== '' && this.#fault === null);
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#fault !== null) throw this.#fault;
  }
}
