// What a person and the farm see of a training: a bar with the time left on a terminal, lines elsewhere, metrics lines.
import { type MetricsLine, writeMetrics } from '../metrics.ts';
import type { Measures } from './evaluate.ts';

/** At most so many lines of a kind a fit, of steps and of epochs: a curve needs no more, and the file has a limit. */
const curvePoints = 500;
/** Milliseconds between two lines of talk on stderr within an epoch, far under any silence limit. */
const talkEvery = 10_000;
/** Milliseconds between two drawings of the bar. */
const drawEvery = 200;
const barLength = 24;

/** `1 h 2 min`, `3 min 20 s`, `8 s`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole >= 3600) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
  return whole >= 60 ? `${Math.floor(whole / 60)} min ${whole % 60} s` : `${whole} s`;
}

export class Progress {
  readonly #epochs: number;
  readonly #steps: number;
  readonly #bar: boolean;
  readonly #now: () => number;
  readonly #write: (text: string) => void;
  /** Where the clock started: after the first step of this process, which compiles. */
  #from: { step: number; at: number } | null = null;
  #percent: number;
  #spokeAt: number;
  #epochAt: number;

  /** `done`: steps of an earlier process that is resumed. */
  constructor(
    { epochs, steps, done = 0 }: { epochs: number; steps: number; done?: number },
    {
      bar = process.stderr.isTTY === true,
      now = () => performance.now(),
      write = (text: string) => void process.stderr.write(text),
    } = {},
  ) {
    this.#epochs = epochs;
    this.#steps = steps;
    this.#bar = bar;
    this.#now = now;
    this.#write = write;
    this.#percent = Math.floor((100 * done) / steps);
    this.#spokeAt = now();
    this.#epochAt = now();
  }

  /** Seconds until the last step; null until it is known how long one takes. */
  eta(step: number): number | null {
    if (this.#from === null || step <= this.#from.step) return null;
    return ((this.#now() - this.#from.at) / 1000 / (step - this.#from.step)) * (this.#steps - step);
  }

  step(step: number, epoch: number, loss: number): void {
    const now = this.#now();
    const eta = this.eta(step);
    this.#from ??= { step, at: now };
    if (step % Math.ceil(this.#steps / curvePoints) === 0 || step === this.#steps) {
      writeMetrics({ step, loss, epoch });
    }
    const percent = Math.floor((100 * step) / this.#steps);
    if (percent > this.#percent) {
      this.#percent = percent;
      const line: MetricsLine = { progress: percent / 100 };
      if (eta !== null && step < this.#steps) line.eta = Math.round(eta);
      writeMetrics(line);
    }
    if (now - this.#spokeAt < (this.#bar ? drawEvery : talkEvery)) return;
    this.#spokeAt = now;
    const left = eta === null ? '' : `  ${duration(eta)} left`;
    const where = `epoch ${epoch}/${this.#epochs}`;
    if (!this.#bar) {
      this.#write(`${where}  step ${step}/${this.#steps}  loss ${loss.toFixed(4)}${left}\n`);
      return;
    }
    const full = Math.floor((barLength * step) / this.#steps);
    const bar = '='.repeat(full).padEnd(barLength);
    this.#write(`\r\u001b[K${where} [${bar}] ${percent} %  loss ${loss.toFixed(4)}${left}`);
  }

  epoch(epoch: number, loss: number, validation: Measures | null): void {
    if (epoch % Math.ceil(this.#epochs / curvePoints) !== 0 && epoch !== this.#epochs) return;
    const seconds = ((this.#now() - this.#epochAt) / 1000).toFixed(1);
    this.#epochAt = this.#now();
    let held = '';
    if (validation) {
      const line: Record<string, number> = { epoch };
      for (const [name, value] of Object.entries(validation) as [string, number][]) {
        line[`validation${name[0]!.toUpperCase()}${name.slice(1)}`] = value;
      }
      writeMetrics(line);
      held = `  validation ${Object.entries(validation)
        .map(([name, value]) => `${name} ${value.toFixed(4)}`)
        .join(', ')}`;
    }
    this.say(`epoch ${epoch}/${this.#epochs}  loss ${loss.toFixed(4)}${held}  ${seconds} s`);
  }

  /** A line of its own. */
  say(text: string): void {
    this.#write(`${this.#bar ? '\r\u001b[K' : ''}${text}\n`);
  }
}
