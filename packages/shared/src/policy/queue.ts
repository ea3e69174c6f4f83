// The world in the form in which it is decided upon, kept up change by change, so that a tick costs what has changed and what
// is free, not what waits:
//
//   kind   runs that ask the same of a slot: one answer for all of them
//    └─ lane   of one kind, those of equal standing points, length and account: the oldest is always first
//
// A queue made change by change equals one made of the whole world (decide.property.test.ts). It has no clock.
import type { Ask } from './clauses.ts';
import { type Asked, Fleet, slotKey, unanswered } from './fleet.ts';
import { keepsSeat, kindKey, laneKey } from './keys.ts';
import { Ordered } from './ordered.ts';
import { isActive, isCheck, isOpen, payersOf, runningStates } from './payers.ts';
import { type StandingPoints, standingPoints } from './priority.ts';
import {
  type Account,
  type Budget,
  type MovingJob,
  type SchedulingPolicy,
  type World,
  type WorldJob,
  type WorldRun,
  worldJob,
} from './world.ts';

/** A run with its job. */
export interface Entry {
  job: WorldJob;
  run: WorldRun;
}

/** A run that holds a slot; its job is not told of where it asks nothing any more. */
export interface Held {
  job: WorldJob | undefined;
  run: WorldRun;
}

/** What is known of a job: one look finds it with its runs, for a change of either is the same few objects' business. */
interface JobRecord {
  job: WorldJob | undefined;
  runs: RunRecord[];
}
interface RunRecord extends Held {
  of: JobRecord;
  /** Where it waits; null where it does not. */
  lane: Lane | null;
}

export interface Lane {
  key: string;
  kind: Kind;
  points: StandingPoints;
  requester: Account;
  suite: Account;
  /** Oldest first. */
  entries: Ordered<Entry>;
}

export interface Kind extends Asked {
  key: string;
  lanes: Map<string, Lane>;
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Oldest job first, its seeds in order; ids break ties so that two schedulers would decide alike. */
export const byAge = (a: Entry, b: Entry): number =>
  a.job.requestedAt.getTime() - b.job.requestedAt.getTime() ||
  compareText(a.job.jobId, b.job.jobId) ||
  a.run.seedIndex - b.run.seedIndex ||
  compareText(a.run.runId, b.run.runId);

const jobAgeOf = ({ requestedAt }: WorldJob): number => requestedAt.getTime();
const ageOf = ({ job }: Entry): number => jobAgeOf(job);

const jobsByAge = (a: WorldJob, b: WorldJob): number =>
  a.requestedAt.getTime() - b.requestedAt.getTime() || compareText(a.jobId, b.jobId);

export const askOf = ({ job, run }: Entry): Ask => ({
  demand: job.demand,
  class: run.class,
  leastDeviceMemoryBytes: job.leastDeviceMemoryBytes,
  excludedNodes: run.excludedNodes,
  failedOn: run.failedOn,
  isCheck: isCheck(run),
});

export class Queue {
  readonly policy: SchedulingPolicy;
  readonly nodeSilenceSeconds: number;
  readonly kinds = new Map<string, Kind>();
  readonly fleet = new Fleet();
  /** Slot key to the run that holds it, and by node. */
  readonly held = new Map<string, Held>();
  readonly heldByNode = new Map<string, Set<Held>>();
  /** Slots held, and runs that hold or wait, by account. */
  readonly heldByAccount = new Map<string, number>();
  readonly activeByAccount = new Map<string, number>();
  /** Jobs whose turn it is to get runs: none waits or is leased. */
  readonly idleJobIds = new Set<string>();
  /** Jobs that wait for their budget, oldest first, by suite and requester. */
  readonly budgetWaits = new Map<string, Ordered<WorldJob>>();
  readonly jobsByState = new Map<string, number>();
  readonly runsByState = new Map<string, number>();
  /** Runs that wait, and to which a slot is promised. */
  readonly promised = new Map<string, Entry>();
  readonly #jobs = new Map<string, JobRecord>();
  readonly #runs = new Map<string, RunRecord>();
  budgets: readonly Budget[] = [];

  constructor(policy: SchedulingPolicy, nodeSilenceSeconds: number) {
    this.policy = policy;
    this.nodeSilenceSeconds = nodeSilenceSeconds;
  }

  static of(world: World): Queue {
    const queue = new Queue(world.policy, world.nodeSilenceSeconds);
    queue.budgets = world.budgets;
    for (const node of world.nodes) queue.fleet.putNode(node);
    for (const job of world.jobs) queue.putJob(job);
    for (const run of world.runs) queue.putRun(run);
    return queue;
  }

  jobOf(jobId: string): WorldJob | undefined {
    return this.#jobs.get(jobId)?.job;
  }

  /** Runs of a job, in the order of their seeds. */
  runsOf(jobId: string): WorldRun[] {
    const runs = this.#jobs.get(jobId)?.runs.map(({ run }) => run) ?? [];
    return runs.sort((a, b) => a.seedIndex - b.seedIndex || compareText(a.runId, b.runId));
  }

  putJob(job: WorldJob): void {
    const record = this.#recordOf(job.jobId);
    const before = record.job;
    if (before && keepsKinds(before, job)) {
      this.#changeLanes(record, job);
    } else {
      this.#changeJob(record, job);
      this.#noteIdle(job.jobId, record);
    }
  }

  /** What moves of a job that is known: the one that was put is changed. False where it is not: then something was not told. */
  moveJob(moving: MovingJob): boolean {
    const record = this.#jobs.get(moving.jobId);
    if (record?.job === undefined) return false;
    if (keepsPlaces(record.job, moving)) {
      // In place: a new object for each of thousands is what the garbage collector would stop a tick for.
      record.job.reason = moving.reason;
      record.job.priority = moving.priority;
      this.#changeLanes(record, record.job);
    } else {
      this.putJob(worldJob(record.job, moving));
    }
    return true;
  }

  dropJob(jobId: string): void {
    const record = this.#jobs.get(jobId);
    if (record === undefined) return;
    this.#changeJob(record, undefined);
    this.#forgetEmpty(jobId, record);
    this.#noteIdle(jobId, record);
  }

  /** A run that was put before and keeps its place is changed where it is. */
  putRun(run: WorldRun): void {
    const known = this.#runs.get(run.runId);
    if (known && known.lane !== null && keepsSeat(known.run, run)) {
      known.run.notBefore = run.notBefore;
      return;
    }
    this.dropRun(run.runId);
    const of = this.#recordOf(run.jobId);
    const record: RunRecord = { job: of.job, run, of, lane: null };
    of.runs.push(record);
    this.#runs.set(run.runId, record);
    count(this.runsByState, run.state, 1);
    this.#enter(record);
    this.#noteIdle(run.jobId, of);
  }

  dropRun(runId: string): void {
    const record = this.#runs.get(runId);
    if (record === undefined) return;
    const { run, of } = record;
    this.#leave(record);
    this.#runs.delete(runId);
    count(this.runsByState, run.state, -1);
    of.runs.splice(of.runs.indexOf(record), 1);
    this.#forgetEmpty(run.jobId, of);
    this.#noteIdle(run.jobId, of);
  }

  /** The lane in which a run waits; undefined where it does not. */
  laneOf(runId: string): Lane | undefined {
    return this.#runs.get(runId)?.lane ?? undefined;
  }

  #recordOf(jobId: string): JobRecord {
    let record = this.#jobs.get(jobId);
    if (record === undefined) {
      record = { job: undefined, runs: [] };
      this.#jobs.set(jobId, record);
    }
    return record;
  }

  #forgetEmpty(jobId: string, { job, runs }: JobRecord): void {
    if (job === undefined && runs.length === 0) this.#jobs.delete(jobId);
  }

  #changeJob(record: JobRecord, job: WorldJob | undefined): void {
    const before = record.job;
    for (const run of record.runs) this.#leave(run);
    if (before) {
      count(this.jobsByState, before.state, -1);
      this.#noteBudgetWait(before, false);
    }
    record.job = job;
    for (const run of record.runs) run.job = job;
    if (job) {
      count(this.jobsByState, job.state, 1);
      this.#noteBudgetWait(job, true);
    }
    for (const run of record.runs) this.#enter(run);
  }

  /** A change that leaves the runs in their kinds, and their accounts as they are. It is so for nearly every change, and cheap. */
  #changeLanes(record: JobRecord, job: WorldJob): void {
    record.job = job;
    const { weight } = standingPoints(job, this.policy);
    for (const run of record.runs) {
      run.job = job;
      const { lane } = run;
      if (lane === null || lane.points.weight === weight) continue;
      this.#leaveLane(run, lane);
      this.#enterLane(run, this.#laneIn(lane.kind, job));
    }
  }

  #enter(record: RunRecord): void {
    const { job, run } = record;
    if (run.holder !== null) {
      this.held.set(slotKey(run.holder.nodeId, run.holder.slot), record);
      const there = this.heldByNode.get(run.holder.nodeId) ?? new Set<Held>();
      this.heldByNode.set(run.holder.nodeId, there.add(record));
      if (job) this.#countAccounts(this.heldByAccount, job, run, 1);
    }
    if (!job || !isActive(job, run)) return;
    this.#countAccounts(this.activeByAccount, job, run, 1);
    if (run.state === 'waiting') this.#enterLane(record, this.#laneIn(this.#kindOf({ job, run }), job));
  }

  #leave(record: RunRecord): void {
    const { job, run, lane } = record;
    if (run.holder !== null) {
      const key = slotKey(run.holder.nodeId, run.holder.slot);
      // Another run may have been told first, where a slot changed hands between two readings.
      if (this.held.get(key) === record) this.held.delete(key);
      const there = this.heldByNode.get(run.holder.nodeId);
      there?.delete(record);
      if (there?.size === 0) this.heldByNode.delete(run.holder.nodeId);
      if (job) this.#countAccounts(this.heldByAccount, job, run, -1);
    }
    if (!job || !isActive(job, run)) return;
    this.#countAccounts(this.activeByAccount, job, run, -1);
    if (lane !== null) this.#leaveLane(record, lane);
  }

  #enterLane(record: RunRecord, lane: Lane): void {
    record.lane = lane;
    if (lane.entries.size === 0) {
      lane.kind.lanes.set(lane.key, lane);
      this.kinds.set(lane.kind.key, lane.kind);
    }
    lane.entries.add(record as Entry);
    if (record.run.promise) this.promised.set(record.run.runId, record as Entry);
  }

  #leaveLane(record: RunRecord, lane: Lane): void {
    record.lane = null;
    lane.entries.delete(record as Entry);
    this.promised.delete(record.run.runId);
    if (lane.entries.size > 0) return;
    lane.kind.lanes.delete(lane.key);
    if (lane.kind.lanes.size === 0) this.kinds.delete(lane.kind.key);
  }

  /** The kind of a run: the one that is there, or a new one without lanes. */
  #kindOf(entry: Entry): Kind {
    const key = kindKey(entry);
    return this.kinds.get(key) ?? { key, lanes: new Map(), ...unanswered(askOf(entry)) };
  }

  /** The lane of a job in a kind: the one that is there, or a new one without entries. */
  #laneIn(kind: Kind, job: WorldJob): Lane {
    const points = standingPoints(job, this.policy);
    const key = laneKey(job, points);
    const lane = kind.lanes.get(key);
    if (lane !== undefined) return lane;
    const accounts = payersOf(job, kind.ask.isCheck);
    const entries = new Ordered(ageOf, byAge);
    return { key, kind, points, ...accounts, entries };
  }

  #countAccounts(map: Map<string, number>, job: WorldJob, run: WorldRun, by: number): void {
    const { requester, suite } = payersOf(job, isCheck(run));
    count(map, requester, by);
    count(map, suite, by);
  }

  #noteIdle(jobId: string, { job, runs }: JobRecord): void {
    const isIdle = job && runningStates.includes(job.state) && runs.every(({ run }) => isCheck(run));
    if (isIdle) this.idleJobIds.add(jobId);
    else this.idleJobIds.delete(jobId);
  }

  #noteBudgetWait(job: WorldJob, waits: boolean): void {
    if (job.state !== 'budget-wait') return;
    const key = `${job.suite} ${job.requestedBy}`;
    const list = this.budgetWaits.get(key) ?? new Ordered(jobAgeOf, jobsByAge);
    this.budgetWaits.set(key, list);
    if (waits) list.add(job);
    else list.delete(job);
    if (list.size === 0) this.budgetWaits.delete(key);
  }
}

/** Whether a change of a job leaves its runs in their kinds. */
const keepsPlaces = (before: WorldJob, job: MovingJob): boolean =>
  before.state === job.state &&
  isOpen(before) &&
  isOpen(job) &&
  before.leastDeviceMemoryBytes === job.leastDeviceMemoryBytes;

/** The same of a job that is told whole, and whether its accounts and its age are as they were. */
const keepsKinds = (before: WorldJob, job: WorldJob): boolean =>
  keepsPlaces(before, job) &&
  before.demand === job.demand &&
  before.suite === job.suite &&
  before.requestedBy === job.requestedBy &&
  before.requestedAt.getTime() === job.requestedAt.getTime();

function count(map: Map<string, number>, key: string, by: number): void {
  const sum = (map.get(key) ?? 0) + by;
  if (sum === 0) map.delete(key);
  else map.set(key, sum);
}
