// The world in memory, in the form in which it is decided upon: read whole at first and now and then, in between only what
// changed (prisma/store/world).

import type { WorldChange } from '@retraind/prisma/store/world';
import { Queue } from '@retraind/shared/policy/queue';
import type { MovingJob, SchedulingPolicy } from '@retraind/shared/policy/world';

/** What was read is forgotten after this time: a fault in the cursor costs a minute, not a stuck job. */
const wholeReadMilliseconds = 60_000;

/** Reading a large world whole takes seconds: it may take no more than this part of the time. */
const wholeReadShare = 0.01;

export class WorldMemory {
  readonly #policy: SchedulingPolicy;
  readonly #nodeSilenceSeconds: number;
  #queue: Queue;
  #cursor: string | null = null;
  #wholeAgainAt = Number.NEGATIVE_INFINITY;

  constructor(policy: SchedulingPolicy, nodeSilenceSeconds: number) {
    this.#policy = policy;
    this.#nodeSilenceSeconds = nodeSilenceSeconds;
    this.#queue = new Queue(policy, nodeSilenceSeconds);
  }

  get queue(): Queue {
    return this.#queue;
  }

  /** Where the next reading starts; null: read everything. `now` in milliseconds of a monotonic clock. */
  cursor(now: number): string | null {
    return now >= this.#wholeAgainAt ? null : this.#cursor;
  }

  /**
   * Takes in what was read; returns the open jobs whose own row may have changed. `askedAt` and `now` in milliseconds of a
   * monotonic clock.
   */
  take(change: WorldChange, askedAt: number, now: () => number): MovingJob[] {
    if (change.isWhole) this.#queue = new Queue(this.#policy, this.#nodeSilenceSeconds);
    const queue = this.#queue;
    for (const node of change.nodes) queue.fleet.putNode(node);
    for (const job of change.jobs) queue.putJob(job);
    // One that was never told is a fault of the cursor: everything is read again.
    const isAllKnown = change.movedJobs.map((job) => queue.moveJob(job)).every((known) => known);
    for (const runId of change.goneRunIds) queue.dropRun(runId);
    for (const run of change.runs) queue.putRun(run);
    for (const jobId of change.goneJobIds) queue.dropJob(jobId);
    queue.budgets = change.budgets;
    this.#cursor = isAllKnown ? change.cursor : null;
    if (change.isWhole) {
      const taken = now() - askedAt;
      this.#wholeAgainAt = now() + Math.max(wholeReadMilliseconds, taken / wholeReadShare);
    }
    return [...change.jobs, ...change.movedJobs];
  }
}
