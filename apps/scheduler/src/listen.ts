// What wakes the tick before its time: NOTIFY retraind, sent by the database whenever a job, run or node changes. Many
// changes soon after each other wake once. A lost NOTIFY costs one tick's time, nothing else.

/** Changes within this time of the first wake the tick together. */
const gatherMilliseconds = 30;

export class Waker {
  #interrupt: (() => void) | null = null;
  #pending = false;

  /** Ends the wait that is under way, or the next one. */
  wake(): void {
    this.#pending = true;
    this.#interrupt?.();
  }

  /** Resolves after `milliseconds`, or shortly after a wake, or when `signal` is aborted; never rejects. */
  async wait(milliseconds: number, signal: AbortSignal): Promise<void> {
    if (!this.#pending) {
      await pause(milliseconds, signal, (interrupt) => {
        this.#interrupt = interrupt;
      });
      this.#interrupt = null;
    }
    if (this.#pending) await pause(gatherMilliseconds, signal);
    this.#pending = false;
  }
}

const pause = (
  milliseconds: number,
  signal: AbortSignal,
  offer: (interrupt: () => void) => void = () => undefined,
): Promise<void> =>
  new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    if (signal.aborted) return done();
    signal.addEventListener('abort', done, { once: true });
    offer(done);
  });
