// What becomes of run and job after a lease without a result: the blame rules (blame-rules.ts) say whose fault it was and what
// follows; here that is counted and carried to its end. GPU hours are never spent twice on a deterministic failure.
//
//   attempted, dep-wait, data-wait, budget-wait ──► run broken, job so
//   elsewhere, other-node ──► run waits ──(alike on two nodes)──► attempted
//   larger-class ──► run waits, demand raised ──(second time, or no larger device)──► attempted
//   from-start ──► run waits without its checkpoint
//   pause ──► run waits 15, 30, 60 … s ──(five leases)──► attempted, blame farm
import type { ProblemCode } from '../wire/problems.ts';
import { followUpOf } from './blame-rules.ts';
import type { Purpose } from './run-place.ts';
import type { Blame, JobState } from './states.ts';

/** Leases of one run after which the farm gives up on it; those that ended without blame are not counted. */
export const maxLeases = 5;

/** "Try elsewhere" that a recipe may say in one run; the next is the recipe's fault. */
export const maxTempfails = 3;

/** What is known of the device that was too small, and of larger ones. */
export interface DeviceMemory {
  /** Of the device that the run had; null where it had none, or it does not say. */
  failedBytes: number | null;
  /** What the job asks for by now: another of its runs may have raised it meanwhile. */
  askedBytes: number;
  /** The next larger device of an approved node; null where there is none. */
  nextBytes: number | null;
  /** Whether the job's demand was raised before. */
  wasRaised: boolean;
}

/** What became of a lease, and how often it had happened before. */
export interface BrokenLease {
  purpose: Purpose;
  blame: Blame;
  code: ProblemCode;
  /** Leases of the run so far, this one with them; those that ended without blame left out. */
  leases: number;
  /** Leases of the run that ended by `try-elsewhere`, this one with them. */
  tempfails: number;
  /** Earlier leases of the run that ended alike (same code, same last lines): on other nodes, and on this one. */
  alike: { elsewhere: number; here: number };
  /** Absent where the code is not `device-memory`. */
  deviceMemory?: DeviceMemory;
}

export type Consequence =
  /** `job` null: the job goes on without the run. */
  | { run: 'broken'; job: JobState | null; blame: Blame; reason: string }
  | {
      run: 'waiting';
      waitSeconds: number;
      isElsewhere: boolean;
      /** Least device memory that the job asks for from now on. */
      raiseTo?: number;
      /** Whether the run's checkpoint is dropped. */
      fromStart?: true;
      reason: string;
    }
  | { run: 'cancelled'; reason: string };

/** First pause after blame `farm`; doubled by every further lease. */
const firstPauseSeconds = 15;
const longestPauseSeconds = 3_600;

/** Pause after give-back number n, from 1. */
export const pauseSeconds = (n: number): number =>
  Math.min(firstPauseSeconds * 2 ** (n - 1), longestPauseSeconds);

/**
 * Whether a breakage with blame `recipe` is an answer in itself: a recipe owes us retrains only. One that refuses shortened data, or
 * another arithmetic, fails no job; the verdict says so, and the run is not made again.
 */
export const isAnswer = ({
  purpose,
  blame,
  code,
}: {
  purpose: Purpose;
  blame: string | null;
  code: string | null;
}): boolean => purpose !== 'retrain' && blame === 'recipe' && code !== 'dep-wait';

/** What follows from a broken or lost lease for the run and its job. */
export function consequenceOf(lease: BrokenLease): Consequence {
  const { blame, code, leases, tempfails, alike } = lease;
  const then = followUpOf(blame, code);
  switch (then) {
    case 'attempted':
      if (isAnswer(lease)) {
        const reason = 'the recipe cannot be run so, which the verdict says';
        return { run: 'broken', job: null, blame, reason };
      }
      return attempted(blame, 'the recipe failed, and would again');
    case 'dep-wait':
      return broken('dep-wait', blame, 'a package that the recipe needs is not installed');
    case 'data-wait':
      return broken('data-wait', blame, 'declared data is out of reach');
    case 'budget-wait':
      return broken('budget-wait', blame, 'the budget is spent');
    case 'cancelled':
      return { run: 'cancelled', reason: 'a person cancelled it' };
    case 'larger-class':
      return raised(lease);
    case 'elsewhere':
    case 'other-node': {
      if (tempfails > maxTempfails) {
        return attempted('recipe', `the recipe asked for another node more than ${maxTempfails} times`);
      }
      // A tempfail line may say the same thing three times: the recipe has that right.
      if (code !== 'try-elsewhere' && (alike.elsewhere > 0 || alike.here > 1)) {
        const where = alike.elsewhere > 0 ? 'on two nodes' : 'three times';
        return attempted('recipe', `failed alike ${where}, so it is not the node`);
      }
      if (leases >= maxLeases) return givenUp(leases);
      return { run: 'waiting', waitSeconds: 0, isElsewhere: true, reason: 'given back: the node failed' };
    }
    case 'from-start':
      if (leases >= maxLeases) return givenUp(leases);
      return {
        run: 'waiting',
        waitSeconds: 0,
        isElsewhere: false,
        fromStart: true,
        reason: 'trained anew from its beginning: it failed after it was resumed',
      };
    case 'pause':
      if (leases >= maxLeases) return givenUp(leases);
      return {
        run: 'waiting',
        waitSeconds: pauseSeconds(leases),
        isElsewhere: false,
        reason: 'given back: the farm failed',
      };
  }
}

const broken = (job: JobState, blame: Blame, reason: string): Consequence => ({
  run: 'broken',
  job,
  blame,
  reason,
});
const attempted = (blame: Blame, reason: string): Consequence => broken('attempted', blame, reason);
const givenUp = (leases: number): Consequence =>
  attempted('farm', `given up after ${leases} leases; blame: farm`);

/** A device was too small: a larger one, once. */
function raised({ leases, deviceMemory }: BrokenLease): Consequence {
  const { failedBytes, askedBytes, nextBytes, wasRaised } = deviceMemory ?? {
    failedBytes: null,
    askedBytes: 0,
    nextBytes: null,
    wasRaised: false,
  };
  if (failedBytes === null) {
    return attempted('recipe', 'it ran out of device memory where it was given no device');
  }
  if (leases >= maxLeases) return givenUp(leases);
  const waits = { run: 'waiting', waitSeconds: 0, isElsewhere: true } as const;
  if (failedBytes < askedBytes) {
    return { ...waits, reason: 'its device was too small; the job asks for a larger one by now' };
  }
  if (wasRaised) return attempted('recipe', 'too large for a larger device, too');
  if (nextBytes === null) {
    return attempted('recipe', `no approved node has a device of more than ${failedBytes} bytes`);
  }
  return {
    ...waits,
    raiseTo: nextBytes,
    reason: `its device was too small; ${nextBytes} bytes are asked for`,
  };
}

/** Leases in a row that end with blame `node` before the node is drained. */
const leasesThatDrain = 3;

/** Whether a node is to be drained: its last three leases, newest first, all ended with blame `node`. */
export const drainsNode = (newestFirst: readonly (Blame | null)[]): boolean =>
  newestFirst.length >= leasesThatDrain &&
  newestFirst.slice(0, leasesThatDrain).every((blame) => blame === 'node');
