// Room kept for a run that is too large for what is left on any node now, so that smaller ones cannot take each bit that comes
// free (EASY backfill: D. Lifka, "The ANL/IBM SP scheduling system", 1995). The first such run in the order gets a
// reservation, and each overdue one: on the node where it could start soonest by the expected ends of the runs there. A
// smaller run may start there where it is expected to end before, or leaves the room as it is.

import type { SlotView } from './fleet.ts';
import { assumedSeconds, expectedSeconds } from './priority.ts';
import type { Demand } from './world.ts';

/** A run on a node: what it takes, when it is expected to give it back, and when it must (milliseconds since 1970). */
export interface Tenant {
  slot: number;
  endsAt: number;
  limitAt: number;
  memoryBytes: number;
  diskBytes: number;
}

/** null where the node has not told. */
export interface Room {
  memoryBytes: number | null;
  diskBytes: number | null;
}

export interface Reservation {
  runId: string;
  jobId: string;
  /** The slot that it is expected to get. */
  slotKey: string;
  /** When it is expected to start (milliseconds since 1970). */
  at: number;
  demand: Demand;
  /** Nobody's estimate delays an overdue run: all count by their limits, and when those are up it starts for certain. */
  overdue: boolean;
  /** Kept because the slot is promised, not because the run is too large for what is left. */
  isPromise?: true;
}

/** How long a run may last at most. */
export const limitSeconds = ({ timeLimitSeconds }: Demand): number => timeLimitSeconds || assumedSeconds;

const endOf = ({ endsAt, limitAt }: Tenant, overdue: boolean): number => (overdue ? limitAt : endsAt);

/**
 * When a slot of a node would be free and have the room (milliseconds since 1970), by the ends of its tenants: expected ones, or for
 * an overdue run the limits. null where it has not even empty.
 */
export function startOn(
  demand: Demand,
  { node, slot }: SlotView,
  tenants: readonly Tenant[],
  now: Date,
  overdue: boolean,
): number | null {
  const fits = (rest: readonly Tenant[]): boolean =>
    rest.every((tenant) => tenant.slot !== slot.slot) &&
    (node.memoryBytes === null || sum(rest, 'memoryBytes') + demand.memoryBytes <= node.memoryBytes) &&
    (node.diskFreeBytes === null || sum(rest, 'diskBytes') + demand.diskBytes <= node.diskFreeBytes);
  const ends = tenants.map((tenant) => endOf(tenant, overdue)).sort((a, b) => a - b);
  for (const at of [now.getTime(), ...ends]) {
    if (fits(tenants.filter((tenant) => endOf(tenant, overdue) > at))) return at;
  }
  return null;
}

/** Whether a run that starts now beside the tenants leaves a reservation of their node as it is. */
export function respects(
  reservation: Reservation,
  demand: Demand,
  { key, node }: SlotView,
  tenants: readonly Tenant[],
  now: Date,
): boolean {
  const length = reservation.overdue ? limitSeconds(demand) : expectedSeconds(demand);
  if (now.getTime() + length * 1_000 <= reservation.at) return true;
  if (key === reservation.slotKey) return false;
  const stay = tenants.filter((tenant) => endOf(tenant, reservation.overdue) > reservation.at);
  const leaves = (all: number | null, of: 'memoryBytes' | 'diskBytes'): boolean =>
    all === null || sum(stay, of) + demand[of] + reservation.demand[of] <= all;
  return leaves(node.memoryBytes, 'memoryBytes') && leaves(node.diskFreeBytes, 'diskBytes');
}

const sum = (tenants: readonly Tenant[], of: 'memoryBytes' | 'diskBytes'): number =>
  tenants.reduce((total, tenant) => total + tenant[of], 0);
