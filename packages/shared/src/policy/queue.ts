// The world in the form in which it is decided upon, kept up change by change, so that a tick costs what has changed and what
// is free, not what waits:
//
//   kind   runs that ask the same of a slot: one answer for all of them
//    └─ lane   of one kind, those of equal standing points, length and account: the oldest is always first
//
// A queue made change by change equals one made of the whole world (decide.property.test.ts). It has no clock.
import { type Ask, exclusionClause, fitOf } from './clauses.ts';
import { keepsSeat, kindKey, laneKey } from './keys.ts';
import { Ordered } from './ordered.ts';
import { type StandingPoints, standingPoints } from './priority.ts';
import type {
  Account,
  Budget,
  SchedulingPolicy,
  World,
  WorldJob,
  WorldNode,
  WorldRun,
  WorldSlot,
} from './world.ts';

/** A run with its job. */
export interface Entry {
  job: WorldJob;
  run: WorldRun;
}

export interface Lane {
  kind: Kind;
  points: StandingPoints;
  requester: Account;
  suite: Account;
  /** Oldest first. */
  entries: Ordered<Entry>;
}

export interface Kind {
  key: string;
  ask: Ask;
  lanes: Map<string, Lane>;
  /** How a slot of a shape serves it; null: never. */
  fits: Map<string, ReturnType<typeof fitOf>>;
  /** Whether no registered node will ever take it, and by which `shapesVersion`. */
  hopeless: { version: number; answer: boolean };
}

/** A slot with what is asked of it often. */
export interface SlotView {
  key: string;
  node: WorldNode;
  slot: WorldSlot;
  /** Equal for slots that answer every lasting clause alike. */
  shape: string;
  deviceMemoryBytes: number;
}

export interface NodeView {
  node: WorldNode;
  slots: SlotView[];
  datasets: ReadonlySet<string>;
}

/** States of a job whose runs may be placed. */
export const runningStates: readonly string[] = ['needs-retrain', 'retraining'];

export const slotKey = (nodeId: string, slot: number): string => `${nodeId}/${slot}`;
export const requesterOf = ({ requestedBy }: WorldJob): Account => `requester:${requestedBy}`;
export const suiteOf = ({ suite }: WorldJob): Account => `suite:${suite}`;

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Oldest job first, its seeds in order; ids break ties so that two schedulers would decide alike. */
export const byAge = (a: Entry, b: Entry): number =>
  a.job.requestedAt.getTime() - b.job.requestedAt.getTime() ||
  compareText(a.job.jobId, b.job.jobId) ||
  a.run.seedIndex - b.run.seedIndex ||
  compareText(a.run.runId, b.run.runId);

const jobsByAge = (a: WorldJob, b: WorldJob): number =>
  a.requestedAt.getTime() - b.requestedAt.getTime() || compareText(a.jobId, b.jobId);

export const askOf = ({ job, run }: Entry): Ask => ({
  demand: job.demand,
  class: run.class,
  leastDeviceMemoryBytes: job.leastDeviceMemoryBytes,
  excludedNodes: run.excludedNodes,
  failedOn: run.failedOn,
});

export class Queue {
  readonly policy: SchedulingPolicy;
  readonly nodeSilenceSeconds: number;
  readonly kinds = new Map<string, Kind>();
  readonly nodes = new Map<string, NodeView>();
  /** Slot key to the run that holds it, and by node. */
  readonly held = new Map<string, Entry | { job: undefined; run: WorldRun }>();
  readonly heldByNode = new Map<string, Map<string, WorldRun>>();
  /** Slots held, and runs that hold or wait, by account. */
  readonly heldByAccount = new Map<string, number>();
  readonly activeByAccount = new Map<string, number>();
  /** One slot of each shape that a node has which may serve again some day. */
  readonly shapes = new Map<string, { view: SlotView; count: number }>();
  /** Changes with `shapes`. */
  shapesVersion = 0;
  /** Jobs whose turn it is to get runs: none waits or is leased. */
  readonly idleJobIds = new Set<string>();
  /** Jobs that wait for their budget, oldest first, by suite and requester. */
  readonly budgetWaits = new Map<string, Ordered<WorldJob>>();
  readonly jobs = new Map<string, WorldJob>();
  readonly runs = new Map<string, WorldRun>();
  readonly jobsByState = new Map<string, number>();
  readonly runsByState = new Map<string, number>();
  readonly promised = new Map<string, Entry>(); // Runs that wait, and to which a slot is promised.
  readonly #runsOfJob = new Map<string, Map<string, WorldRun>>();
  /** Where each run waits. */
  readonly #seats = new Map<string, { lane: Lane; entry: Entry }>();
  budgets: readonly Budget[] = [];

  constructor(policy: SchedulingPolicy, nodeSilenceSeconds: number) {
    this.policy = policy;
    this.nodeSilenceSeconds = nodeSilenceSeconds;
  }

  static of(world: World): Queue {
    const queue = new Queue(world.policy, world.nodeSilenceSeconds);
    queue.budgets = world.budgets;
    for (const node of world.nodes) queue.putNode(node);
    for (const job of world.jobs) queue.putJob(job);
    for (const run of world.runs) queue.putRun(run);
    return queue;
  }

  /** Runs of a job, in the order of their seeds. */
  runsOf(jobId: string): WorldRun[] {
    return [...(this.#runsOfJob.get(jobId)?.values() ?? [])].sort(
      (a, b) => a.seedIndex - b.seedIndex || compareText(a.runId, b.runId),
    );
  }

  putJob(job: WorldJob): void {
    this.#changeJob(job.jobId, job);
  }

  dropJob(jobId: string): void {
    this.#changeJob(jobId, undefined);
  }

  putRun(run: WorldRun): void {
    const seat = this.#seats.get(run.runId);
    if (seat && keepsSeat(seat.entry.run, run)) {
      seat.entry.run = run;
      this.runs.set(run.runId, run);
      this.#runsOfJob.get(run.jobId)!.set(run.runId, run);
      return;
    }
    this.dropRun(run.runId);
    this.runs.set(run.runId, run);
    count(this.runsByState, run.state, 1);
    const siblings = this.#runsOfJob.get(run.jobId) ?? new Map<string, WorldRun>();
    this.#runsOfJob.set(run.jobId, siblings.set(run.runId, run));
    this.#enter(run);
    this.#noteIdle(run.jobId);
  }

  dropRun(runId: string): void {
    const run = this.runs.get(runId);
    if (run === undefined) return;
    this.#leave(run);
    this.runs.delete(runId);
    count(this.runsByState, run.state, -1);
    const siblings = this.#runsOfJob.get(run.jobId)!;
    siblings.delete(runId);
    if (siblings.size === 0) this.#runsOfJob.delete(run.jobId);
    this.#noteIdle(run.jobId);
  }

  putNode(node: WorldNode): void {
    this.dropNode(node.nodeId);
    const { machine, tags, memoryBytes, longestRunSeconds } = node;
    const shared = JSON.stringify([machine, tags, memoryBytes, longestRunSeconds]);
    const slots = node.slots.map((slot): SlotView => {
      const deviceMemoryBytes = slot.accelerators.reduce((sum, device) => sum + device.memoryBytes, 0);
      return {
        key: slotKey(node.nodeId, slot.slot),
        node,
        slot,
        shape: `${shared} ${JSON.stringify(slot.accelerators)}`,
        deviceMemoryBytes,
      };
    });
    this.nodes.set(node.nodeId, { node, slots, datasets: new Set(node.datasetDigests) });
    if (node.retired) return;
    for (const view of slots) {
      const known = this.shapes.get(view.shape);
      if (known === undefined) this.shapesVersion++;
      this.shapes.set(view.shape, { view, count: (known?.count ?? 0) + 1 });
    }
  }

  dropNode(nodeId: string): void {
    const view = this.nodes.get(nodeId);
    this.nodes.delete(nodeId);
    if (view === undefined || view.node.retired) return;
    for (const { shape } of view.slots) {
      const known = this.shapes.get(shape)!;
      known.count--;
      if (known.count > 0) continue;
      this.shapes.delete(shape);
      this.shapesVersion++;
    }
  }

  /** How a slot serves a kind by what lasts; null: never. */
  fit(kind: Kind, view: SlotView): ReturnType<typeof fitOf> {
    const known = kind.fits.get(view.shape);
    if (known !== undefined) return known;
    const fit = fitOf(kind.ask, view.node, view.slot);
    kind.fits.set(view.shape, fit);
    return fit;
  }

  /** The lane in which a run waits; undefined where it does not. */
  laneOf(runId: string): Lane | undefined {
    return this.#seats.get(runId)?.lane;
  }

  /** Whether no node that is registered (drained, silent and pending ones too) could take it even idle. */
  isHopeless(kind: Kind): boolean {
    // Exclusions go by the node, not by its shape; they are rare.
    if (kind.ask.excludedNodes.length > 0) {
      return [...this.nodes.values()].every(({ node, slots }) =>
        slots.every(
          (view) =>
            node.retired ||
            !exclusionClause.holds(kind.ask, node, view.slot) ||
            this.fit(kind, view) === null,
        ),
      );
    }
    if (kind.hopeless.version !== this.shapesVersion) {
      const answer = [...this.shapes.values()].every(({ view }) => this.fit(kind, view) === null);
      kind.hopeless = { version: this.shapesVersion, answer };
    }
    return kind.hopeless.answer;
  }

  #changeJob(jobId: string, job: WorldJob | undefined): void {
    const before = this.jobs.get(jobId);
    if (before && job && this.#keepsPlaces(before, job)) return;
    const runs = this.#runsOfJob.get(jobId)?.values() ?? [];
    for (const run of runs) this.#leave(run);
    if (before) {
      count(this.jobsByState, before.state, -1);
      this.#noteBudgetWait(before, false);
    }
    if (job) {
      this.jobs.set(jobId, job);
      count(this.jobsByState, job.state, 1);
      this.#noteBudgetWait(job, true);
    } else {
      this.jobs.delete(jobId);
    }
    for (const run of this.#runsOfJob.get(jobId)?.values() ?? []) this.#enter(run);
    this.#noteIdle(jobId);
  }

  /**
   * Where a change of a job leaves its runs in their kinds, and its accounts as they are: only lanes and what is told of it change. It
   * is so for nearly every change, and takes half the time.
   */
  #keepsPlaces(before: WorldJob, job: WorldJob): boolean {
    if (before.state !== job.state || !isOpen(before) || !isOpen(job)) return false;
    if (before.suite !== job.suite || before.requestedBy !== job.requestedBy) return false;
    if (before.requestedAt.getTime() !== job.requestedAt.getTime()) return false;
    const seats: { lane: Lane; entry: Entry }[] = [];
    for (const run of this.#runsOfJob.get(job.jobId)?.values() ?? []) {
      const seat = this.#seats.get(run.runId);
      if (seat === undefined || kindKey({ job, run }) !== seat.lane.kind.key) return false;
      seats.push(seat);
    }
    this.jobs.set(job.jobId, job);
    for (const seat of seats) {
      const { entry, lane } = seat;
      const next = this.#laneIn(lane.kind, job);
      if (next !== lane) {
        lane.entries.delete(entry);
        if (lane.entries.size === 0) lane.kind.lanes.delete(laneKey(entry.job, lane.points));
        next.entries.add(entry);
        seat.lane = next;
      }
      entry.job = job;
    }
    return true;
  }

  #enter(run: WorldRun): void {
    const job = this.jobs.get(run.jobId);
    if (run.holder !== null) {
      this.held.set(slotKey(run.holder.nodeId, run.holder.slot), { job, run } as Entry);
      const there = this.heldByNode.get(run.holder.nodeId) ?? new Map<string, WorldRun>();
      this.heldByNode.set(run.holder.nodeId, there.set(run.runId, run));
      if (job) this.#countAccounts(this.heldByAccount, job, 1);
    }
    if (!job || !isActive(job, run)) return;
    this.#countAccounts(this.activeByAccount, job, 1);
    if (run.state !== 'waiting') return;
    const entry = { job, run };
    const lane = this.#makeLane(entry);
    lane.entries.add(entry);
    this.#seats.set(run.runId, { lane, entry });
    if (run.promise) this.promised.set(run.runId, entry);
  }

  #leave(run: WorldRun): void {
    const job = this.jobs.get(run.jobId);
    if (run.holder !== null) {
      const key = slotKey(run.holder.nodeId, run.holder.slot);
      // Another run may have been told first, where a slot changed hands between two readings.
      if (this.held.get(key)?.run.runId === run.runId) this.held.delete(key);
      const there = this.heldByNode.get(run.holder.nodeId);
      there?.delete(run.runId);
      if (there?.size === 0) this.heldByNode.delete(run.holder.nodeId);
      if (job) this.#countAccounts(this.heldByAccount, job, -1);
    }
    if (!job || !isActive(job, run)) return;
    this.#countAccounts(this.activeByAccount, job, -1);
    const seat = this.#seats.get(run.runId);
    if (seat === undefined) return;
    const { lane, entry } = seat;
    this.#seats.delete(run.runId);
    this.promised.delete(run.runId);
    lane.entries.delete(entry);
    if (lane.entries.size > 0) return;
    lane.kind.lanes.delete(laneKey(job, lane.points));
    if (lane.kind.lanes.size === 0) this.kinds.delete(lane.kind.key);
  }

  #makeLane(entry: Entry): Lane {
    const { job } = entry;
    const key = kindKey(entry);
    let kind = this.kinds.get(key);
    if (kind === undefined) {
      kind = {
        key,
        ask: askOf(entry),
        lanes: new Map(),
        fits: new Map(),
        hopeless: { version: -1, answer: false },
      };
      this.kinds.set(key, kind);
    }
    return this.#laneIn(kind, job);
  }

  #laneIn(kind: Kind, job: WorldJob): Lane {
    const points = standingPoints(job, this.policy);
    const inKind = laneKey(job, points);
    let lane = kind.lanes.get(inKind);
    if (lane === undefined) {
      const accounts = { requester: requesterOf(job), suite: suiteOf(job) };
      lane = { kind, points, ...accounts, entries: new Ordered(byAge) };
      kind.lanes.set(inKind, lane);
    }
    return lane;
  }

  #countAccounts(map: Map<string, number>, job: WorldJob, by: number): void {
    count(map, requesterOf(job), by);
    count(map, suiteOf(job), by);
  }

  #noteIdle(jobId: string): void {
    const job = this.jobs.get(jobId);
    if (job && runningStates.includes(job.state) && !this.#runsOfJob.has(jobId)) this.idleJobIds.add(jobId);
    else this.idleJobIds.delete(jobId);
  }

  #noteBudgetWait(job: WorldJob, waits: boolean): void {
    if (job.state !== 'budget-wait') return;
    const key = `${job.suite} ${job.requestedBy}`;
    const list = this.budgetWaits.get(key) ?? new Ordered(jobsByAge);
    this.budgetWaits.set(key, list);
    if (waits) list.add(job);
    else list.delete(job);
    if (list.size === 0) this.budgetWaits.delete(key);
  }
}

/** Whether the runs of a job may be placed. */
const isOpen = (job: WorldJob): boolean =>
  runningStates.includes(job.state) && (job.releasePaused ?? null) === null;

const isActive = (job: WorldJob, run: WorldRun): boolean => run.holder !== null || isOpen(job);

function count(map: Map<string, number>, key: string, by: number): void {
  const sum = (map.get(key) ?? 0) + by;
  if (sum === 0) map.delete(key);
  else map.set(key, sum);
}
