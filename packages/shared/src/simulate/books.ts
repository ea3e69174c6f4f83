// Books of their own, kept from what the store says it did and compared with what must never be: a fault of the store's rules
// shows here as a sentence and not as a better figure. Checked at every entry.
import { type JobState, openJobStates } from '../job/states.ts';

export class Books {
  readonly #slots = new Map<string, string>();
  readonly #epochs = new Map<string, number>();
  readonly #openLeases = new Map<string, string>();
  readonly #results = new Map<string, number>();
  readonly violations: string[] = [];
  checks = 0;
  /** Runs of which more than one result was recorded. */
  doubledResults = 0;

  leased(runId: string, leaseEpoch: number, slot: string): void {
    const other = this.#slots.get(slot);
    this.#check(other === undefined, () => `slot ${slot} was leased to ${runId} while ${other} had it`);
    this.#check(!this.#openLeases.has(runId), () => `run ${runId} was leased twice at once`);
    const before = this.#epochs.get(runId) ?? 0;
    this.#check(leaseEpoch > before, () => `epoch of ${runId} went from ${before} to ${leaseEpoch}`);
    this.#check(!this.#results.has(runId), () => `run ${runId} was leased after its result`);
    this.#slots.set(slot, runId);
    this.#openLeases.set(runId, slot);
    this.#epochs.set(runId, leaseEpoch);
  }

  ended(runId: string, leaseEpoch: number, slot: string): void {
    this.#check(this.#slots.get(slot) === runId, () => `a lease of ${runId} ended on ${slot}, not its slot`);
    this.#check(
      this.#epochs.get(runId) === leaseEpoch,
      () => `another lease of ${runId} ended than was open`,
    );
    this.#slots.delete(slot);
    this.#openLeases.delete(runId);
  }

  recorded(runId: string, leaseEpoch: number): void {
    const results = (this.#results.get(runId) ?? 0) + 1;
    this.#results.set(runId, results);
    if (results === 2) this.doubledResults++;
    this.#check(results === 1, () => `${results} results of run ${runId} were recorded`);
    this.#check(
      this.#openLeases.has(runId) && this.#epochs.get(runId) === leaseEpoch,
      () => `a result of ${runId} was recorded under epoch ${leaseEpoch}, which was not open`,
    );
  }

  /** At the end: every job has an end, and no lease is open. */
  closed(jobs: Iterable<{ jobId: string; state: JobState }>): void {
    for (const { jobId, state } of jobs) {
      const isOpen = (openJobStates as readonly JobState[]).includes(state);
      this.#check(!isOpen, () => `job ${jobId} did not end: ${state}`);
    }
    for (const [runId, slot] of this.#openLeases) {
      this.#check(false, () => `the lease of ${runId} on ${slot} did not end`);
    }
  }

  #check(holds: boolean, sentence: () => string): void {
    this.checks++;
    if (!holds) this.violations.push(sentence());
  }
}
