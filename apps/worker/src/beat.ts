// The heartbeat of a lease: says every few seconds that the run lives and where it is, and hears whether it is still
// wanted. It ends the run by its signal: cancelled, lease lost, or the node shuts down.
import type { RunStep } from '@retraind/shared/job/states';
import { Problem } from '@retraind/shared/wire/problems';
import type { FarmClient } from './farm-client.ts';

/** Why a run has to stop before its end; the reason of the beat's signal. */
export class RunStopped extends Error {
  override readonly name = 'RunStopped';
  readonly why: 'cancelled' | 'lease-lost' | 'shutdown';

  constructor(why: 'cancelled' | 'lease-lost' | 'shutdown') {
    super(`the run was stopped: ${why}`);
    this.why = why;
  }
}

export interface BeatOptions {
  farm: Pick<FarmClient, 'heartbeat'>;
  heartbeatSeconds: number;
  /** Aborted when this process is asked to end. */
  shutdown: AbortSignal;
  /** A farm that did not answer; the run goes on, the farm decides by its own clock. */
  onTrouble: (error: Error) => void;
}

export class Beat {
  readonly #options: BeatOptions;
  readonly #stop = new AbortController();
  #step: RunStep = 'fetch';
  #progress: number | null = null;
  #soon: (() => void) | null = null;
  #ended = false;
  readonly #loop: Promise<void>;

  constructor(options: BeatOptions) {
    this.#options = options;
    this.#stop.signal.addEventListener('abort', () => this.#soon?.(), { once: true });
    options.shutdown.addEventListener('abort', this.#onShutdown, { once: true });
    if (options.shutdown.aborted) this.#onShutdown();
    this.#loop = this.#run();
  }

  /** Aborted when the run has to stop; its reason is a RunStopped. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Which step is under way, and how far: told with the next beat, and at once when the step changes. */
  at(step: RunStep, progress: number | null = null): void {
    const changed = step !== this.#step;
    this.#step = step;
    this.#progress = progress;
    if (changed) this.#soon?.();
  }

  /** Ends the beating; resolves when no heartbeat is under way any more. */
  async end(): Promise<void> {
    this.#ended = true;
    this.#options.shutdown.removeEventListener('abort', this.#onShutdown);
    this.#soon?.();
    await this.#loop;
  }

  readonly #onShutdown = (): void => this.#stop.abort(new RunStopped('shutdown'));

  async #run(): Promise<void> {
    while (!this.#over) {
      const told = this.#step;
      await this.#tell();
      if (this.#over) return;
      if (told !== this.#step) continue;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, this.#options.heartbeatSeconds * 1_000);
        this.#soon = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#soon = null;
    }
  }

  get #over(): boolean {
    return this.#ended || this.#stop.signal.aborted;
  }

  async #tell(): Promise<void> {
    try {
      const { cancel } = await this.#options.farm.heartbeat({ step: this.#step, progress: this.#progress });
      if (cancel) this.#stop.abort(new RunStopped('cancelled'));
    } catch (error) {
      const lost = error instanceof Problem && (error.code === 'lease-lost' || error.code === 'not-your-run');
      if (lost) this.#stop.abort(new RunStopped('lease-lost'));
      else if (!this.#ended) this.#options.onTrouble(error as Error);
    }
  }
}
