// The heartbeat of a lease: says every few seconds that the run lives and where it is, and hears whether it is still
// wanted. It ends the run by one of two signals: `signal` at once (cancelled, lease lost), `leave` with time for a checkpoint
// (preempted, given back, the worker stops).
import type { LeaveCode } from '@retraind/shared/job/lease-end';
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

/** Why a run is to leave its slot, and how long its target may take to write a checkpoint; the reason of the leave signal. */
export class LeaveAsked extends Error {
  override readonly name = 'LeaveAsked';
  readonly code: LeaveCode;
  readonly graceSeconds: number;

  constructor(code: LeaveCode, reason: string, graceSeconds: number) {
    super(reason);
    this.code = code;
    this.graceSeconds = graceSeconds;
  }
}

export interface BeatOptions {
  farm: Pick<FarmClient, 'heartbeat'>;
  heartbeatSeconds: number;
  /** Aborted when this process is asked to end. */
  shutdown: AbortSignal;
  /** How long a target may then take to write a checkpoint. */
  stopGraceSeconds: number;
  /** A farm that did not answer; the run goes on, the farm decides by its own clock. */
  onTrouble: (error: Error) => void;
}

/** What a worker that stops has for a checkpoint's upload, once its target has ended. */
export const uploadSeconds = 4;

export class Beat {
  readonly #options: BeatOptions;
  readonly #stop = new AbortController();
  readonly #leave = new AbortController();
  #lastMoment: NodeJS.Timeout | undefined;
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

  /** Aborted when the run is to leave its slot; its reason is a LeaveAsked. The heart beats on until `end`. */
  get leave(): AbortSignal {
    return this.#leave.signal;
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
    clearTimeout(this.#lastMoment);
    this.#options.shutdown.removeEventListener('abort', this.#onShutdown);
    this.#soon?.();
    await this.#loop;
  }

  readonly #onShutdown = (): void => {
    const { stopGraceSeconds } = this.#options;
    const why = 'the worker was stopped while the run was on it';
    this.#leave.abort(new LeaveAsked('node-stopped', why, stopGraceSeconds));
    // The checkpoint may be large and the farm far: the run is given back in any case while this process lives.
    const lastMoment = (stopGraceSeconds + uploadSeconds) * 1_000;
    this.#lastMoment = setTimeout(() => this.#stop.abort(new RunStopped('shutdown')), lastMoment);
  };

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
      const { cancel, leave } = await this.#options.farm.heartbeat({
        step: this.#step,
        progress: this.#progress,
      });
      if (cancel) this.#stop.abort(new RunStopped('cancelled'));
      else if (leave) this.#leave.abort(new LeaveAsked(leave.code, leave.reason, leave.graceSeconds));
    } catch (error) {
      const lost = error instanceof Problem && (error.code === 'lease-lost' || error.code === 'not-your-run');
      if (lost) this.#stop.abort(new RunStopped('lease-lost'));
      else if (!this.#ended) this.#options.onTrouble(error as Error);
    }
  }
}
