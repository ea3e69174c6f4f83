// A farm on a virtual clock: the real decision (policy/decide), the real rules of leases, runs and jobs (truth.ts, job/), and
// workers, nodes, queue and network that are played, with their faults. The same input tells the same story.
//
//   arrivals ──► truth ◄──── report, heartbeat ──── workers ◄── rings ─┐
//                  │  world                            ▲               │
//                  └────────► decide ──► lease ────────│───────────────┘
//                                             faults ──┘

import { decideQueue } from '../policy/decide.ts';
import { Queue } from '../policy/queue.ts';
import { supersededBy } from '../policy/retrain.ts';
import { nodeSilenceSeconds } from '../policy/world.ts';
import { ProbeStream } from '../verdict/probe-stream.ts';
import type { Ring } from '../wire/doorbell.ts';
import { attend } from './attend.ts';
import { Chronicle } from './chronicle.ts';
import { EventQueue } from './event-queue.ts';
import { FaultPlay } from './fault-play.ts';
import { Fleet } from './fleet-play.ts';
import { Purse, type SimulatedBudget } from './purse.ts';
import { type Report, reportOf } from './report.ts';
import type { JobRow, RunRow } from './rows.ts';
import { beganAt, type SimulationInput } from './settings.ts';
import { Truth } from './truth.ts';
import type { SimulatedJob } from './workload.ts';

/** Rings that no worker answered are repeated after this share of the lease (apps/scheduler/src/dispatch). */
const ringAgainShare = 0.25;
/** What a ring needs to reach a worker that listens. */
const longestRingMilliseconds = 800;
/** A farm in which jobs have not ended so long after the last was asked for never ends them. */
const patienceDays = 120;
const day = 86_400_000;
const hour = 3_600_000;

export class Simulation {
  readonly #input: SimulationInput;
  readonly #queue = new EventQueue();
  readonly #truth: Truth;
  readonly #memory: Queue;
  readonly #chronicle: Chronicle;
  readonly #fleet: Fleet;
  readonly #specs = new Map<JobRow, SimulatedJob>();
  readonly #open = new Map<string, JobRow>();
  readonly #openBySource = new Map<string, JobRow[]>();
  readonly #attention = new Set<JobRow>();
  readonly #rings: ProbeStream;
  #arrived = 0;
  #decidedAt = Number.NEGATIVE_INFINITY;
  #decisionAt = Number.POSITIVE_INFINITY;
  /** No tick before this time: nobody leads. */
  #ledFrom = 0;
  /** Nothing is reaped before this time: workers make up for heartbeats that were missed while nobody led. */
  #reapsFrom = 0;

  constructor(input: SimulationInput) {
    this.#input = input;
    this.#rings = new ProbeStream(input.seed, 'rings');
    this.#memory = new Queue(input.policy, nodeSilenceSeconds);
    const now = () => this.#queue.now;
    this.#chronicle = new Chronicle(now, input.onTrace ?? null, {
      jobEnded: (job) => this.#jobEnded(job),
      changed: (job) => this.#attentionTo(job),
      cancelAsked: (run) => this.#tell(run),
      leaveAsked: (run) => this.#tell(run),
      nodeDrained: (nodeId) => this.#fleet.mendLater(nodeId),
      waits: (run) => this.#decideBy(run.waitsFrom!),
      slotSilent: (until) => this.#decideBy(until),
    });
    this.#truth = new Truth({
      now,
      toDate: (milliseconds) => new Date(beganAt + milliseconds),
      leaseSeconds: input.leaseSeconds,
      fencing: input.fencing,
      witness: this.#chronicle,
      purse: new Purse(input.budgets ?? []),
    });
    this.#fleet = new Fleet({
      input,
      queue: this.#queue,
      truth: this.#truth,
      chronicle: this.#chronicle,
      specOf: (job) => this.#specs.get(job)!,
      expects: (holder, at) => this.#expect(holder, at),
      changed: () => this.#decideBy(this.#queue.now),
    });
    for (const [index, spec] of input.jobs.entries()) {
      this.#queue.at(spec.requestedAtSeconds * 1_000, () => this.#arrive(spec, index));
    }
    if (input.faults !== 'none') {
      new FaultPlay(input, this.#queue, this.#chronicle, this.#fleet, {
        isOver: () => this.#isOver,
        noTickFor: (milliseconds) => this.#loseScheduler(milliseconds),
      }).begin(input.faults);
    }
    for (const budget of this.#truth.purse.budgets) {
      if (budget.renewDays !== null) this.#renewLater(budget, budget.renewDays);
    }
    this.#queue.at(hour, () => this.#sample());
  }

  get #isOver(): boolean {
    return this.#arrived === this.#input.jobs.length && (this.#open.size === 0 || this.#isStuck);
  }

  /** What is left waits for money that never comes. */
  get #isStuck(): boolean {
    const { budgets } = this.#truth.purse;
    if (budgets.length === 0 || budgets.some(({ renewDays }) => renewDays !== null)) return false;
    const isDecided = this.#decisionAt === Number.POSITIVE_INFINITY && this.#attention.size === 0;
    return isDecided && this.#fleet.isIdle && this.#memory.jobsByState.get('budget-wait') === this.#open.size;
  }

  /** Jobs that have ended, of all; and the virtual time in days. */
  get progress(): { ended: number; jobs: number; days: number } {
    const { jobs } = this.#input;
    return { ended: this.#arrived - this.#open.size, jobs: jobs.length, days: this.#queue.now / day };
  }

  /** Lets so many events happen; false when the story is over. */
  advance(events: number): boolean {
    const last = (this.#input.jobs.at(-1)?.requestedAtSeconds ?? 0) * 1_000 + patienceDays * day;
    for (let i = 0; i < events; i++) {
      if (this.#isOver && this.#fleet.isIdle) return false;
      if (this.#queue.now > last || !this.#queue.next()) return false;
    }
    return true;
  }

  /** What came of it. Call it when the story is over. */
  report(): Report {
    return reportOf(this.#input, this.#truth, this.#chronicle, this.#fleet, this.#queue.now);
  }

  #arrive(spec: SimulatedJob, index: number): void {
    this.#arrived++;
    const { now } = this.#queue;
    const jobId = `job-${String(index + 1).padStart(5, '0')}`;
    const { source, version, suite, requestedBy, priority, section, archivePriority, demand, releaseId } =
      spec;
    const job: JobRow = {
      world: {
        ...{
          jobId,
          source,
          version,
          suite,
          requestedBy,
          priority,
          section,
          archivePriority,
          demand,
          releaseId,
        },
        ...{ state: 'needs-retrain', reason: null, leastDeviceMemoryBytes: 0 },
        datasetDigests: spec.datasetDigests,
        requestedAt: new Date(beganAt + now),
      },
      runs: [],
      requestedAt: now,
      endedAt: null,
    };
    this.#truth.request(job);
    this.#specs.set(job, spec);
    this.#chronicle.trace.line(`asked ${jobId} ${suite} ${source} ${version} by ${requestedBy}`);
    const siblings = this.#openBySource.get(source) ?? [];
    for (const old of supersededBy(
      spec,
      siblings.map(({ world }) => world),
    )) {
      this.#truth.moveJob(this.#truth.jobs.get(old.jobId)!, 'superseded', `superseded by ${version}`);
    }
    this.#open.set(jobId, job);
    this.#openBySource.set(source, [...siblings.filter(({ endedAt }) => endedAt === null), job]);
    this.#attentionTo(job);
    if (spec.cancelledAfterSeconds !== null) {
      this.#queue.after(spec.cancelledAfterSeconds * 1_000, () =>
        this.#truth.moveJob(job, 'cancelled', 'a person gave it up'),
      );
    }
  }

  #attentionTo(job: JobRow): void {
    this.#attention.add(job);
    this.#decideBy(this.#queue.now);
  }

  #jobEnded(job: JobRow): void {
    this.#open.delete(job.world.jobId);
  }

  #renewLater(budget: SimulatedBudget, days: number): void {
    this.#queue.after(days * day, () => {
      if (this.#isOver) return;
      this.#truth.purse.renew(budget);
      this.#chronicle.trace.line(`renewed ${budget.account} ${budget.unit}`);
      this.#decideBy(this.#queue.now);
      this.#renewLater(budget, days);
    });
  }

  /** The answer to the next heartbeat says it. */
  #tell(run: RunRow): void {
    const { nodeId, slot } = run.world.holder!;
    const within = Math.ceil(this.#rings.uniform() * this.#input.heartbeatSeconds * 1_000);
    this.#queue.after(within, () => this.#fleet.worker(nodeId, slot).beat());
  }

  /** A decision at `at` or as soon after as decisions follow each other. */
  #decideBy(at: number): void {
    const time = Math.max(at, this.#decidedAt + this.#input.decideSeconds * 1_000, this.#ledFrom);
    if (time >= this.#decisionAt) return;
    this.#decisionAt = time;
    this.#queue.at(time, () => {
      // Another was wanted sooner, or the leader is gone.
      if (this.#decisionAt !== time) return;
      this.#decisionAt = Number.POSITIVE_INFINITY;
      if (this.#queue.now < this.#ledFrom) this.#decideBy(this.#ledFrom);
      else this.#decide();
    });
  }

  #loseScheduler(milliseconds: number): void {
    this.#ledFrom = Math.max(this.#ledFrom, this.#queue.now + milliseconds);
    this.#reapsFrom = Math.max(this.#reapsFrom, this.#ledFrom + this.#input.leaseSeconds * 1_000);
  }

  #decide(): void {
    this.#decidedAt = this.#queue.now;
    const jobs = [...this.#attention];
    this.#attention.clear();
    for (const job of jobs) attend(this.#truth, job, this.#specs.get(job)!);
    for (const { world, leaseEpoch } of this.#truth.purse.overrunning(this.#queue.now)) {
      const reason = 'Its budget is spent, and it has used what was set aside for it.';
      this.#truth.ask({ runId: world.runId, leaseEpoch, cause: 'budget', reason });
    }
    this.#readWorld();
    // Nothing waits for a slot or for money: nothing can be decided.
    if (this.#memory.kinds.size === 0 && this.#memory.budgetWaits.size === 0) return;
    const { actions } = decideQueue(this.#memory, new Date(beganAt + this.#queue.now));
    this.#chronicle.figures.decisions++;
    for (const action of actions) {
      if (action.kind === 'move') {
        this.#truth.moveJob(this.#truth.jobs.get(action.jobId)!, action.to, action.reason);
        continue;
      }
      if (action.kind === 'preempt') {
        this.#truth.ask({ ...action, cause: 'preempted' });
        continue;
      }
      const { runId, nodeId, slot, reservation } = action;
      const leaseEpoch = this.#truth.lease(runId, nodeId, slot, reservation);
      if (leaseEpoch === null) continue;
      const holder = { runId, leaseEpoch, nodeId };
      this.#ring(holder, slot);
      this.#ringAgain(holder, slot);
      this.#expect(holder, this.#truth.expiresAt(this.#truth.runs.get(runId)!));
    }
  }

  /** Brings the scheduler's memory up to date, as its WorldMemory does from what the database says has changed. */
  #readWorld(): void {
    const { jobs, runs, nodes } = this.#truth.changed;
    this.#fleet.markSeen();
    if (this.#input.policy.preemption !== null) this.#fleet.markKept();
    this.#memory.budgets = this.#truth.purse.list();
    for (const { world } of nodes) this.#memory.fleet.putNode(world);
    for (const { world } of jobs) {
      if (this.#open.has(world.jobId)) this.#memory.putJob(world);
      else this.#memory.dropJob(world.jobId);
    }
    for (const { state, world } of runs) {
      if (state === 'waiting' || state === 'leased') this.#memory.putRun(world);
      else this.#memory.dropRun(world.runId);
    }
    for (const set of [jobs, runs, nodes]) set.clear();
  }

  #ring({ runId, leaseEpoch, nodeId }: Ring & { nodeId: string }, slot: number): void {
    const delay = Math.ceil(this.#rings.uniform() * longestRingMilliseconds);
    this.#queue.after(delay, () => {
      if (this.#queue.now < this.#fleet.queueLostUntil) this.#chronicle.figures.ringsLost++;
      else this.#fleet.worker(nodeId, slot).ring({ runId, leaseEpoch });
    });
  }

  /** Rings again for a lease that no worker has begun, by the scheduler's tick, until it is begun or over. */
  #ringAgain(holder: Ring & { nodeId: string }, slot: number): void {
    const { leaseSeconds, tickSeconds } = this.#input;
    const look = () => {
      const run = this.#truth.runs.get(holder.runId)!;
      if (run.state !== 'leased' || run.leaseEpoch !== holder.leaseEpoch || run.hasBegun) return;
      if (this.#queue.now >= this.#ledFrom) this.#ring(holder, slot);
      this.#queue.after(tickSeconds * 1_000, look);
    };
    this.#queue.after(leaseSeconds * ringAgainShare * 1_000, look);
  }

  /** Looks at a lease when it may have expired, with the scheduler's next tick. */
  #expect(holder: Ring, at: number): void {
    const tick = this.#input.tickSeconds * 1_000;
    const time = Math.max(at + Math.ceil(this.#rings.uniform() * tick), this.#reapsFrom);
    if (!Number.isFinite(time)) return;
    this.#queue.at(time, () => {
      const run = this.#truth.runs.get(holder.runId)!;
      if (run.state !== 'leased' || run.leaseEpoch !== holder.leaseEpoch) return;
      if (this.#queue.now < this.#reapsFrom) this.#expect(holder, this.#reapsFrom);
      else this.#truth.expire(holder.runId, holder.leaseEpoch);
    });
  }

  /** Once an hour: the queue's length, and who has waited too long by now. */
  #sample(): void {
    const { now } = this.#queue;
    let waiting = 0;
    for (const job of this.#open.values()) {
      const { state } = job.world;
      if (state !== 'needs-retrain' && state !== 'retraining') continue;
      for (const run of job.runs) {
        if (run.waitsFrom === null || run.waitsFrom > now) continue;
        waiting++;
        this.#chronicle.stillWaits(run);
      }
    }
    this.#chronicle.sample(now, waiting, this.#fleet.busy());
    if (this.#isOver) return;
    // Time alone decides too: what nobody can take is given up some day.
    this.#decideBy(now);
    this.#queue.after(hour, () => this.#sample());
  }
}

/** The whole story at once. */
export function simulateFleet(input: SimulationInput): Report {
  const simulation = new Simulation(input);
  while (simulation.advance(10_000));
  return simulation.report();
}
