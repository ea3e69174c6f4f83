// "Why is this not running?": the decision of this moment, told for one job.
import type { JobState } from '../job/states.ts';
import { displayDuration } from '../units/duration.ts';
import { decide, queueOf, type Refusal } from './decide.ts';
import type { World } from './world.ts';

export interface RunExplanation {
  runId: string;
  seedIndex: number;
  state: 'waiting' | 'leased';
  /** One sentence. */
  sentence: string;
  /** Place among all waiting runs, from 1; null where it does not wait. */
  place: number | null;
  /** Why no slot took it; null where one does, or has. */
  refusal: Refusal | null;
}

export interface JobExplanation {
  jobId: string;
  state: JobState;
  /** One sentence for people. */
  sentence: string;
  runs: RunExplanation[];
}

/** Explains a job of the world; null where the world has none of this id (it asks nothing any more). */
export function explainJob(world: World, now: Date, jobId: string): JobExplanation | null {
  const job = world.jobs.find((one) => one.jobId === jobId);
  if (job === undefined) return null;
  const queue = queueOf(world);
  const { actions, refusals } = decide(world, now);
  const runs = world.runs
    .filter((run) => run.jobId === jobId)
    .sort((a, b) => a.seedIndex - b.seedIndex)
    .map((run): RunExplanation => {
      const index = queue.findIndex((one) => one.run.runId === run.runId);
      const refusal = refusals.find((one) => one.runId === run.runId) ?? null;
      const action = actions.find((one) => one.runId === run.runId);
      const node = world.nodes.find(({ nodeId }) => nodeId === run.holder?.nodeId);
      const sentence = run.holder
        ? `runs on ${node?.name ?? run.holder.nodeId} slot ${run.holder.slot}`
        : action
          ? `is about to be placed on ${action.reason}`
          : (refusal?.reason ?? `waits while the job is ${job.state}`);
      return {
        runId: run.runId,
        seedIndex: run.seedIndex,
        state: run.state,
        sentence,
        place: index < 0 ? null : index + 1,
        refusal,
      };
    });
  return { jobId, state: job.state, sentence: sentenceOf(job, runs, now), runs };
}

function sentenceOf(job: World['jobs'][number], runs: readonly RunExplanation[], now: Date): string {
  const age = displayDuration(Math.max(0, (now.getTime() - job.requestedAt.getTime()) / 1_000));
  const why = job.reason === null ? '' : `: ${job.reason.replace(/\.$/, '')}`;
  if (job.state !== 'needs-retrain' && job.state !== 'retraining') return `The job is in ${job.state}${why}.`;
  const running = runs.filter(({ state }) => state === 'leased').length;
  const [waiting] = runs.filter(({ state }) => state === 'waiting');
  const parts: string[] = [];
  if (running > 0) parts.push(`${running} of its runs ${running === 1 ? 'is' : 'are'} running`);
  if (waiting)
    parts.push(
      `run ${waiting.runId} (place ${waiting.place}) ${waiting.refusal ? 'waits: ' : ''}${waiting.sentence}`,
    );
  if (parts.length === 0) parts.push('it has no run yet, or all are reported; the next tick goes on');
  return `Asked for ${age} ago; ${parts.join('; ')}.`;
}
