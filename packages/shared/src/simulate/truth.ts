// The farm's store in memory: what PostgreSQL is to the farm, with the same conditions on each deed (prisma/store/runs,
// lease-end, job-move). Every write of a node counts only while run, epoch and holder are those of the open lease. What
// follows from an end is the domain's (job/lease-end, job/failure, job/states), never decided here.
import type { Reservation } from '../cost/reservation.ts';
import { drainsNode, isAnswer } from '../job/failure.ts';
import {
  type EarlierLease,
  leaseEnding,
  leaveEnding,
  notBegun,
  slotSilenceSeconds,
} from '../job/lease-end.ts';
import { placesBeyond, type RunPlace } from '../job/run-place.ts';
import {
  type Blame,
  type JobState,
  jobMayMove,
  type LeaseOutcome,
  openJobStates,
  type RunState,
} from '../job/states.ts';
import { promiseSeconds } from '../policy/preempt.ts';
import type { WorldJob, WorldNode, WorldRun } from '../policy/world.ts';
import { avoidedBy, memoryOfDevice } from './next-lease.ts';
import { Purse } from './purse.ts';
import type { Holder, JobRow, LeaveCause, NodeRow, RunRow, Told, Witness } from './rows.ts';

const isOpen = (state: JobState): boolean => (openJobStates as readonly JobState[]).includes(state);
const isServed = (state: JobState): boolean => state === 'needs-retrain' || state === 'retraining';

export interface TruthOptions {
  now: () => number;
  toDate: (milliseconds: number) => Date;
  leaseSeconds: number;
  /** False: epochs and holders are not asked for. Only a simulation can say so; it shows what they are good for. */
  fencing: boolean;
  witness: Witness;
  purse?: Purse;
}

export class Truth {
  readonly jobs = new Map<string, JobRow>();
  readonly runs = new Map<string, RunRow>();
  readonly nodes = new Map<string, NodeRow>();
  /** What the scheduler has not read yet. */
  readonly changed = { jobs: new Set<JobRow>(), runs: new Set<RunRow>(), nodes: new Set<NodeRow>() };
  readonly purse: Purse;
  readonly #options: TruthOptions;
  /** Open lease of each slot (`node/slot`): the unique index that the database has. */
  readonly #slots = new Map<string, RunRow>();

  constructor(options: TruthOptions) {
    this.#options = options;
    this.purse = options.purse ?? new Purse([]);
  }

  request(job: JobRow): void {
    this.jobs.set(job.world.jobId, job);
    this.changed.jobs.add(job);
  }

  register(world: WorldNode): void {
    const node = { world, faultsInRow: 0, silences: new Map(), stateAt: 0 };
    this.nodes.set(world.nodeId, node);
    this.changed.nodes.add(node);
  }

  #setJob(job: JobRow, change: Partial<WorldJob>): void {
    job.world = { ...job.world, ...change };
    this.changed.jobs.add(job);
  }

  #setRun(run: RunRow, state: RunState, change: Partial<WorldRun> = {}): void {
    run.state = state;
    run.world = { ...run.world, ...change };
    this.changed.runs.add(run);
  }

  /** An admin has looked at the node: it may serve again, and no run is kept from it for what was before. */
  resume(nodeId: string): void {
    const node = this.nodes.get(nodeId)!;
    this.setNode(nodeId, { drainReason: null });
    node.faultsInRow = 0;
    node.stateAt = this.#options.now();
    for (const run of this.runs.values()) {
      const isKept = run.world.excludedNodes.some((one) => one.nodeId === nodeId);
      if (isKept && run.state === 'waiting') this.#setRun(run, 'waiting', avoidedBy(run, this.nodes));
    }
  }

  setNode(nodeId: string, change: Partial<WorldNode>): void {
    const node = this.nodes.get(nodeId)!;
    node.world = { ...node.world, ...change };
    this.changed.nodes.add(node);
  }

  /** What a run took is known of the next ones, where nothing was known. */
  learn(job: JobRow, seconds: number): void {
    const { demand } = job.world;
    if (demand.estimateSeconds === 0) this.#setJob(job, { demand: { ...demand, estimateSeconds: seconds } });
  }

  /** Makes the runs of these places that the job has not, as `runs.add` does. */
  add(job: JobRow, places: readonly RunPlace[]): number {
    if (!isServed(job.world.state)) return 0;
    const kept = job.runs.filter((run) =>
      run.state === 'broken'
        ? isAnswer({ ...run.place, blame: run.blame, code: run.code })
        : run.state !== 'cancelled',
    );
    const missing = placesBeyond(
      places,
      kept.map(({ place }) => place),
    );
    for (const place of missing) {
      const runId = `${job.world.jobId}-${String(job.runs.length + 1).padStart(2, '0')}`;
      const world: WorldRun = {
        runId,
        jobId: job.world.jobId,
        seedIndex: place.seedIndex,
        state: 'waiting',
        holder: null,
        leasedAt: null,
        notBefore: null,
        failedOn: [],
        excludedNodes: [],
        class: null,
      };
      const run: RunRow = {
        ...{ world, job, place, state: 'waiting', leaseEpoch: 0, hasBegun: false, cancelAsked: false },
        ...{ heardAt: null, waitsFrom: this.#options.now(), blame: null, code: null, earlier: [] },
        ...{ keptMilliseconds: 0, leaveCause: null },
      };
      job.runs.push(run);
      this.runs.set(runId, run);
      this.changed.runs.add(run);
      this.#options.witness.waits(run);
    }
    return missing.length;
  }

  /** Leases a waiting run to a slot: the new epoch, or null where something has changed since it was looked at. */
  lease(runId: string, nodeId: string, slot: number, reservation?: Reservation): number | null {
    const run = this.runs.get(runId);
    const node = this.nodes.get(nodeId)?.world;
    const { now, toDate, witness } = this.#options;
    if (!run || !node || run.state !== 'waiting' || !isServed(run.job.world.state)) return null;
    if (run.waitsFrom === null || run.waitsFrom > now()) return null;
    if (!node.approved || node.drainReason !== null || node.retired || slot >= node.slots.length) return null;
    if (this.#slots.has(`${nodeId}/${slot}`)) return null;
    run.leaseEpoch += 1;
    run.hasBegun = false;
    run.heardAt = now();
    const preemptions = run.earlier.filter(({ code }) => code === 'preempted').length;
    this.#setRun(run, 'leased', {
      ...{
        state: 'leased',
        holder: { nodeId, slot },
        leasedAt: toDate(now()),
        notBefore: null,
        promise: null,
      },
      tenure: {
        ...{ leaseEpoch: run.leaseEpoch, keptAt: null, leaving: null, preemptions },
        earlierSeconds: run.keptMilliseconds / 1_000,
      },
    });
    this.#slots.set(`${nodeId}/${slot}`, run);
    this.purse.open(run, now(), reservation);
    witness.leased(run, nodeId, slot);
    run.waitsFrom = null;
    if (run.job.world.state === 'needs-retrain') this.moveJob(run.job, 'retraining', '');
    return run.leaseEpoch;
  }

  /** The open lease that this holder has; null where it is lost. Without fencing: whatever the run's lease is. */
  #held({ runId, leaseEpoch, nodeId }: Holder): RunRow | null {
    const run = this.runs.get(runId)!;
    if (!this.#options.fencing) return run;
    const isHeld =
      run.state === 'leased' && run.leaseEpoch === leaseEpoch && run.world.holder?.nodeId === nodeId;
    return isHeld ? run : null;
  }

  /** Whether the run is still to be done, as a worker asks that was rung. */
  assignment(holder: Holder): 'lease-lost' | 'yours' {
    const run = this.runs.get(holder.runId)!;
    // A ring of an ended lease is refused even without fencing: the run has no slot then.
    if (this.#held(holder) !== null && run.state === 'leased') return 'yours';
    this.#options.witness.refused(holder, 'assignment');
    return 'lease-lost';
  }

  /** A heartbeat, and all that follow it until `silence`. */
  heartbeat(holder: Holder): 'lease-lost' | { cancel: boolean; leave?: LeaveCause } {
    const run = this.#held(holder);
    if (run === null) {
      this.#options.witness.refused(holder, 'heartbeat');
      return 'lease-lost';
    }
    if (run.state === 'leased') {
      run.hasBegun = true;
      run.heardAt = null;
    }
    return { cancel: run.cancelAsked, ...(run.leaveCause !== null && { leave: run.leaveCause }) };
  }

  /** Keeps a checkpoint: so many milliseconds of training need not be done again. False where the lease is lost. */
  keep(holder: Holder, milliseconds: number): boolean {
    const run = this.#held(holder);
    if (run?.state !== 'leased') return false;
    run.keptMilliseconds = milliseconds;
    this.#options.witness.kept(run);
    return true;
  }

  /**
   * Asks a leased run to leave its slot, perhaps for one that waits, to which the slot is promised (prisma/store/leave). False where
   * something has changed since it was looked at.
   */
  ask(wish: {
    runId: string;
    leaseEpoch: number;
    cause: LeaveCause;
    reason: string;
    forRunId?: string;
  }): boolean {
    const { runId, leaseEpoch, cause, reason, forRunId } = wish;
    const { now, toDate, witness } = this.#options;
    const run = this.runs.get(runId)!;
    if (run.state !== 'leased' || run.leaseEpoch !== leaseEpoch || run.leaveCause !== null) return false;
    if (forRunId !== undefined) {
      const other = this.runs.get(forRunId)!;
      const { promise } = other.world;
      if (other.state !== 'waiting' || (promise && promise.until > toDate(now()))) return false;
      const until = toDate(now() + promiseSeconds * 1_000);
      this.#setRun(other, 'waiting', { promise: { ...run.world.holder!, until } });
    }
    run.leaveCause = cause;
    this.#setRun(run, 'leased', { tenure: { ...run.world.tenure!, leaving: reason } });
    witness.leaveAsked(run, cause, forRunId ?? null);
    if (!run.hasBegun) this.#endByLeave(run);
    return true;
  }

  /** The heartbeats of a lease have stopped, the last one at `heardAt`. Returns when the lease expires; null where it is not open. */
  silence(holder: Holder, heardAt: number): number | null {
    const run = this.runs.get(holder.runId)!;
    if (run.state !== 'leased' || run.leaseEpoch !== holder.leaseEpoch) return null;
    run.heardAt = Math.min(run.heardAt ?? heardAt, heardAt);
    return this.expiresAt(run);
  }

  /** When an open lease ends if nothing more is heard; infinity while its heartbeats come. */
  expiresAt = ({ heardAt }: RunRow): number =>
    heardAt === null ? Number.POSITIVE_INFINITY : heardAt + this.#options.leaseSeconds * 1_000;

  /** What a node tells at the end of a run; `lease-lost` where nobody wants it. */
  report(holder: Holder, told: Told): 'lease-lost' | 'taken' {
    const { witness, fencing } = this.#options;
    const run = this.#held(holder);
    if (run === null) {
      witness.refused(holder, 'report');
      return 'lease-lost';
    }
    if (told.kind === 'reported') {
      witness.recorded(run, holder);
      if (run.state === 'leased') {
        this.#noteSlot(run, false);
        this.#close(run, 'reported', { blame: null, code: null });
      }
      this.#setRun(run, 'reported');
      run.waitsFrom = null;
      this.countNodeFault(holder.nodeId, false);
      return 'taken';
    }
    if (run.state !== 'leased') return fencing ? 'lease-lost' : 'taken';
    if (told.kind === 'given-back') this.#endByLeave(run);
    else this.#endWithoutResult(run, 'broken', told);
    return 'taken';
  }

  /** Ends an open lease whose time is over; false where it is not so (any more). */
  expire(runId: string, leaseEpoch: number): boolean {
    const run = this.runs.get(runId)!;
    if (run.state !== 'leased' || run.leaseEpoch !== leaseEpoch) return false;
    if (this.expiresAt(run) > this.#options.now()) return false;
    this.#endWithoutResult(run, 'lost', { blame: 'farm', code: 'lease-lost', failureSha256: null });
    return true;
  }

  /** Moves a job where the machine of job/states allows it; leaving the open states ends its runs. */
  moveJob(job: JobRow, to: JobState, reason: string): boolean {
    const from = job.world.state;
    if (from === to || !jobMayMove(from, to)) return false;
    this.#setJob(job, { state: to, reason: reason || null });
    // What waited for data or a person did not wait for a slot.
    if (to === 'needs-retrain') {
      for (const run of job.runs) {
        if (run.waitsFrom !== null) run.waitsFrom = Math.max(run.waitsFrom, this.#options.now());
      }
    }
    if (!isOpen(to)) {
      job.endedAt = this.#options.now();
      for (const run of job.runs) {
        if (run.state === 'leased') {
          run.cancelAsked = true;
          this.#options.witness.cancelAsked(run);
        }
        if (run.state !== 'waiting') continue;
        this.#setRun(run, 'cancelled');
        run.waitsFrom = null;
      }
    }
    this.#options.witness.jobMoved(job, from, reason);
    return true;
  }

  /** Counts a fault of a node, or ends its row of faults. */
  countNodeFault(nodeId: string, isFault: boolean): void {
    const node = this.nodes.get(nodeId)!;
    node.faultsInRow = isFault ? node.faultsInRow + 1 : 0;
    if (node.world.drainReason !== null || !drainsNode(Array<Blame>(node.faultsInRow).fill('node'))) return;
    node.stateAt = this.#options.now();
    this.setNode(nodeId, { drainReason: `${node.faultsInRow} runs in a row blamed this node` });
    this.#options.witness.nodeDrained(node);
  }

  /** Whether the slot's worker answered: one that did not is asked later, one that did at once. */
  #noteSlot({ world: { holder } }: RunRow, isSilent: boolean): void {
    const { now, toDate, witness } = this.#options;
    const { nodeId, slot } = holder!;
    const node = this.nodes.get(nodeId)!;
    const losses = node.silences.get(slot) ?? 0;
    if (!isSilent && losses === 0) return;
    if (isSilent) node.silences.set(slot, losses + 1);
    else node.silences.delete(slot);
    const until = isSilent ? now() + slotSilenceSeconds(losses + 1) * 1_000 : null;
    const silentUntil = until === null ? null : toDate(until);
    this.setNode(nodeId, {
      slots: node.world.slots.map((one) => (one.slot === slot ? { ...one, silentUntil } : one)),
    });
    if (until !== null) witness.slotSilent(until);
  }

  #close(run: RunRow, outcome: LeaseOutcome, earlier: Omit<EarlierLease, 'nodeId'>): void {
    const { nodeId, slot } = run.world.holder!;
    run.earlier.push({ ...earlier, nodeId, endedAt: this.#options.now() });
    this.#slots.delete(`${nodeId}/${slot}`);
    this.purse.close(run, this.#options.now());
    run.leaveCause = null;
    this.#setRun(run, run.state, { holder: null, leasedAt: null, tenure: null });
    this.#options.witness.leaseEnded(run, nodeId, slot, run.leaseEpoch, outcome, earlier.code ?? '');
  }

  #endWithoutResult(
    run: RunRow,
    outcome: 'broken' | 'lost',
    { blame, code, failureSha256 }: Omit<Extract<Told, { kind: 'broken' }>, 'kind'>,
  ): void {
    const { job, hasBegun, earlier } = run;
    const { nodeId } = run.world.holder!;
    const after = leaseEnding({
      ...{ outcome, blame, code, hasBegun, earlier, nodeId, failureSha256, purpose: run.place.purpose },
      isWanted: !run.cancelAsked && isOpen(job.world.state),
      deviceMemory: code === 'device-memory' ? memoryOfDevice(run, this.nodes) : undefined,
    });
    this.#noteSlot(run, after.lease.code === notBegun);
    if (after.nodeFaults !== 'stay') this.countNodeFault(nodeId, after.nodeFaults === 'grow');
    this.#close(run, after.lease.outcome, { blame, code: after.lease.code, failureSha256 });
    if (after.fromStart) run.keptMilliseconds = 0;
    if (after.raiseTo !== undefined) this.#setJob(job, { leastDeviceMemoryBytes: after.raiseTo });
    if (after.run === 'waiting') {
      this.#wait(run, after.waitSeconds);
      return;
    }
    this.#setRun(run, after.run);
    run.blame = after.blame;
    run.code = code;
    if (after.job !== null) this.moveJob(job, after.job, after.reason);
  }

  /** Without blame: it waits with its checkpoint. */
  #endByLeave(run: RunRow): void {
    const isWanted = !run.cancelAsked && isOpen(run.job.world.state);
    const after = leaveEnding('preempted', { isWanted, earlier: run.earlier });
    this.#close(run, after.lease.outcome, { blame: null, code: after.lease.code });
    if (after.run === 'waiting') this.#wait(run, after.waitSeconds);
    else this.#setRun(run, after.run);
  }

  #wait(run: RunRow, seconds: number): void {
    const { now, toDate, witness } = this.#options;
    run.waitsFrom = now() + seconds * 1_000;
    const notBefore = seconds > 0 ? toDate(run.waitsFrom) : null;
    this.#setRun(run, 'waiting', { ...avoidedBy(run, this.nodes), state: 'waiting', notBefore });
    witness.waits(run);
  }
}
