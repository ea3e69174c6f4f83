// What the scheduler does for a job between two decisions (apps/scheduler/src/judge): its first run, the runs of its current
// look, or its end. The planner of runs is the farm's own; only the verdict is drawn: how many retrains settle the job.
import { isAnswer } from '../job/failure.ts';
import { placesBeyond, type RunPlace } from '../job/run-place.ts';
import { looksOf } from '../verdict/looks.ts';
import { plannedRuns } from '../verdict/run-plan.ts';
import type { JobRow } from './rows.ts';
import type { Truth } from './truth.ts';
import type { SimulatedJob } from './workload.ts';

const dependence: RunPlace = {
  purpose: 'dependence',
  seedIndex: 1,
  declaredSeed: null,
  numerics: 0,
  repeat: 0,
};

/** What a verdict over k retrains asks for: the next look, the run on shortened data, or nothing. */
function verdictOf({ model, settledAt }: SimulatedJob, k: number): Parameters<typeof plannedRuns>[1] {
  if (k === 0) return [];
  if (model.comparison === 'bitwise') return [{ k, moreRuns: 1, asks: [dependence] }];
  const next = k >= settledAt ? undefined : looksOf(model).find((look) => look.k > k);
  return [{ k, moreRuns: next ? next.k - k : 0 }];
}

/** Makes the runs that the job should have by now, or judges it. */
export function attend(truth: Truth, job: JobRow, spec: SimulatedJob): void {
  const { state } = job.world;
  if (state !== 'needs-retrain' && state !== 'retraining') return;
  const reported = job.runs.filter((run) => run.state === 'reported');
  const live = job.runs.filter((run) => run.state === 'waiting' || run.state === 'leased');
  const unmade = job.runs.filter(
    ({ state: runState, place, blame, code }) =>
      runState === 'broken' && isAnswer({ purpose: place.purpose, blame, code }),
  );
  const there = [...reported, ...live, ...unmade].map(({ place }) => place);
  // The recipe is unknown before a first run has seen it.
  const isKnown = reported.length > 0;
  const planned = plannedRuns(isKnown ? [spec.model] : [], []);
  if (placesBeyond(planned, there).length > 0) {
    truth.add(job, planned);
    return;
  }
  if (!isKnown || live.length > 0) return;
  const k = reported.filter(({ place }) => place.purpose === 'retrain').length;
  const next = plannedRuns([spec.model], verdictOf(spec, k));
  if (placesBeyond(next, there).length > 0) truth.add(job, next);
  else truth.moveJob(job, 'judged', '');
}
