// The world in memory: read whole at first and every minute, in between only what changed (prisma/store/world).

import type { WorldChange } from '@retraind/prisma/store/world';
import {
  type Budget,
  defaultPolicy,
  type World,
  type WorldJob,
  type WorldNode,
  type WorldRun,
} from '@retraind/shared/policy/world';

/** What was read is forgotten after this time: a fault in the cursor costs a minute, not a stuck job. */
const wholeReadMilliseconds = 60_000;

export class WorldMemory {
  readonly #nodeSilenceSeconds: number;
  readonly #jobs = new Map<string, WorldJob>();
  readonly #runs = new Map<string, WorldRun>();
  readonly #nodes = new Map<string, WorldNode>();
  #budgets: Budget[] = [];
  #cursor: string | null = null;
  #wholeAt = Number.NEGATIVE_INFINITY;

  constructor(nodeSilenceSeconds: number) {
    this.#nodeSilenceSeconds = nodeSilenceSeconds;
  }

  /** Where the next reading starts; null: read everything. `now` in milliseconds of a monotonic clock. */
  cursor(now: number): string | null {
    return now - this.#wholeAt >= wholeReadMilliseconds ? null : this.#cursor;
  }

  /** Takes in what was read; returns the open jobs whose own row may have changed. */
  take(change: WorldChange, now: number): WorldJob[] {
    if (change.isWhole) {
      this.#jobs.clear();
      this.#runs.clear();
      this.#nodes.clear();
      this.#wholeAt = now;
    }
    for (const job of change.jobs) this.#jobs.set(job.jobId, job);
    for (const run of change.runs) this.#runs.set(run.runId, run);
    for (const node of change.nodes) this.#nodes.set(node.nodeId, node);
    for (const jobId of change.goneJobIds) this.#jobs.delete(jobId);
    for (const runId of change.goneRunIds) this.#runs.delete(runId);
    this.#budgets = change.budgets;
    this.#cursor = change.cursor;
    return change.jobs;
  }

  get world(): World {
    return {
      jobs: [...this.#jobs.values()],
      runs: [...this.#runs.values()],
      nodes: [...this.#nodes.values()],
      budgets: this.#budgets,
      policy: defaultPolicy,
      nodeSilenceSeconds: this.#nodeSilenceSeconds,
    };
  }
}
