// Which waiting run goes to which slot, and which job has to wait for something else, each with its reason. Pure: the
// scheduler applies the actions; the API and the CLI ask explain.ts, which looks at the same moment with the same clauses.
//
//   due         jobs are made by policy (retrain.ts), a release or a person; those that ask for runs are in the queue
//   placeable   kinds that some free slot fits by what lasts (clauses.ts); the others cost nothing
//   ordered     the lanes' first runs by points and fair shares (priority.ts)
//   affordable  else the job waits for its budget, and comes back when there is room
//   placed      a slot that was left for a run is its own; then on the free slot that suits best; what is too large for now
//               gets room kept (reservation.ts)
//   preempted   where the policy says so, what runs leaves for what outranks it and fits nowhere else (preempt.ts)
//
// A run that fits nowhere never blocks the next. The time taken grows with what is free and with the number of kinds, not
// with the number of runs that wait.
import { type Reservation as BilledReservation, reservationOf } from '../cost/reservation.ts';
import type { JobState } from '../job/states.ts';
import { displayDuration } from '../units/duration.ts';
import { exclusionClause, impossibility } from './clauses.ts';
import type { SlotView } from './fleet.ts';
import { Heap } from './heap.ts';
import { chargeOf, Moment, rankOf, tellBudget } from './moment.ts';
import { type Open, openSlots } from './open-slots.ts';
import { payersOf } from './payers.ts';
import { type PreemptAction, preemptions } from './preempt.ts';
import { isOverdue } from './priority.ts';
import { byAge, type Entry, type Kind, type Lane, Queue } from './queue.ts';
import { startOn } from './reservation.ts';
import type { World, WorldJob, WorldSlot } from './world.ts';

export interface PlaceAction {
  kind: 'place';
  runId: string;
  jobId: string;
  nodeId: string;
  slot: number;
  /** The devices of the slot that the run may have (gpu/device: Device), each approved. */
  deviceIds: string[];
  /** What it is billed by, and what is set aside for it until it ends. */
  reservation: BilledReservation;
  reason: string;
}

/** A job that leaves the queue, or comes back to it. */
export interface MoveAction {
  kind: 'move';
  jobId: string;
  to: Extract<JobState, 'budget-wait' | 'needs-retrain' | 'auto-not-for-us'>;
  /** One sentence. */
  reason: string;
}
export type Action = PlaceAction | MoveAction | PreemptAction;

export interface Decision {
  actions: Action[];
}

/** A tick moves no more jobs than this for one reason; the others follow in the next. */
const movesAtOnce = 50;

/** Overdue runs that may have room kept for them at once, beside the first in the order. */
const reservationsAtOnce = 16;

const daySeconds = 86_400;

/** One decision over a whole world. `now` is the only clock. Who decides often keeps a Queue and asks `decideQueue`. */
export const decide = (world: World, now: Date): Decision => decideQueue(Queue.of(world), now);

export const decideQueue = (queue: Queue, now: Date): Decision => ({
  actions: takeMoment(queue, now).actions,
});

/** A decision with the moment that it left: what is given away, and for whom room is kept. */
export function takeMoment(queue: Queue, now: Date): { actions: Action[]; moment: Moment } {
  const moment = new Moment(queue, now);
  const actions: Action[] = [...hopelessJobs(queue, now), ...affordableAgain(queue, moment)];
  const leaving = new Set(actions.map(({ jobId }) => jobId));
  placePromised(moment, leaving, actions);
  placeAll(moment, leaving, actions);
  actions.push(...preemptions(moment, leaving));
  return { actions, moment };
}

/** The first run of a lane that may be placed now. */
interface Head {
  lane: Lane;
  entry: Entry;
  /** The entries after it; null until somebody asks, for most heads are never served. */
  rest: Iterator<Entry> | null;
  points: number;
}

const before = (a: Head, b: Head): boolean =>
  a.points !== b.points ? a.points > b.points : byAge(a.entry, b.entry) < 0;

const isDue = ({ run }: Entry, now: Date): boolean => run.notBefore === null || run.notBefore <= now;

/**
 * Runs to which a slot is promised come before all others: they get it where it is free by now, or another one that came free meanwhile.
 * A slot that is free and not for them is open to all.
 */
function placePromised(moment: Moment, leaving: ReadonlySet<string>, actions: Action[]): void {
  for (const [key, entry] of [...moment.promised].sort(([a], [b]) => compare(a, b))) {
    const lane = moment.queue.laneOf(entry.run.runId)!;
    if (isDue(entry, moment.now) && !leaving.has(entry.job.jobId)) {
      const open = openSlots(moment, lane.kind, moment.avoidedBy(lane.kind)).filter(
        ({ view, fit }) =>
          moment.permits(entry, view) &&
          moment.overspent(lane, entry.job.demand, fit.devices.length) === null,
      );
      const best = open.find(({ view }) => view.key === key) ?? mostSuitable(moment.queue, open, entry);
      if (best !== null) {
        moment.place(entry, lane, best.view, best.fit.devices.length);
        actions.push(placeAction(entry, best));
      }
    }
    if (moment.wasGiven(entry.run.runId) || moment.free.has(key)) moment.breakPromise(key);
  }
}

function placeAll(moment: Moment, leaving: Set<string>, actions: Action[]): void {
  const { queue, now } = moment;
  const mayStart = ({ job, run }: Entry): boolean =>
    isDue({ job, run }, now) && !leaving.has(job.jobId) && !moment.wasGiven(run.runId);
  const nextOf = (rest: Iterator<Entry>): Entry | null => {
    for (let step = rest.next(); !step.done; step = rest.next()) if (mayStart(step.value)) return step.value;
    return null;
  };
  const headOf = (lane: Lane): Head | null => {
    let entry = lane.entries.first() ?? null;
    let rest: Head['rest'] = null;
    if (entry !== null && !mayStart(entry)) {
      rest = lane.entries[Symbol.iterator]();
      entry = nextOf(rest);
    }
    return entry && { lane, entry, rest, points: rankOf(moment, lane, entry) };
  };
  const restOf = ({ lane, entry, rest }: Head): Iterator<Entry> => rest ?? lane.entries.after(entry);
  const heads: Head[] = [];
  for (const kind of queue.kinds.values()) {
    if (!fitsSome(queue, kind, moment.free.values())) continue;
    for (const lane of kind.lanes.values()) {
      const head = headOf(lane);
      if (head !== null) heads.push(head);
    }
  }
  const heap = new Heap(heads, before);
  const spent = new Set<Kind>();
  const avoided = new Map<Kind, ReadonlySet<string>>();
  for (let head = heap.first(); head !== undefined && moment.free.size > 0; head = heap.first()) {
    const { lane, entry } = head;
    const { kind } = lane;
    if (spent.has(kind)) {
      heap.pop();
      continue;
    }
    // An account that was given slots meanwhile stands further back.
    const points = rankOf(moment, lane, entry);
    if (points < head.points) {
      heap.replaceFirst({ ...head, points });
      continue;
    }
    if (!avoided.has(kind)) avoided.set(kind, moment.avoidedBy(kind));
    const open = openSlots(moment, kind, avoided.get(kind)!);
    if (open.length === 0) {
      spent.add(kind);
      reserve(moment, lane, entry, avoided.get(kind)!);
      continue;
    }
    const { demand } = entry.job;
    const overspent = ({ fit }: Open) => moment.overspent(lane, demand, fit.devices.length);
    const affordable = open.filter((one) => overspent(one) === null);
    if (affordable.length === 0) {
      heap.pop();
      // Another alternative, on slots that are busy now, may be in reach of another budget.
      const wishes = new Set(demand.accelerators.map(({ kind }) => kind === 'none'));
      // A check of a node holds up no job: it waits beside it.
      if (wishes.size > 1 || kind.ask.isCheck) continue;
      const budget = overspent(open[0]!)!;
      const reason = `Waits for ${budget.unit.toUpperCase()}-hours: ${tellBudget(budget, chargeOf(demand, open[0]!.fit.devices.length))}.`;
      const rest = restOf(head);
      for (
        let next: Entry | null = entry, i = 0;
        next !== null && i < movesAtOnce;
        next = nextOf(rest), i++
      ) {
        actions.push({ kind: 'move', jobId: next.job.jobId, to: 'budget-wait', reason });
        leaving.add(next.job.jobId);
      }
      continue;
    }
    const permitted = affordable.filter(({ view }) => moment.permits(entry, view));
    const best = mostSuitable(queue, permitted, entry);
    if (best === null) {
      // Others of the kind may be short enough to pass.
      heap.pop();
      continue;
    }
    moment.place(entry, lane, best.view, best.fit.devices.length);
    actions.push(placeAction(entry, best));
    const rest = restOf(head);
    const next = nextOf(rest);
    if (next === null) heap.pop();
    else heap.replaceFirst({ lane, entry: next, rest, points: rankOf(moment, lane, next) });
  }
}

function fitsSome(queue: Queue, kind: Kind, views: Iterable<SlotView>): boolean {
  for (const view of views) if (queue.fleet.fit(kind, view) !== null) return true;
  return false;
}

/**
 * The better alternative first; then, for work without a device, the slot with the fewest, so that it leaves GPUs alone;
 * then a node that has the data; then the smallest device that does.
 */
function mostSuitable(queue: Queue, open: readonly Open[], { job }: Entry): Open | null {
  const dataOf = (view: SlotView): number => {
    if (job.datasetDigests.length === 0) return 0;
    const { datasets } = queue.fleet.nodes.get(view.node.nodeId)!;
    return job.datasetDigests.filter((digest) => datasets.has(digest)).length;
  };
  const idle = ({ view, fit }: Open): number =>
    fit.devices.length === 0 ? view.slot.accelerators.length : 0;
  let best: Open | null = null;
  for (const one of open) {
    const less =
      best === null
        ? -1
        : one.fit.alternative - best.fit.alternative ||
          idle(one) - idle(best) ||
          dataOf(best.view) - dataOf(one.view) ||
          one.view.deviceMemoryBytes - best.view.deviceMemoryBytes ||
          compare(one.view.node.nodeId, best.view.node.nodeId) ||
          one.view.slot.slot - best.view.slot.slot;
    if (less < 0) best = one;
  }
  return best;
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** A run that was out of device memory is not given the smaller devices of its slot again. */
function deviceIdsFor({ leastDeviceMemoryBytes }: WorldJob, { accelerators }: WorldSlot): string[] {
  const large = accelerators.filter(({ memoryBytes }) => memoryBytes >= leastDeviceMemoryBytes);
  return [...new Set(large.flatMap(({ device }) => (device === undefined ? [] : [device.deviceId])))];
}

function placeAction({ run, job }: Entry, { view: { node, slot }, fit }: Open): PlaceAction {
  const has = job.datasetDigests.some((digest) => node.datasetDigests.includes(digest));
  const device = fit.devices.map(({ name }) => name).join(', ') || 'CPU';
  return {
    kind: 'place',
    runId: run.runId,
    jobId: job.jobId,
    nodeId: node.nodeId,
    slot: slot.slot,
    deviceIds: deviceIdsFor(job, slot),
    reservation: reservationOf(job.demand, fit.devices),
    reason: `${node.name} slot ${slot.slot} is free and fits: ${device}${has ? ', has the data' : ''}`,
  };
}

/** Keeps room for a run that fits a node but not what is left on it now, where it is the first such run or overdue. */
function reserve(moment: Moment, lane: Lane, entry: Entry, avoided: ReadonlySet<string>): void {
  const { reservations, queue, now } = moment;
  const { demand } = entry.job;
  if (demand.memoryBytes === 0 && demand.diskBytes === 0) return;
  const overdue = isOverdue(entry.job.requestedAt, now, queue.policy);
  const kept = [...reservations.values()].filter(({ isPromise }) => !isPromise).length;
  if (kept >= (overdue ? reservationsAtOnce : 1)) return;
  const suits = (view: SlotView): boolean =>
    queue.fleet.fit(lane.kind, view) !== null &&
    !avoided.has(view.node.nodeId) &&
    exclusionClause.holds(lane.kind.ask, view.node, view.slot);
  // Where every slot that suits is held, nobody can take what it waits for.
  if (![...moment.free.values()].some(suits)) return;
  let best: { view: SlotView; at: number } | null = null;
  for (const view of moment.serving) {
    if (reservations.has(view.node.nodeId) || !suits(view)) continue;
    const at = startOn(demand, view, moment.tenantsOf(view.node.nodeId), now, overdue);
    if (at === null) continue;
    if (best === null || at < best.at || (at === best.at && view.key < best.view.key)) best = { view, at };
  }
  if (best === null) return;
  const { runId } = entry.run;
  reservations.set(best.view.node.nodeId, {
    runId,
    jobId: entry.job.jobId,
    slotKey: best.view.key,
    at: best.at,
    demand,
    overdue,
  });
}

/** Jobs that no machine could serve, and those for which no node of this farm came in the time that policy gives. */
function hopelessJobs(queue: Queue, now: Date): MoveAction[] {
  const { hopelessDays } = queue.policy;
  const moves = new Map<string, MoveAction>();
  for (const kind of queue.kinds.values()) {
    if (kind.ask.isCheck) continue;
    const impossible = impossibility(kind.ask.demand);
    if (impossible === null && (hopelessDays === 0 || !queue.fleet.isHopeless(kind))) continue;
    const isOver = ({ job }: Entry): boolean =>
      impossible !== null || now.getTime() - job.requestedAt.getTime() >= hopelessDays * daySeconds * 1_000;
    for (const lane of kind.lanes.values()) {
      if (!isOver(lane.entries.first()!)) continue;
      for (const entry of lane.entries) {
        if (!isOver(entry)) break;
        const { job } = entry;
        const waited = (now.getTime() - job.requestedAt.getTime()) / 1_000;
        const reason = impossible
          ? `No farm can serve it: ${impossible}.`
          : `No node that fits, and that may have it, was registered in ${displayDuration(waited)}; ask retrain explain what it lacks.`;
        moves.set(job.jobId, { kind: 'move', jobId: job.jobId, to: 'auto-not-for-us', reason });
      }
    }
  }
  return [...moves.values()].sort((a, b) => compare(a.jobId, b.jobId)).slice(0, movesAtOnce);
}

/** Jobs that waited for their budget and may go on, the oldest first, as many as it has room for. */
function affordableAgain(queue: Queue, moment: Moment): MoveAction[] {
  const moves: MoveAction[] = [];
  // In the order of their names: a suite's budget may be shared by several.
  for (const key of [...queue.budgetWaits.keys()].sort()) {
    let count = 0;
    for (const job of queue.budgetWaits.get(key)!) {
      const accounts = payersOf(job, false);
      if (count++ >= movesAtOnce || !moment.takesBack(accounts, job.demand)) break;
      const reason = 'Its budget has room again.';
      moves.push({ kind: 'move', jobId: job.jobId, to: 'needs-retrain', reason });
    }
  }
  return moves.sort((a, b) => compare(a.jobId, b.jobId));
}
