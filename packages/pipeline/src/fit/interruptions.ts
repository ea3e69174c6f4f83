// SIGTERM while a net is trained: the farm takes the machine back. The step under way is finished, a checkpoint written, and
// the process ended as RECIPE's contract has it: a line {"tempfail"} in the metrics file, since make turns every status into 2.
import { writeMetrics } from '../metrics.ts';
import { Interrupted } from './interrupted.ts';

/** Milliseconds of steps after which signals are looked at: promises alone never let Node see one. */
const breatheEvery = 50;

export class Interruptions {
  #told = false;
  #breathedAt = performance.now();
  readonly #onSignal = (): void => {
    this.#told = true;
  };

  /** `listens`: whether there is a checkpoint to write; without one SIGTERM ends the process at once, as ever. */
  constructor(listens: boolean) {
    if (listens) process.on('SIGTERM', this.#onSignal);
  }

  /** Whether SIGTERM has come. */
  get told(): boolean {
    return this.#told;
  }

  async breathe(): Promise<void> {
    if (performance.now() - this.#breathedAt < breatheEvery) return;
    await new Promise((resume) => setImmediate(resume));
    this.#breathedAt = performance.now();
  }

  /** To be called once the checkpoint is written. Throws Interrupted where SIGTERM has come. */
  stopIfTold(where: string): void {
    if (!this.#told) return;
    const why = `stopped by SIGTERM ${where}`;
    writeMetrics({ tempfail: why });
    throw new Interrupted(why);
  }

  end(): void {
    process.removeListener('SIGTERM', this.#onSignal);
  }
}
