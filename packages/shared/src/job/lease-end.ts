// What the end of a lease without a result means for lease, run, job and node: the rules that the store carries out in one
// transaction, and `retrain simulate` with its clock. Above the table of job/failure stand two rules:
//
//   lost before a worker had begun it         the run waits, longer each time; it counts towards nothing
//   the job wants the run no more             the run is cancelled, whatever the blame
import type { ProblemCode } from '../wire/problems.ts';
import { consequenceOf } from './failure.ts';
import type { Purpose } from './run-place.ts';
import type { Blame, JobState, LeaseOutcome } from './states.ts';

/** Code of a lease that ended before its worker had begun. It costs no GPU-hour, so it does not count towards the limit. */
export const notBegun = 'not-begun';
const longestUnbegunWaitSeconds = 600;

/** An ended lease, as far as later ones ask. */
export interface EarlierLease {
  blame: string | null;
  code: string | null;
}

export interface EndingLease {
  /** Who ended it: the node with a fault, the farm or node without, or a silence. */
  outcome: 'broken' | 'given-back' | 'lost';
  blame: Blame;
  code: ProblemCode;
  purpose: Purpose;
  /** Whether the job is open and nobody asked to cancel the run. */
  isWanted: boolean;
  /** Whether a worker had taken it up: a first heartbeat came. */
  hasBegun: boolean;
  /** The run's leases before this one that have ended. */
  earlier: readonly EarlierLease[];
}

export interface LeaseEnding {
  /** What the lease's row says. */
  lease: { outcome: LeaseOutcome; code: string };
  run: 'waiting' | 'broken' | 'cancelled';
  /** Seconds before a waiting run may be leased again. */
  waitSeconds: number;
  /** Whose fault a broken run is called in the end. */
  blame: Blame;
  /** Where the job moves, if it still may; null where it goes on as it is. */
  job: JobState | null;
  /** A phrase for people; '' where nothing is to be said. */
  reason: string;
  /** The node's row of faults grows, ends, or is as it was. */
  nodeFaults: 'grow' | 'end' | 'stay';
}

/** What follows from the end of a lease that brought no result. */
export function leaseEnding(ending: EndingLease): LeaseEnding {
  const { outcome, blame, code, purpose, isWanted, hasBegun, earlier } = ending;
  if (blame === 'cancelled' || !isWanted) {
    const lease = { outcome: outcome === 'lost' ? outcome : 'cancelled', code } as const;
    return { lease, run: 'cancelled', waitSeconds: 0, blame, job: null, reason: '', nodeFaults: 'stay' };
  }
  // Before anything is counted: a worker that is away has no fault, and its node is not drained for it.
  if (outcome === 'lost' && !hasBegun) {
    const before = earlier.filter((lease) => lease.code === notBegun).length;
    const waitSeconds = Math.min(2 ** before, longestUnbegunWaitSeconds);
    const lease = { outcome, code: notBegun };
    return { lease, run: 'waiting', waitSeconds, blame, job: null, reason: '', nodeFaults: 'stay' };
  }
  const counted = [...earlier.filter((lease) => lease.code !== notBegun), { blame, code }];
  const tempfails = counted.filter((lease) => lease.blame === 'node' && lease.code === 'recipe-failed');
  const after = consequenceOf({
    purpose,
    blame,
    code,
    leases: counted.length,
    tempfails: tempfails.length,
  });
  const isBlameless = blame === 'node' || blame === 'farm';
  return {
    lease: { outcome: outcome === 'lost' ? outcome : isBlameless ? 'given-back' : 'broken', code },
    run: after.run,
    // A silence was waited for already: the lease's own time.
    waitSeconds: after.run === 'waiting' && outcome !== 'lost' ? after.waitSeconds : 0,
    blame: after.run === 'broken' && isBlameless ? 'farm' : blame,
    job: after.run === 'broken' ? after.job : null,
    reason: after.reason,
    nodeFaults: blame === 'node' ? 'grow' : 'end',
  };
}
