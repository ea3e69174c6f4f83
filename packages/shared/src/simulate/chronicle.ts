// Hears of all that the store does, and keeps trace, books and figures of it: one place, so that they cannot tell different
// stories.
import type { JobState, LeaseOutcome } from '../job/states.ts';
import { openJobStates } from '../job/states.ts';
import { Books } from './books.ts';
import { demandClass, Figures } from './figures.ts';
import type { Holder, JobRow, LeaveCause, NodeRow, RunRow, Witness } from './rows.ts';
import { Trace } from './trace.ts';

/** Whom the simulation has to wake. */
export interface Listener {
  jobEnded(job: JobRow): void;
  changed(job: JobRow): void;
  cancelAsked(run: RunRow): void;
  leaveAsked(run: RunRow): void;
  nodeDrained(nodeId: string): void;
  waits(run: RunRow): void;
  slotSilent(until: number): void;
}

export interface Sample {
  hours: number;
  waitingRuns: number;
  /** Slots at work, with devices and without. */
  busyDeviceSlots: number;
  busyCpuSlots: number;
}

const isOpen = (state: JobState): boolean => (openJobStates as readonly JobState[]).includes(state);

export class Chronicle implements Witness {
  readonly trace: Trace;
  readonly books = new Books();
  readonly figures = new Figures();
  readonly samples: Sample[] = [];
  readonly #now: () => number;
  readonly #listener: Listener;
  /** Demand classes by job: printed once. */
  readonly #classes = new Map<string, string>();
  /** Whether a node could take the run at all. */
  #couldBePlaced: (run: RunRow) => boolean = () => true;

  constructor(now: () => number, tell: ((text: string) => void) | null, listener: Listener) {
    this.trace = new Trace(now, tell);
    this.#now = now;
    this.#listener = listener;
  }

  judgePlaceable(couldBePlaced: (run: RunRow) => boolean): void {
    this.#couldBePlaced = couldBePlaced;
  }

  leased(run: RunRow, nodeId: string, slot: number): void {
    const { runId, jobId } = run.world;
    this.trace.line(`leased ${runId} ${run.leaseEpoch} ${nodeId}/${slot}`);
    this.books.leased(runId, run.leaseEpoch, `${nodeId}/${slot}`);
    this.figures.waited(runId, jobId, this.#classOf(run.job), this.#now() - run.waitsFrom!);
  }

  leaseEnded(
    run: RunRow,
    nodeId: string,
    slot: number,
    leaseEpoch: number,
    outcome: LeaseOutcome,
    code: string,
  ): void {
    const { runId } = run.world;
    this.trace.line(`ended ${runId} ${leaseEpoch} ${nodeId}/${slot} ${outcome} ${code}`);
    this.books.ended(runId, leaseEpoch, `${nodeId}/${slot}`);
    this.figures.leaseEnded(outcome, code);
    this.#listener.changed(run.job);
  }

  recorded(run: RunRow, { leaseEpoch, nodeId }: Holder): void {
    this.trace.line(`recorded ${run.world.runId} ${leaseEpoch} ${nodeId}`);
    this.books.recorded(run.world.runId, leaseEpoch);
  }

  refused({ runId, leaseEpoch, nodeId }: Holder, deed: 'assignment' | 'heartbeat' | 'report'): void {
    this.trace.line(`refused ${deed} ${runId} ${leaseEpoch} ${nodeId}`);
    this.figures.refusedWrites[deed]++;
  }

  waits(run: RunRow): void {
    this.#listener.waits(run);
  }

  cancelAsked(run: RunRow): void {
    this.#listener.cancelAsked(run);
  }

  leaveAsked(run: RunRow, cause: LeaveCause, forRunId: string | null): void {
    const { runId } = run.world;
    this.trace.line(
      `leave ${runId} ${run.leaseEpoch} ${cause}${forRunId === null ? '' : ` for ${forRunId}`}`,
    );
    this.#listener.leaveAsked(run);
  }

  kept({ world: { runId }, leaseEpoch, keptMilliseconds }: RunRow): void {
    this.trace.line(`kept ${runId} ${leaseEpoch} ${keptMilliseconds}`);
  }

  jobMoved(job: JobRow, from: JobState, reason: string): void {
    const { jobId, state } = job.world;
    this.trace.line(`job ${jobId} ${from} ${state} ${reason}`);
    if (state === 'budget-wait') this.figures.budgetWaits++;
    if (!isOpen(state)) {
      this.figures.turnedAround(this.#classOf(job), this.#now() - job.requestedAt);
      this.#listener.jobEnded(job);
    }
    this.#listener.changed(job);
  }

  nodeDrained({ world }: NodeRow): void {
    this.trace.line(`drained ${world.nodeId} ${world.drainReason}`);
    this.figures.nodesDrained++;
    this.#listener.nodeDrained(world.nodeId);
  }

  slotSilent(until: number): void {
    this.#listener.slotSilent(until);
  }

  fault(text: string, kind: string): void {
    this.trace.line(`fault ${text}`);
    this.figures.fault(kind);
  }

  stillWaits(run: RunRow): void {
    const waited = this.#now() - run.waitsFrom!;
    if (waited < 86_400_000 || !this.#couldBePlaced(run)) return;
    this.figures.looksStarved(run.world.runId, run.world.jobId, this.#classOf(run.job), waited);
  }

  sample(now: number, waitingRuns: number, busy: { device: number; cpu: number }): void {
    this.samples.push({
      hours: now / 3_600_000,
      waitingRuns,
      busyDeviceSlots: busy.device,
      busyCpuSlots: busy.cpu,
    });
  }

  #classOf({ world: { jobId, demand } }: JobRow): string {
    const known = this.#classes.get(jobId) ?? demandClass(demand);
    this.#classes.set(jobId, known);
    return known;
  }
}
