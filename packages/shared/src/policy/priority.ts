// In which order waiting runs are served: wanna-build's points (FIELD: days waiting rewarded, length penalised, section,
// archive priority, a person's adjustment), with what they lack: fair shares, and an end to every wait.
//
//   points = weights + 2 × min(days waiting, 6) − min(hours of length, 15) − share      until it is overdue
//   points = more than any of those can be           − share                            from then on, the oldest first
//
// Every weight is bounded, so an overdue run outranks whatever is not; overdue ones of one account are served by age alone.
// Only an account that holds more than its share may see others pass: they pass until the shares are even.
import type { Demand, SchedulingPolicy, WorldJob } from './world.ts';

const daySeconds = 86_400;
const hourSeconds = 3_600;

/** Weights of section, archive priority and a person's adjustment together count no more than this, either way. */
const greatestWeight = 30;

/** A run of which neither estimate nor limit is known is taken to last as long as a recipe's default limit. */
export const assumedSeconds = 4 * hourSeconds;

/** What a run is expected to last. */
export const expectedSeconds = ({ estimateSeconds, timeLimitSeconds }: Demand): number =>
  estimateSeconds || timeLimitSeconds || assumedSeconds;

/** Points that neither time nor other accounts change: those of one lane of the queue. */
export interface StandingPoints {
  weight: number;
  length: number;
}

export function standingPoints(job: WorldJob, policy: SchedulingPolicy): StandingPoints {
  const said =
    job.priority +
    (policy.sectionPoints[job.section] ?? 0) +
    (policy.archivePriorityPoints[job.archivePriority] ?? 0);
  const { pointsPerHour, capHours } = policy.length;
  // Whole hours, as wanna-build counts them; an unknown length is not penalised.
  const hours = Math.min(Math.floor(job.demand.estimateSeconds / hourSeconds), capHours);
  return {
    weight: Math.max(-greatestWeight, Math.min(greatestWeight, said)),
    length: pointsPerHour * hours,
  };
}

const waitedDays = (requestedAt: Date, now: Date): number =>
  Math.max(0, (now.getTime() - requestedAt.getTime()) / (daySeconds * 1_000));

export const isOverdue = (requestedAt: Date, now: Date, { ageing }: SchedulingPolicy): boolean =>
  ageing !== null && waitedDays(requestedAt, now) >= ageing.overdueDays;

/** The points of a run at this moment, before those of fair shares. Of equal standing points, the older never has fewer. */
export function pointsAt(
  { weight, length }: StandingPoints,
  requestedAt: Date,
  now: Date,
  policy: SchedulingPolicy,
): number {
  const { ageing } = policy;
  if (ageing === null) return weight - length;
  if (isOverdue(requestedAt, now, policy)) return greatestWeight + ageing.pointsPerDay * ageing.capDays + 1;
  return weight + ageing.pointsPerDay * Math.min(waitedDays(requestedAt, now), ageing.capDays) - length;
}

/** Slots by account: what each active one (it holds a slot, or waits for one) holds. */
export interface Shares {
  held: ReadonlyMap<string, number>;
  /** Account to its part of all slots, 0..1; the parts of all active accounts sum to 1. */
  due: ReadonlyMap<string, number>;
  slots: number;
}

/** The part of the farm that is due to each active account, by the policy's shares. Summed in order, so that it is always the same. */
export function dueShares(active: Iterable<string>, shares: Record<string, number>): Map<string, number> {
  const names = [...active].sort();
  const shareOf = (name: string): number => Math.max(0.001, shares[name] ?? 1);
  const sum = names.reduce((total, name) => total + shareOf(name), 0);
  return new Map(names.map((name) => [name, shareOf(name) / sum]));
}

/** How much more than its due an account holds, as a part of all slots: -1..1. */
export const excessOf = (account: string, { held, due, slots }: Shares): number =>
  slots === 0 ? 0 : (held.get(account) ?? 0) / slots - (due.get(account) ?? 0);
