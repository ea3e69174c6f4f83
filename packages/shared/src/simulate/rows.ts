// The rows of the simulated store, and who hears of what becomes of them.
import type { EarlierLease } from '../job/lease-end.ts';
import type { RunPlace } from '../job/run-place.ts';
import type { Blame, JobState, LeaseOutcome, RunState } from '../job/states.ts';
import type { WorldJob, WorldNode, WorldRun } from '../policy/world.ts';
import type { ProblemCode } from '../wire/problems.ts';

export interface Holder {
  runId: string;
  leaseEpoch: number;
  nodeId: string;
}

export interface JobRow {
  world: WorldJob;
  runs: RunRow[];
  requestedAt: number;
  endedAt: number | null;
}

export interface RunRow {
  world: WorldRun;
  job: JobRow;
  place: RunPlace;
  state: RunState;
  leaseEpoch: number;
  /** A first heartbeat of this lease came. */
  hasBegun: boolean;
  cancelAsked: boolean;
  /** Last heartbeat of a lease whose holder is not heard any more, in milliseconds; null while its heartbeats come. */
  heardAt: number | null;
  /** Since when it may be placed; null while it may not. */
  waitsFrom: number | null;
  /** Milliseconds of training, on a healthy node, with which its next lease begins; 0: with nothing. */
  keptMilliseconds: number;
  /** Why its open lease is to end without blame; null where it may go on. */
  leaveCause: LeaveCause | null;
  blame: string | null;
  code: string | null;
  earlier: (EarlierLease & { endedAt: number })[];
}

export interface NodeRow {
  world: WorldNode;
  faultsInRow: number;
  /** Leases in a row that no worker of a slot had begun, by slot. */
  silences: Map<number, number>;
  /** When it was last drained or resumed. */
  stateAt: number;
}

/** What a run is asked to leave its slot for. */
export type LeaveCause = 'preempted' | 'budget';

export type Told =
  | { kind: 'reported' }
  /** It left its slot because it was asked to. */
  | { kind: 'given-back' }
  /** `failureSha256` as a worker tells it: of what the target said last; null where no target failed. */
  | { kind: 'broken'; blame: Blame; code: ProblemCode; failureSha256: string | null };

/** Hears of every change, in order: the trace, the books and the figures are kept from this alone. */
export interface Witness {
  leased(run: RunRow, nodeId: string, slot: number): void;
  leaseEnded(
    run: RunRow,
    nodeId: string,
    slot: number,
    leaseEpoch: number,
    end: LeaseOutcome,
    code: string,
  ): void;
  recorded(run: RunRow, holder: Holder): void;
  refused(holder: Holder, deed: 'assignment' | 'heartbeat' | 'report'): void;
  /** A run that may be placed from `waitsFrom` on. */
  waits(run: RunRow): void;
  /** A leased run of a job that wants it no more: its worker hears of it by its next heartbeat. */
  cancelAsked(run: RunRow): void;
  /** A leased run is to leave its slot, perhaps for another run: its worker hears of it by its next heartbeat. */
  leaveAsked(run: RunRow, cause: LeaveCause, forRunId: string | null): void;
  /** What the next lease begins with, in milliseconds of training. */
  kept(run: RunRow): void;
  jobMoved(job: JobRow, from: JobState, reason: string): void;
  nodeDrained(node: NodeRow): void;
  /** A slot that did not answer is asked again from then on. */
  slotSilent(until: number): void;
}
