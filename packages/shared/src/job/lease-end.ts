// What the end of a lease without a result means for lease, run, job and node: the rules that the store carries out in one
// transaction, and `retrain simulate` with its clock. Above the table of job/failure stand two rules:
//
//   lost before a worker had begun it         the run waits, longer each time; it counts towards nothing
//   the job wants the run no more             the run is cancelled, whatever the blame
//
// A run that left its slot because it was asked to (preempted, given back by a person, its worker stopped) ends its lease
// without blame: leaveEnding.
import type { ProblemCode } from '../wire/problems.ts';
import { consequenceOf, type DeviceMemory, pauseSeconds } from './failure.ts';
import type { Purpose } from './run-place.ts';
import type { Blame, JobState, LeaseOutcome } from './states.ts';

/** Code of a lease that ended before its worker had begun. It costs no GPU-hour, so it does not count towards the limit. */
export const notBegun = 'not-begun';
const longestBlamelessWaitSeconds = 600;

/** How long a slot is asked for nothing after so many leases in a row that its worker did not begin. */
export const slotSilenceSeconds = (losses: number): number => Math.min(2 ** (losses + 1), 60);

/** Why a run leaves its slot without anybody's fault: for another run, by a person's wish, or with its worker. */
export const leaveCodes = ['preempted', 'given-back', 'node-stopped'] as const;
export type LeaveCode = (typeof leaveCodes)[number];

/** Leases that ended so do not count towards the limit. */
const uncounted: readonly (string | null)[] = [notBegun, ...leaveCodes];

/** An ended lease, as far as later ones ask. */
export interface EarlierLease {
  blame: string | null;
  code: string | null;
  nodeId?: string;
  /** Digest of what its target said last (blame-rules failureText); absent or null where no target failed. */
  failureSha256?: string | null;
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
  nodeId?: string;
  failureSha256?: string | null;
  /** Asked for where the code is `device-memory`. */
  deviceMemory?: DeviceMemory;
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
  /** Least device memory that the job asks for from now on; absent where that stays. */
  raiseTo?: number;
  /** The run's checkpoint is dropped. */
  fromStart?: true;
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
    const waitSeconds = Math.min(2 ** before, longestBlamelessWaitSeconds);
    const lease = { outcome, code: notBegun };
    return { lease, run: 'waiting', waitSeconds, blame, job: null, reason: '', nodeFaults: 'stay' };
  }
  const counted = [...earlier.filter((lease) => !uncounted.includes(lease.code)), { blame, code }];
  const { failureSha256 = null, nodeId } = ending;
  const alike =
    failureSha256 === null
      ? []
      : earlier.filter((lease) => lease.code === code && lease.failureSha256 === failureSha256);
  const after = consequenceOf({
    purpose,
    blame,
    code,
    leases: counted.length,
    tempfails: counted.filter((lease) => lease.code === 'try-elsewhere').length,
    alike: {
      elsewhere: alike.filter((lease) => lease.nodeId !== nodeId).length,
      here: alike.filter((lease) => lease.nodeId === nodeId).length,
    },
    deviceMemory: ending.deviceMemory,
  });
  const isBlameless = blame === 'node' || blame === 'farm';
  return {
    lease: { outcome: outcome === 'lost' ? outcome : isBlameless ? 'given-back' : 'broken', code },
    run: after.run,
    // A silence was waited for already: the lease's own time.
    waitSeconds: after.run === 'waiting' && outcome !== 'lost' ? after.waitSeconds : 0,
    blame: after.run === 'broken' ? after.blame : blame,
    // A check is the farm's own wish: that it cannot be made says nothing of the job.
    job: after.run === 'broken' && purpose !== 'check' ? after.job : null,
    reason: after.reason,
    // A device that is too small is no fault of the node.
    nodeFaults: blame !== 'node' ? 'end' : faultless.includes(code) ? 'stay' : 'grow',
    ...(after.run === 'waiting' && after.raiseTo !== undefined && { raiseTo: after.raiseTo }),
    ...(after.run === 'waiting' && after.fromStart && { fromStart: true }),
  };
}

const faultless: readonly string[] = ['device-memory'];

/** What follows where a run left its slot because it was asked to: it waits with its seed and its checkpoint. */
export function leaveEnding(
  code: LeaveCode,
  { isWanted, earlier }: Pick<EndingLease, 'isWanted' | 'earlier'>,
): Pick<LeaseEnding, 'lease' | 'waitSeconds'> & { run: 'waiting' | 'cancelled' } {
  if (!isWanted) return { lease: { outcome: 'cancelled', code }, run: 'cancelled', waitSeconds: 0 };
  // A worker that is stopped comes back, perhaps to be stopped again.
  const stops = earlier.filter((lease) => lease.code === 'node-stopped').length;
  const waitSeconds =
    code === 'node-stopped' ? Math.min(pauseSeconds(stops + 1), longestBlamelessWaitSeconds) : 0;
  return { lease: { outcome: 'given-back', code }, run: 'waiting', waitSeconds };
}
