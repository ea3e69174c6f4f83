// What a simulation measures, kept from what the store tells (truth Witness) and from what ends on the slots.
import { printWishes } from '../gpu/wish.ts';
import type { LeaseOutcome } from '../job/states.ts';
import type { Demand } from '../policy/world.ts';
import type { Cause } from './worker.ts';

/** A placeable job that waits longer than this starves. */
export const starvationDays = 7;

export interface Spread {
  count: number;
  p50Seconds: number;
  p95Seconds: number;
  maxSeconds: number;
}

/** Of milliseconds. Quantiles by the nearest rank, as nothing is to be interpolated between two waits. */
export function spreadOf(milliseconds: readonly number[]): Spread {
  const sorted = Float64Array.from(milliseconds).sort();
  const at = (share: number): number => {
    if (sorted.length === 0) return 0;
    return Math.round(sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)]! / 1_000);
  };
  return { count: sorted.length, p50Seconds: at(0.5), p95Seconds: at(0.95), maxSeconds: at(1) };
}

/** What is asked of a slot, as one heading: `cuda:sm_80, 36 GiB`, `none on arm64`. */
export function demandClass(demand: Demand): string {
  const { accelerators, gpus, gpuMemoryBytes, machines, tags } = demand;
  const parts = [`${gpus > 1 ? `${gpus} × ` : ''}${printWishes(accelerators)}`];
  if (gpuMemoryBytes > 0) parts.push(`${Math.round(gpuMemoryBytes / 2 ** 30)} GiB`);
  if (machines.length > 0) parts.push(`on ${machines.join(', ')}`);
  if (tags.length > 0) parts.push(`tags ${tags.join(', ')}`);
  return parts.join(', ');
}

export interface LongWait {
  jobId: string;
  runId: string;
  class: string;
  waitDays: number;
}

export class Figures {
  readonly waits = new Map<string, number[]>();
  readonly turnarounds = new Map<string, number[]>();
  readonly leaseEnds = new Map<string, number>();
  readonly faults = new Map<string, number>();
  /** Device-milliseconds (devices in use times time) of runs with a device, and slot-milliseconds of those without. */
  readonly useful = { device: 0, slot: 0 };
  /** Part of it that leases without a result had kept in checkpoints. */
  readonly resumed = { device: 0, slot: 0 };
  readonly #kept = new Map<string, { device: number; slot: number }>();
  readonly #lastCauses = new Map<string, Cause>();
  readonly wasted = new Map<Cause, { device: number; slot: number }>();
  readonly refusedWrites = { assignment: 0, heartbeat: 0, report: 0 };
  readonly starved = new Map<string, LongWait>();
  nodesDrained = 0;
  budgetWaits = 0;
  ringsLost = 0;
  decisions = 0;

  waited(runId: string, jobId: string, heading: string, milliseconds: number): void {
    push(this.waits, heading, milliseconds);
    this.looksStarved(runId, jobId, heading, milliseconds);
  }

  /** Notes a run that has waited (so far) too long; of a job the longest is kept. */
  looksStarved(runId: string, jobId: string, heading: string, milliseconds: number): void {
    const waitDays = milliseconds / 86_400_000;
    if (waitDays <= starvationDays) return;
    if ((this.starved.get(jobId)?.waitDays ?? 0) >= waitDays) return;
    this.starved.set(jobId, { jobId, runId, class: heading, waitDays: Math.round(waitDays * 100) / 100 });
  }

  turnedAround(heading: string, milliseconds: number): void {
    push(this.turnarounds, heading, milliseconds);
  }

  leaseEnded(outcome: LeaseOutcome, code: string): void {
    count(this.leaseEnds, code === '' ? outcome : `${outcome}, ${code}`);
  }

  fault(kind: string): void {
    count(this.faults, kind);
  }

  /** An execution ended that has taken so many milliseconds beside those that are kept; `delay` would not have been on a healthy disk. */
  executed(
    runId: string,
    {
      devices,
      milliseconds,
      delay,
      cause,
    }: { devices: number; milliseconds: number; delay: number; cause: Cause | null },
  ): void {
    const part = devices > 0 ? 'device' : 'slot';
    const weight = Math.max(1, devices);
    if (cause !== null) {
      this.#lastCauses.set(runId, cause);
      this.#waste(cause, part, milliseconds * weight);
      return;
    }
    this.useful[part] += (milliseconds - delay) * weight;
    if (delay > 0) this.#waste('slow-disk', part, delay * weight);
  }

  /** So many milliseconds of training more are kept: of use if the run comes to a result. */
  kept(runId: string, devices: number, milliseconds: number): void {
    const kept = this.#kept.get(runId) ?? { device: 0, slot: 0 };
    kept[devices > 0 ? 'device' : 'slot'] += milliseconds * Math.max(1, devices);
    this.#kept.set(runId, kept);
  }

  /** What was kept of a run is not gone on from. */
  droppedCheckpoint(runId: string): void {
    const kept = this.#kept.get(runId);
    this.#kept.delete(runId);
    if (kept) this.#wasteKept(runId, kept);
  }

  /** When the story is over: what was kept is useful where its run came to a result. */
  settle(hasResult: (runId: string) => boolean): void {
    for (const [runId, kept] of this.#kept) {
      if (!hasResult(runId)) {
        this.#wasteKept(runId, kept);
        continue;
      }
      for (const part of ['device', 'slot'] as const) {
        this.useful[part] += kept[part];
        this.resumed[part] += kept[part];
      }
    }
    this.#kept.clear();
  }

  #wasteKept(runId: string, kept: { device: number; slot: number }): void {
    // A run that was cancelled while it waited had nothing that ended it.
    const cause = this.#lastCauses.get(runId) ?? 'unwanted';
    for (const part of ['device', 'slot'] as const) if (kept[part] > 0) this.#waste(cause, part, kept[part]);
  }

  #waste(cause: Cause, part: 'device' | 'slot', amount: number): void {
    const sum = this.wasted.get(cause) ?? { device: 0, slot: 0 };
    sum[part] += amount;
    this.wasted.set(cause, sum);
  }
}

function push(map: Map<string, number[]>, key: string, value: number): void {
  const values = map.get(key);
  if (values) values.push(value);
  else map.set(key, [value]);
}

const count = (map: Map<string, number>, key: string): void => {
  map.set(key, (map.get(key) ?? 0) + 1);
};
