// Whose a run is (its job's, whose suite and requester pay for it and hold its slot; or the farm's, where it checks a node), and
// whether it may be placed.
import { type Account, farmAccounts, type MovingJob, type WorldJob, type WorldRun } from './world.ts';

export const requesterOf = ({ requestedBy }: WorldJob): Account => `requester:${requestedBy}`;
export const suiteOf = ({ suite }: WorldJob): Account => `suite:${suite}`;

export const isCheck = ({ check }: WorldRun): boolean => (check ?? null) !== null;

export const payersOf = (job: WorldJob, isForFarm: boolean): { requester: Account; suite: Account } =>
  isForFarm ? farmAccounts : { requester: requesterOf(job), suite: suiteOf(job) };

/** States of a job whose runs may be placed. */
export const runningStates: readonly string[] = ['needs-retrain', 'retraining'];

/** Whether the runs of a job may be placed. */
export const isOpen = (job: MovingJob): boolean =>
  runningStates.includes(job.state) && (job.releasePaused ?? null) === null;

/** Whether a run holds a slot, or may get one. A node is checked after the job's end, too. */
export const isActive = (job: WorldJob, run: WorldRun): boolean =>
  run.holder !== null || isOpen(job) || (isCheck(run) && job.state === 'judged');
