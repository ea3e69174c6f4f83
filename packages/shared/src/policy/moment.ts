// The state of one decision: who holds what, including what this decision has given away so far, and the clauses that ask
// about it. It reads the queue and never writes to it.
import { reservedSecondsOf, unitOf } from '../cost/reservation.ts';
import { displayBytes } from '../units/bytes.ts';
import { displayDuration } from '../units/duration.ts';
import { type Clause, exclusionClause, nodeServes } from './clauses.ts';
import type { SlotView } from './fleet.ts';
import { isCheck, payersOf } from './payers.ts';
import { dueShares, excessOf, expectedSeconds, pointsAt } from './priority.ts';
import type { Entry, Held, Kind, Lane, Queue } from './queue.ts';
import { limitSeconds, type Reservation, type Room, respects, type Tenant } from './reservation.ts';
import type { Account, BilledUnit, Budget, Demand } from './world.ts';

type Payers = Pick<Lane, 'requester' | 'suite'>;

/** What is set aside for a run until it ends (cost/reservation). */
interface Charge {
  unit: BilledUnit;
  devices: number;
  seconds: number;
}

export const chargeOf = (demand: Demand, devices: number): Charge => ({
  unit: unitOf(devices),
  devices,
  seconds: Math.max(1, devices) * reservedSecondsOf(demand),
});

/** What the best alternative of a demand would be charged. */
const firstCharge = (demand: Demand): Charge =>
  chargeOf(demand, demand.accelerators[0]?.kind === 'none' ? 0 : demand.gpus);

/** How long a run takes to leave: a heartbeat, a target's grace (60 s by default), its checkpoint. To tell when a slot comes free. */
export const leavingSeconds = 75;

/** Points of a waiting run, those of its shares among them. */
export const rankOf = (moment: Moment, lane: Lane, entry: Entry): number =>
  pointsAt(lane.points, entry.job.requestedAt, moment.now, moment.queue.policy) - moment.sharePoints(lane);

export class Moment {
  readonly queue: Queue;
  readonly now: Date;
  /** Slots of nodes that serve now, held or not. */
  readonly serving: SlotView[] = [];
  /** Those that nobody holds. */
  readonly free = new Map<string, SlotView>();
  /** Room that is kept on a node for a run that is too large for what is left now, or to which a slot there is promised. */
  readonly reservations = new Map<string, Reservation>();
  /** Slots that are being left, or were left just now, and the run that is to have each. */
  readonly promised = new Map<string, Entry>();
  readonly #placed = new Map<string, Entry>();
  readonly #given = new Set<string>();
  readonly #tenants = new Map<string, Tenant[]>();
  readonly #held: Map<string, number>;
  readonly #due: Map<string, number>;
  /** By account and unit. */
  readonly #budgets: Map<string, Budget>;

  constructor(queue: Queue, now: Date) {
    this.queue = queue;
    this.now = now;
    for (const { node, slots } of queue.fleet.nodes.values()) {
      if (!nodeServes(node, queue.nodeSilenceSeconds, now)) continue;
      this.serving.push(...slots);
      for (const view of slots) {
        if (!queue.held.has(view.key) && silentSeconds(view, now) === 0) this.free.set(view.key, view);
      }
    }
    this.#held = new Map(queue.heldByAccount);
    const accounts = [...queue.activeByAccount.keys()];
    const { shares } = queue.policy;
    this.#due = new Map([
      ...dueShares(
        accounts.filter((name) => name.startsWith('suite:')),
        shares,
      ),
      ...dueShares(
        accounts.filter((name) => name.startsWith('requester:')),
        shares,
      ),
    ]);
    this.#budgets = new Map(
      queue.budgets.map((budget) => [`${budget.account} ${budget.unit}`, { ...budget }]),
    );
    for (const entry of [...queue.promised.values()].sort(byPromise)) {
      const { nodeId, slot, until } = entry.run.promise!;
      const view = until > now ? queue.fleet.nodes.get(nodeId)?.slots[slot] : undefined;
      if (view === undefined || this.promised.has(view.key)) continue;
      this.promise(entry, queue.laneOf(entry.run.runId)!, view, queue.held.get(view.key));
    }
  }

  /** Keeps a slot, and the room of its node, for a run that waits until the one that has it is gone. */
  promise(entry: Entry, lane: Lane, view: SlotView, holder: Held | undefined): void {
    this.promised.set(view.key, entry);
    this.#count(lane, 1);
    if (holder?.job) this.#count(payersOf(holder.job, isCheck(holder.run)), -1);
    const { nodeId } = view.node;
    if (this.reservations.has(nodeId)) return;
    this.reservations.set(nodeId, {
      ...{ runId: entry.run.runId, jobId: entry.job.jobId, slotKey: view.key, demand: entry.job.demand },
      ...{ at: this.now.getTime() + leavingSeconds * 1_000, overdue: false, isPromise: true },
    });
  }

  /** The slot is open to all: the run that it was kept for takes it, has another one, or cannot have it. */
  breakPromise(key: string): void {
    const { run, job } = this.promised.get(key)!;
    this.promised.delete(key);
    this.#count(payersOf(job, isCheck(run)), -1);
    const { nodeId } = run.promise!;
    if (this.reservations.get(nodeId)?.runId === run.runId) this.reservations.delete(nodeId);
  }

  wasGiven(runId: string): boolean {
    return this.#given.has(runId);
  }

  /** The key of the slot that is promised to a run; null for none. */
  promiseTo(runId: string): string | null {
    for (const [key, { run }] of this.promised) if (run.runId === runId) return key;
    return null;
  }

  place(entry: Entry, lane: Lane, view: SlotView, devices: number): void {
    this.free.delete(view.key);
    this.#placed.set(view.key, entry);
    this.#given.add(entry.run.runId);
    this.tenantsOf(view.node.nodeId).push(this.#tenant(entry, view));
    this.#count(lane, 1);
    this.#reserve(lane, chargeOf(entry.job.demand, devices));
  }

  #count({ requester, suite }: Payers, by: number): void {
    for (const account of [requester, suite]) this.#held.set(account, (this.#held.get(account) ?? 0) + by);
  }

  /** What the lead of a requester over another shrinks by when it gets a slot of the other's. */
  exchangePoints(isOfOneSuite: boolean): number {
    const part = this.queue.policy.fairSharePoints / Math.max(1, this.serving.length);
    return isOfOneSuite ? part : 2 * part;
  }

  /** Points taken off for holding more than is due; given for holding less. */
  sharePoints({ requester, suite }: Payers): number {
    const shares = { held: this.#held, due: this.#due, slots: this.serving.length };
    return (this.queue.policy.fairSharePoints * (excessOf(requester, shares) + excessOf(suite, shares))) / 2;
  }

  /** Runs that hold a slot of the node now, or were given one in this decision. */
  tenantsOf(nodeId: string): Tenant[] {
    const known = this.#tenants.get(nodeId);
    if (known) return known;
    const tenants = [...(this.queue.heldByNode.get(nodeId) ?? [])].map(({ job, run }): Tenant => {
      const began = run.leasedAt?.getTime() ?? this.now.getTime();
      // Longer than foreseen: it is taken to end at any moment.
      const after = (seconds: number): number => Math.max(this.now.getTime() + 1, began + seconds * 1_000);
      const isLeaving = (run.tenure?.leaving ?? null) !== null;
      const leftAt = this.now.getTime() + leavingSeconds * 1_000;
      return {
        slot: run.holder!.slot,
        endsAt: isLeaving ? leftAt : after(job ? expectedSeconds(job.demand) : 0),
        limitAt: isLeaving ? leftAt : after(job ? limitSeconds(job.demand) : 0),
        memoryBytes: job?.demand.memoryBytes ?? 0,
        diskBytes: job?.demand.diskBytes ?? 0,
      };
    });
    this.#tenants.set(nodeId, tenants);
    return tenants;
  }

  #tenant({ job: { demand } }: Entry, { slot: { slot } }: SlotView): Tenant {
    const endsAt = this.now.getTime() + expectedSeconds(demand) * 1_000;
    const limitAt = this.now.getTime() + limitSeconds(demand) * 1_000;
    return { slot, endsAt, limitAt, memoryBytes: demand.memoryBytes, diskBytes: demand.diskBytes };
  }

  /** What is left on a node, or would be left without the run on a slot; null where the node has not told. */
  roomOf({ node }: SlotView, withoutSlot: number | null = null): Room {
    const tenants = this.tenantsOf(node.nodeId).filter(({ slot }) => slot !== withoutSlot);
    const left = (all: number | null, of: 'memoryBytes' | 'diskBytes'): number | null =>
      all === null ? null : all - tenants.reduce((sum, tenant) => sum + tenant[of], 0);
    return {
      memoryBytes: left(node.memoryBytes, 'memoryBytes'),
      diskBytes: left(node.diskFreeBytes, 'diskBytes'),
    };
  }

  hasRoom(
    { ask: { demand } }: Pick<Kind, 'ask'>,
    view: SlotView,
    withoutSlot: number | null = null,
  ): boolean {
    const { memoryBytes, diskBytes } = this.roomOf(view, withoutSlot);
    return (
      (memoryBytes === null || demand.memoryBytes <= memoryBytes) &&
      (diskBytes === null || demand.diskBytes <= diskBytes)
    );
  }

  /** Nodes that are no choice for now: they failed the run, and another node could take it. */
  avoidedBy(kind: Kind): ReadonlySet<string> {
    const { failedOn } = kind.ask;
    if (failedOn.length === 0) return new Set();
    const other = this.serving.some(
      (view) =>
        !failedOn.includes(view.node.nodeId) &&
        exclusionClause.holds(kind.ask, view.node, view.slot) &&
        this.queue.fleet.fit(kind, view) !== null &&
        (view.node.diskFreeBytes === null || view.node.diskFreeBytes >= kind.ask.demand.diskBytes),
    );
    return new Set(other ? failedOn : []);
  }

  /** The budget that a run on so many devices would overspend; null where it may go on. */
  overspent({ requester, suite }: Payers, demand: Demand, devices: number): Budget | null {
    const { unit, seconds } = chargeOf(demand, devices);
    for (const account of [requester, suite]) {
      const budget = this.#budgets.get(`${account} ${unit}`);
      if (budget === undefined) continue;
      const left = budget.limitSeconds - budget.spentSeconds - budget.reservedSeconds;
      // A run of unknown length needs something to be left.
      if (left <= 0 || seconds > left) return budget;
    }
    return null;
  }

  /** Whether a job that waits for its budget may come back; counts it as paid for, so that no more come than there is room for. */
  takesBack(payers: Payers, demand: Demand): boolean {
    const charge = firstCharge(demand);
    if (this.overspent(payers, demand, charge.devices) !== null) return false;
    this.#reserve(payers, charge);
    return true;
  }

  #reserve({ requester, suite }: Payers, { unit, seconds }: Charge): void {
    for (const account of [requester, suite]) {
      const budget = this.#budgets.get(`${account} ${unit}`);
      if (budget) budget.reservedSeconds += seconds;
    }
  }

  /** The clauses of this moment, for one run on one slot, in words. */
  results(
    entry: Entry,
    lane: Payers & Pick<Lane, 'kind'>,
    view: SlotView,
    avoided: ReadonlySet<string>,
  ): { clause: Clause; passes: boolean; reason: string }[] {
    const { demand } = entry.job;
    const isAvoided = avoided.has(view.node.nodeId);
    const fit = this.queue.fleet.fit(lane.kind, view);
    const budget = fit === null ? null : this.overspent(lane, demand, fit.devices.length);
    const room = this.roomOf(view);
    const roomy = this.hasRoom(lane.kind, view);
    const holder = this.queue.held.get(view.key) ?? this.#placed.get(view.key);
    const silent = silentSeconds(view, this.now);
    const kept = this.reservations.get(view.node.nodeId);
    const keeps = kept !== undefined && !this.permits(entry, view);
    return [
      {
        clause: 'elsewhere',
        passes: !isAvoided,
        reason: isAvoided
          ? 'failed this run before; another node is tried first'
          : 'has not failed this run, or is the only one',
      },
      {
        clause: 'budget',
        passes: budget === null,
        reason:
          budget === null
            ? 'no budget is overspent'
            : tellBudget(budget, chargeOf(demand, fit!.devices.length)),
      },
      { clause: 'room', passes: roomy, reason: tellRoom(room, demand, roomy) },
      {
        clause: 'answers',
        passes: silent === 0,
        reason:
          silent === 0
            ? 'its worker answers, as far as is known'
            : `its worker did not begin the last run that it was given; asked again in ${displayDuration(silent)}`,
      },
      {
        clause: 'free',
        passes: holder === undefined,
        reason:
          holder === undefined
            ? 'free'
            : `${holder.run.holder ? 'busy with' : 'about to be given to'} run ${holder.run.runId}${(holder.run.tenure?.leaving ?? null) === null ? '' : ', which is leaving it'}`,
      },
      {
        clause: 'reservation',
        passes: !keeps,
        reason: keeps
          ? `room is kept for run ${kept.runId}, ${kept.isPromise ? 'to which a slot is promised' : 'which is too large for what is left'} and expected to start in ${displayDuration((kept.at - this.now.getTime()) / 1_000)}`
          : 'not kept for another run',
      },
    ];
  }

  /** Whether a run may start on a slot beside the room that is kept on its node. */
  permits(entry: Entry, view: SlotView): boolean {
    const reservation = this.reservations.get(view.node.nodeId);
    if (reservation === undefined || reservation.runId === entry.run.runId) return true;
    if (!this.queue.policy.backfill) return false;
    return respects(reservation, entry.job.demand, view, this.tenantsOf(view.node.nodeId), this.now);
  }
}

/** The later promise of a slot holds: the earlier one was not kept in its time. Ids break ties. */
const byPromise = ({ run: a }: Entry, { run: b }: Entry): number =>
  b.promise!.until.getTime() - a.promise!.until.getTime() || (a.runId < b.runId ? -1 : 1);

/** How long the slot is asked for nothing yet, because its worker did not answer; 0 where it may be asked. */
const silentSeconds = ({ slot: { silentUntil } }: SlotView, now: Date): number =>
  silentUntil ? Math.max(0, (silentUntil.getTime() - now.getTime()) / 1_000) : 0;

export const tellBudget = (budget: Budget, charge: Charge): string => {
  const hours = (seconds: number): string => (seconds / 3_600).toFixed(2);
  const { account, unit, limitSeconds, spentSeconds, reservedSeconds } = budget;
  return `the budget of ${nameOf(account)} has ${hours(limitSeconds)} ${unit.toUpperCase()}-hours, of which ${hours(spentSeconds)} are spent and ${hours(reservedSeconds)} promised; this run takes ${hours(charge.seconds)}`;
};

const nameOf = (account: Account): string => account.replace(':', ' ');

function tellRoom({ memoryBytes, diskBytes }: Room, demand: Demand, passes: boolean): string {
  const lacks: string[] = [];
  if (memoryBytes !== null && demand.memoryBytes > memoryBytes) {
    lacks.push(
      `${displayBytes(demand.memoryBytes)} of memory wanted, ${displayBytes(Math.max(0, memoryBytes))} left beside other runs`,
    );
  }
  if (diskBytes !== null && demand.diskBytes > diskBytes) {
    lacks.push(
      `${displayBytes(demand.diskBytes)} of disk wanted, ${displayBytes(Math.max(0, diskBytes))} left beside other runs`,
    );
  }
  return passes ? 'memory and disk are left for it' : lacks.join('; ');
}
