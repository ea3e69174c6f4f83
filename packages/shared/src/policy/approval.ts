// What needs a person's yes before it runs: a job whose expected cost is over the threshold of a budget that pays for it.
import type { Account, BilledUnit } from './world.ts';

export interface Threshold {
  account: Account;
  unit: BilledUnit;
  hours: number;
}

/** Expected hours of a job as a whole; null where no run of it was ever timed. */
export interface ExpectedCost {
  unit: BilledUnit;
  hours: number | null;
}

export const unitWords: Record<BilledUnit, string> = { gpu: 'GPU-hours', cpu: 'CPU-hours' };

/**
 * Why a job waits for an approval; null where it need not. An unknown cost needs none: its first run is what tells it, and the
 * budget itself still stops it.
 */
export function approvalWanted(cost: ExpectedCost, thresholds: readonly Threshold[]): string | null {
  const { hours, unit } = cost;
  if (hours === null) return null;
  const over = thresholds
    .filter((threshold) => threshold.unit === unit && hours > threshold.hours)
    .sort((a, b) => a.hours - b.hours)[0];
  if (over === undefined) return null;
  return `needs an admin's approval: about ${shortHours(hours)} ${unitWords[unit]} expected, and ${over.account} may spend ${shortHours(over.hours)} on a job without one`;
}

/** Hours for people: `0.05`, `12`, `1,170`. */
export const shortHours = (hours: number): string =>
  hours >= 100
    ? Math.round(hours).toLocaleString('en')
    : String(Number(hours.toPrecision(hours < 1 ? 2 : 3)));
