// The world in memory, in the form in which it is decided upon: read whole at first and now and then, in between only what
// changed. The scheduler decides by it, and the api explains by one of its own.
import { runningStates } from '@retraind/shared/policy/payers';
import { Queue } from '@retraind/shared/policy/queue';
import type { SchedulingPolicy } from '@retraind/shared/policy/world';
import type { Database } from '../client.ts';
import { read, type WorldChange } from './world.ts';

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
  #reading: Promise<unknown> = Promise.resolve();

  constructor(policy: SchedulingPolicy, nodeSilenceSeconds: number) {
    this.#policy = policy;
    this.#nodeSilenceSeconds = nodeSilenceSeconds;
    this.#queue = new Queue(policy, nodeSilenceSeconds);
  }

  get queue(): Queue {
    return this.#queue;
  }

  /** Reads what is new, one reading after the other; returns the jobs that may want something now (`take`). */
  refresh(db: Database): Promise<string[]> {
    const refreshed = this.#reading.then(async () => {
      const askedAt = performance.now();
      const change = await read(db, askedAt >= this.#wholeAgainAt ? null : this.#cursor);
      return this.take(change, askedAt, () => performance.now());
    });
    this.#reading = refreshed.catch(() => undefined);
    return refreshed;
  }

  /**
   * Takes in what was read; returns the jobs of which a run ended or that stand otherwise than before: those may want more runs
   * or a verdict, beside the idle ones of the queue. Of a whole reading, those that are under way: what waits untouched in its
   * tens of thousands wants nothing. `askedAt` and `now` in milliseconds of a monotonic clock.
   */
  take(change: WorldChange, askedAt: number, now: () => number): string[] {
    if (change.isWhole) this.#queue = new Queue(this.#policy, this.#nodeSilenceSeconds);
    const queue = this.#queue;
    for (const node of change.nodes) queue.fleet.putNode(node);
    for (const job of change.jobs) queue.putJob(job);
    // One that was never told is a fault of the cursor: everything is read again.
    const isAllKnown = change.movedJobs.map((job) => queue.moveJob(job)).every((known) => known);
    for (const { runId } of change.goneRuns) queue.dropRun(runId);
    for (const run of change.runs) queue.putRun(run);
    for (const jobId of change.goneJobIds) queue.dropJob(jobId);
    queue.budgets = change.budgets;
    this.#cursor = isAllKnown ? change.cursor : null;
    if (change.isWhole) {
      const taken = now() - askedAt;
      this.#wholeAgainAt = now() + Math.max(wholeReadMilliseconds, taken / wholeReadShare);
    }
    const standing = change.jobs.filter(({ state }) =>
      change.isWhole ? state === 'retraining' : runningStates.includes(state),
    );
    const ended = change.goneRuns.filter(({ jobId }) =>
      runningStates.includes(queue.jobOf(jobId)?.state ?? 'judged'),
    );
    return [...new Set([...standing, ...ended].map(({ jobId }) => jobId))];
  }
}
