// A worker of one slot on the virtual clock (apps/worker/src/slot, beat): answers one ring at a time, works through fetch and
// train, beats while it can speak, reports, and stops when it hears that its lease is lost. It knows its epoch and nothing of
// the truth; what it may do to it is asked there.
//
//   ring ──► assignment ──► fetch ──► train ──► report          silenced: it works on, and asks again when it can speak
//              └► lease-lost: dropped  │         └► lease-lost: dropped, what was done since the last checkpoint is wasted
//                                      └ keeps a checkpoint now and then, while it can speak
import type { Ring } from '../wire/doorbell.ts';
import type { EventQueue } from './event-queue.ts';
import type { Holder, LeaveCause, Told } from './rows.ts';
import type { Truth } from './truth.ts';

/** What made a worker fall silent or its work worthless; the headings of the waste in the report. */
export type Cause =
  | 'lost-worker'
  | 'stopped-worker'
  | 'slow-disk'
  | 'ecc'
  | 'clock-skew'
  | 'split-network'
  | 'farm-away'
  | 'recipe'
  | 'tempfail'
  | 'out-of-memory'
  | 'data'
  | 'unwanted'
  | LeaveCause
  | 'unexplained';

/** Two parts of a run that a slow disk slows differently, in seconds on a healthy node, and how the last one ends. */
export interface Plan {
  fetchSeconds: number;
  trainSeconds: number;
  end: Told;
  /** Why it ends so, where it brings no result. */
  cause: Cause;
  datasetDigests: readonly string[];
  /** Whether its target writes checkpoints. */
  checkpoints: boolean;
  /** Training that earlier leases had kept, in milliseconds: no part of `trainSeconds`. */
  resumedMilliseconds: number;
}

export interface Execution {
  holder: Holder;
  plan: Plan;
  startedAt: number;
  phase: 'fetch' | 'train' | 'report';
  /** Milliseconds of a healthy node that the phase still needs, as of `since`. */
  left: number;
  since: number;
  /** When its training began; checkpoints are kept at whole intervals from then on. */
  trainsFrom: number;
  /** Milliseconds of this lease's training that the farm keeps, and when it was told; 0 before the first. */
  kept: number;
  keptAt: number;
  /** What last silenced it. */
  silencedBy: Cause | null;
  /** Given up reporting at this time, where it cannot be told. */
  patienceEnds: number;
}

export interface WorkerParts {
  queue: EventQueue;
  truth: Truth;
  leaseSeconds: number;
  heartbeatSeconds: number;
  /** 0: no checkpoint is kept. */
  checkpointSeconds: number;
  /** Uniform in (0, 1), of the slot's own stream. */
  random: () => number;
  plan: (holder: Holder, slot: number) => Plan;
  /** The lease may expire at this time: it is to be looked at then. */
  expects: (holder: Holder, at: number) => void;
  /** Something that the scheduler acts on has changed. */
  changed: () => void;
  /** A checkpoint is kept, of so many milliseconds of the lease's training; false where the lease is lost. */
  kept: (worker: SlotWorker, execution: Execution, milliseconds: number) => boolean;
  /** An execution is over; `cause` null where its result was recorded. */
  ended: (worker: SlotWorker, execution: Execution, cause: Cause | null) => void;
}

const trainMilliseconds = ({ trainSeconds }: Plan): number => Math.round(trainSeconds * 1_000);

const cancelled: Told = { kind: 'broken', blame: 'cancelled', code: 'run-cancelled', failureSha256: null };

/** A farm that is away is waited for at least so long at the end of a run (apps/worker/src/slot). */
const leastPatienceSeconds = 60;

export class SlotWorker {
  readonly nodeId: string;
  readonly slot: number;
  readonly #parts: WorkerParts;
  readonly #rings: Ring[] = [];
  /** Why it cannot speak, each as often as it was said; empty: it can. */
  readonly #silences: Cause[] = [];
  /** Dead or stopped: it does nothing at all. */
  #isAsleep = false;
  /** Asleep with its child: nothing is done meanwhile. */
  #isPaused = false;
  #diskFactor = 1;
  /** Grows whenever what was planned for the running execution is no longer so. */
  #plans = 0;
  execution: Execution | null = null;

  constructor(nodeId: string, slot: number, parts: WorkerParts) {
    this.nodeId = nodeId;
    this.slot = slot;
    this.#parts = parts;
  }

  get isAsleep(): boolean {
    return this.#isAsleep;
  }

  get speaks(): boolean {
    return this.#silences.length === 0;
  }

  /** A ring in the slot's queue; taken when the worker is free. */
  ring(ring: Ring): void {
    // BullMQ ignores an id that still waits.
    if (this.#rings.some(({ runId, leaseEpoch }) => runId === ring.runId && leaseEpoch === ring.leaseEpoch))
      return;
    this.#rings.push(ring);
    this.#takeRing();
  }

  /** The queue was lost, with all rings that nobody had taken. Returns how many. */
  flush(): number {
    return this.#rings.splice(0).length;
  }

  /** From now on nothing that it says arrives. */
  silence(cause: Cause): void {
    const spoke = this.speaks;
    this.#settle();
    this.#silences.push(cause);
    const execution = this.execution;
    if (execution === null) return;
    execution.silencedBy = cause;
    if (!spoke) return;
    const { queue, truth, heartbeatSeconds, random, expects } = this.#parts;
    const heardAt = Math.max(
      execution.startedAt,
      queue.now - Math.floor(random() * heartbeatSeconds * 1_000),
    );
    const at = truth.silence(execution.holder, heardAt);
    if (at !== null) expects(execution.holder, at);
  }

  /** The silence of this cause is over. */
  speak(cause: Cause): void {
    // What it did while it could not speak is no part of a checkpoint yet.
    this.#settle();
    this.#silences.splice(this.#silences.indexOf(cause), 1);
    if (!this.speaks || this.#isAsleep) return;
    this.#catchUp();
  }

  /** Killed: what it did is gone, its rings are not. */
  die(cause: Cause): void {
    this.silence(cause);
    this.#isAsleep = true;
    if (this.execution) this.#drop(cause);
  }

  /** Stopped by SIGSTOP or with its machine; where only the worker is stopped its child trains on. */
  stop(childGoesOn: boolean): void {
    this.silence('stopped-worker');
    this.#isAsleep = true;
    if (childGoesOn) return;
    this.#settle();
    this.#isPaused = true;
    this.#plans++;
  }

  /** Wakes after `die` or `stop`. */
  wake(cause: Cause): void {
    this.#isAsleep = false;
    if (this.#isPaused) {
      this.#isPaused = false;
      if (this.execution) this.execution.since = this.#parts.queue.now;
      this.#schedule();
    }
    this.speak(cause);
    this.#takeRing();
  }

  /** Reading and writing takes so many times as long from now on. */
  setDisk(factor: number): void {
    this.#settle();
    this.#diskFactor = factor;
    this.#schedule();
  }

  /** The device fails: the run on it breaks, where there is one that has begun to train. */
  breakDevice(end: Told): void {
    const { execution } = this;
    if (execution?.phase !== 'train' || this.#isAsleep) return;
    execution.plan = { ...execution.plan, end, cause: 'ecc' };
    this.#finish(execution);
  }

  #speed(phase: Execution['phase']): number {
    // Training reads its data too, but mostly computes.
    return phase === 'fetch' ? 1 / this.#diskFactor : 1 / (1 + (this.#diskFactor - 1) / 20);
  }

  #takeRing(): void {
    while (this.execution === null && !this.#isAsleep) {
      const ring = this.#rings.shift();
      if (ring === undefined) return;
      // A farm that does not answer: the lease ends by itself, or is rung again.
      if (!this.speaks) continue;
      const holder: Holder = { ...ring, nodeId: this.nodeId };
      if (this.#parts.truth.assignment(holder) === 'lease-lost') continue;
      this.#begin(holder);
    }
  }

  #begin(holder: Holder): void {
    const { queue, truth, plan } = this.#parts;
    const planned = plan(holder, this.slot);
    this.execution = {
      ...{ holder, plan: planned, startedAt: queue.now, phase: 'fetch', left: planned.fetchSeconds * 1_000 },
      ...{ since: queue.now, silencedBy: null, patienceEnds: 0, trainsFrom: 0, kept: 0, keptAt: 0 },
    };
    truth.heartbeat(holder);
    this.#schedule();
  }

  /** Banks what was done since the last look, at the speed until now. */
  #settle(): void {
    const { execution } = this;
    if (execution === null || execution.phase === 'report' || this.#isPaused) return;
    const { now } = this.#parts.queue;
    this.#keep(execution);
    execution.left = Math.max(0, execution.left - (now - execution.since) * this.#speed(execution.phase));
    execution.since = now;
  }

  /** When the last checkpoint of a training that goes on was due, since `since`; null where none was, or none can be kept. */
  #lastDue({ plan, phase, trainsFrom, since }: Execution): number | null {
    const interval = this.#parts.checkpointSeconds * 1_000;
    if (phase !== 'train' || !plan.checkpoints || interval === 0 || !this.speaks || this.#isPaused)
      return null;
    const { now } = this.#parts.queue;
    const due = now - ((now - trainsFrom) % interval);
    return due > since && due > trainsFrom ? due : null;
  }

  /** When the farm last kept a checkpoint of the execution; null before the first. */
  get keptAt(): number | null {
    const { execution } = this;
    if (execution === null) return null;
    return this.#lastDue(execution) ?? (execution.kept > 0 ? execution.keptAt : null);
  }

  /** Tells the checkpoint that was last due. Nobody has to know of it sooner than something happens. */
  #keep(execution: Execution): void {
    const due = this.#lastDue(execution);
    if (due === null) return;
    const left = execution.left - (due - execution.since) * this.#speed('train');
    const done = Math.floor(trainMilliseconds(execution.plan) - left);
    if (done <= execution.kept || !this.#parts.kept(this, execution, done)) return;
    execution.kept = done;
    execution.keptAt = due;
  }

  #schedule(): void {
    const { execution } = this;
    if (execution === null || execution.phase === 'report' || this.#isPaused) return;
    const plan = ++this.#plans;
    this.#parts.queue.after(Math.ceil(execution.left / this.#speed(execution.phase)), () => {
      if (plan !== this.#plans || this.execution !== execution) return;
      if (execution.phase === 'fetch' && execution.plan.trainSeconds > 0) {
        execution.phase = 'train';
        execution.left = trainMilliseconds(execution.plan);
        execution.since = this.#parts.queue.now;
        execution.trainsFrom = this.#parts.queue.now;
        this.#schedule();
        return;
      }
      this.#finish(execution);
    });
  }

  /** All is done that was planned: the farm is told, or told when it can be. */
  #finish(execution: Execution): void {
    const { queue, leaseSeconds } = this.#parts;
    this.#plans++;
    if (execution.plan.end.kind !== 'reported') this.#keep(execution);
    execution.phase = 'report';
    if (this.speaks) {
      this.#report(execution);
      return;
    }
    const patience = Math.max(leastPatienceSeconds, 2 * leaseSeconds) * 1_000;
    execution.patienceEnds = queue.now + patience;
    queue.after(patience, () => {
      if (this.execution !== execution || this.speaks || this.#isAsleep) return;
      this.#drop(execution.silencedBy ?? 'unexplained');
      this.#takeRing();
    });
  }

  #report(execution: Execution): void {
    const { holder, plan } = execution;
    const answer = this.#parts.truth.report(holder, plan.end);
    const isRecorded = answer === 'taken' && plan.end.kind === 'reported';
    this.#drop(
      isRecorded ? null : answer === 'lease-lost' ? (execution.silencedBy ?? 'unwanted') : plan.cause,
    );
    this.#takeRing();
  }

  /** It can speak again: tells what is done, else beats and hears whether it is still wanted. */
  #catchUp(): void {
    const { execution } = this;
    if (execution === null) return;
    if (execution.phase === 'report') this.#report(execution);
    else this.beat();
  }

  /** A heartbeat: prolongs the lease, or tells that it is lost or cancelled. */
  beat(): void {
    const { execution } = this;
    if (execution === null || !this.speaks || this.#isAsleep) return;
    const answer = this.#parts.truth.heartbeat(execution.holder);
    if (answer === 'lease-lost') {
      this.#drop(execution.silencedBy ?? 'unwanted');
    } else if (answer.cancel) {
      this.#parts.truth.report(execution.holder, cancelled);
      this.#drop('unwanted');
    } else if (answer.leave !== undefined && execution.phase !== 'report') {
      // What its target did since the last checkpoint is lost: nothing is promised of one that is written in the grace.
      this.#settle();
      this.#parts.truth.report(execution.holder, { kind: 'given-back' });
      this.#drop(answer.leave);
    }
    this.#takeRing();
  }

  #drop(cause: Cause | null): void {
    const execution = this.execution!;
    this.execution = null;
    this.#plans++;
    this.#parts.ended(this, execution, cause);
    this.#parts.changed();
  }
}
