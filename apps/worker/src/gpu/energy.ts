// The energy that devices took while a run had them: by their counters, else by power drawn at moments, else by their power
// limit for all the time. What is weaker than a counter says so.
import type { EnergySource } from '@retraind/shared/gpu/device';
import type { Energy } from '@retraind/shared/wire/messages';
import type { Reading } from './vendor.ts';

/** Often enough for a training of minutes; nvidia-smi takes a tenth of a second of CPU. */
const sampleMilliseconds = 10_000;

/** The devices at one moment. */
export interface Sample {
  atSeconds: number;
  readings: readonly Pick<Reading, 'powerWatts' | 'powerLimitWatts' | 'energyWattHours'>[];
}

type Told = { value: number; source: EnergySource };

const ofDevice = (samples: readonly Sample[], device: number): Told | null => {
  const readings = samples.map((sample) => sample.readings[device]!);
  const [first, last] = [readings[0]!.energyWattHours, readings.at(-1)!.energyWattHours];
  // A counter that went back was reset: it tells nothing of this time.
  if (first !== null && last !== null && last >= first) return { value: last - first, source: 'counter' };
  const hours = (i: number): number => (samples[i]!.atSeconds - samples[i - 1]!.atSeconds) / 3_600;
  let sampled = 0;
  let limit = 0;
  for (let i = 1; i < samples.length; i++) {
    const [before, now] = [readings[i - 1]!, readings[i]!];
    sampled +=
      before.powerWatts === null || now.powerWatts === null
        ? Number.NaN
        : ((before.powerWatts + now.powerWatts) / 2) * hours(i);
    limit += (now.powerLimitWatts ?? Number.NaN) * hours(i);
  }
  if (!Number.isNaN(sampled)) return { value: sampled, source: 'sampled' };
  return Number.isNaN(limit) ? null : { value: limit, source: 'estimated' };
};

const weaker = (a: EnergySource, b: EnergySource): EnergySource => {
  const order: readonly EnergySource[] = ['counter', 'sampled', 'estimated'];
  return order[Math.max(order.indexOf(a), order.indexOf(b))]!;
};

/**
 * Watt hours of all devices together, from samples in order of time, each with the same devices; the source is the weakest of
 * theirs. Null without two samples or devices, or where one device tells nothing.
 */
export const energyOf = (samples: readonly Sample[]): Energy | null => {
  const devices = samples[0]?.readings.length ?? 0;
  if (samples.length < 2 || devices === 0) return null;
  let total: Told = { value: 0, source: 'counter' };
  for (let device = 0; device < devices; device++) {
    const told = ofDevice(samples, device);
    if (told === null) return null;
    total = { value: total.value + told.value, source: weaker(total.source, told.source) };
  }
  return total;
};

/** Samples from `start` to `finish`. A look that fails is left out: the run itself will meet the fault. */
export class EnergyMeter {
  readonly #look: () => Promise<readonly Reading[]>;
  readonly #deviceIds: readonly string[];
  readonly #samples: Sample[] = [];
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();

  constructor(deviceIds: readonly string[], look: () => Promise<readonly Reading[]>) {
    this.#deviceIds = deviceIds;
    this.#look = look;
  }

  async start(): Promise<void> {
    if (this.#deviceIds.length === 0) return;
    await this.#sample();
    this.#timer = setInterval(() => {
      this.#looking = this.#looking.then(() => this.#sample());
    }, sampleMilliseconds);
  }

  async finish(): Promise<Energy | null> {
    clearInterval(this.#timer);
    await this.#looking;
    if (this.#deviceIds.length > 0) await this.#sample();
    return energyOf(this.#samples);
  }

  async #sample(): Promise<void> {
    const all = await this.#look().catch(() => []);
    const readings = this.#deviceIds.flatMap((id) => all.filter(({ device }) => device.deviceId === id));
    if (readings.length !== this.#deviceIds.length) return;
    this.#samples.push({ atSeconds: performance.now() / 1_000, readings });
  }
}
