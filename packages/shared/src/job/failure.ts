// Whose fault a broken run is, and what follows. Two tables that a person can read: from what happened to blame, and from
// blame to what becomes of run and job. GPU hours are never spent twice on a deterministic failure.
//
//   recipe ──► job attempted, the maintainer hears       data ──► job data-wait
//   node ──► run waits again, elsewhere                  farm ──► run waits again, after a pause
//   budget ──► job budget-wait                           cancelled ──► run cancelled
import type { ProblemCode } from '../wire/problems.ts';
import type { Purpose } from './run-place.ts';
import type { Blame, JobState, RunStep } from './states.ts';

interface BlameRule {
  /** Steps at which the rule holds; null for any. */
  steps: readonly RunStep[] | null;
  codes: readonly ProblemCode[];
  blame: Blame;
  why: string;
}

/** Read from the top; the first rule that fits decides. */
export const blameRules: readonly BlameRule[] = [
  {
    steps: ['fetch', 'unpack'],
    codes: ['not-found', 'digest-mismatch', 'data-wait'],
    blame: 'data',
    why: 'what the archive or the recipe names is not there, or not as pinned: it may come, so nobody is accused',
  },
  {
    steps: null,
    codes: [
      'invalid-recipe',
      'invalid-deb822',
      'invalid-archive',
      'invalid-model',
      'invalid-data',
      'recipe-failed',
      'not-supported',
      'too-large',
      'dep-wait',
    ],
    blame: 'recipe',
    why: 'the package says or does it, and would again with the same inputs',
  },
  {
    steps: null,
    codes: ['data-wait', 'digest-mismatch'],
    blame: 'data',
    why: 'the declared data is out of reach or changed',
  },
  {
    steps: null,
    codes: ['sandbox-unavailable', 'tool-missing', 'disk-full'],
    blame: 'node',
    why: 'this machine lacks something that another has',
  },
  {
    steps: null,
    codes: [
      'network-unreachable',
      'farm-unreachable',
      'database-unavailable',
      'queue-unavailable',
      'invalid-index',
      'internal',
    ],
    blame: 'farm',
    why: 'our services or our code; the package has no part in it',
  },
];

/** The blame for a Problem met at a step. What no rule names is the farm's: never accuse a package of what is not understood. */
export const blameFor = (step: RunStep, code: ProblemCode): Blame =>
  blameRules.find(({ steps, codes }) => (steps === null || steps.includes(step)) && codes.includes(code))
    ?.blame ?? 'farm';

/** How a target may end (docs/reference/recipe.md, "Running"). */
export interface TargetEnd {
  /** Null where a signal ended it. */
  exitCode: number | null;
  /** It wrote `{"tempfail": …}` to its metrics file: make turns every failing status into 2, so the status cannot say so. */
  tempfail: boolean;
  /** Why the farm ended it, where it did. */
  endedBy: 'time-limit' | 'silence-limit' | 'log-limit' | 'disk-limit' | 'memory-limit' | 'cancelled' | null;
}

/** The blame for how the target ended; null where it ended well. */
export function blameForTarget({ exitCode, tempfail, endedBy }: TargetEnd): Blame | null {
  if (endedBy === 'cancelled') return 'cancelled';
  if (endedBy !== null) return 'recipe'; // Its own declared limits.
  if (tempfail) return 'node';
  return exitCode === 0 ? null : 'recipe';
}

/** Leases of one run after which the farm gives up on it. */
export const maxLeases = 5;

/** "Try elsewhere" that a recipe may say in one run; the next is the recipe's fault. */
export const maxTempfails = 3;

/** What became of a lease, and how often it had happened before. */
export interface BrokenLease {
  purpose: Purpose;
  blame: Blame;
  code: ProblemCode;
  /** Leases of the run so far, this one with them. */
  leases: number;
  /** Leases of the run that ended by `tempfail` (blame node, code recipe-failed), this one with them. */
  tempfails: number;
}

export type Consequence =
  /** `job` null: the job goes on without the run. */
  | { run: 'broken'; job: JobState | null; reason: string }
  | { run: 'waiting'; waitSeconds: number; isElsewhere: boolean; reason: string }
  | { run: 'cancelled'; reason: string };

/** First pause after blame `farm`; doubled by every further lease. */
const firstPauseSeconds = 15;
const longestPauseSeconds = 3_600;

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
export function consequenceOf({ purpose, blame, code, leases, tempfails }: BrokenLease): Consequence {
  switch (blame) {
    case 'recipe':
      if (code === 'dep-wait')
        return { run: 'broken', job: 'dep-wait', reason: 'a package that the recipe needs is not installed' };
      if (isAnswer({ purpose, blame, code })) {
        return { run: 'broken', job: null, reason: 'the recipe cannot be run so, which the verdict says' };
      }
      return { run: 'broken', job: 'attempted', reason: 'the recipe failed, and would again' };
    case 'data':
      return { run: 'broken', job: 'data-wait', reason: 'declared data is out of reach' };
    case 'budget':
      return { run: 'broken', job: 'budget-wait', reason: 'the budget is spent' };
    case 'cancelled':
      return { run: 'cancelled', reason: 'a person cancelled it' };
    case 'node':
    case 'farm': {
      if (tempfails > maxTempfails) {
        return {
          run: 'broken',
          job: 'attempted',
          reason: `the recipe asked for another node more than ${maxTempfails} times`,
        };
      }
      if (leases >= maxLeases) {
        return { run: 'broken', job: 'attempted', reason: `given up after ${leases} leases; blame: farm` };
      }
      const pause = Math.min(firstPauseSeconds * 2 ** (leases - 1), longestPauseSeconds);
      return blame === 'node'
        ? { run: 'waiting', waitSeconds: 0, isElsewhere: true, reason: 'given back: the node failed' }
        : { run: 'waiting', waitSeconds: pause, isElsewhere: false, reason: 'given back: the farm failed' };
    }
  }
}

/** Leases in a row that end with blame `node` before the node is drained. */
const leasesThatDrain = 3;

/** Whether a node is to be drained: its last three leases, newest first, all ended with blame `node`. */
export const drainsNode = (newestFirst: readonly (Blame | null)[]): boolean =>
  newestFirst.length >= leasesThatDrain &&
  newestFirst.slice(0, leasesThatDrain).every((blame) => blame === 'node');
