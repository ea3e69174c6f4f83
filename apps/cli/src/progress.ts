// Progress of jobs: bars with ETA on a terminal, one line a change elsewhere. Talk goes to stderr.
import type { JobSummary } from '@retraind/shared/wire/resources';
import { MultiBar, Presets, type SingleBar } from 'cli-progress';

export interface JobProgress {
  show(jobs: JobSummary[]): void;
  stop(): void;
}

/** Work done in a job, in runs: whole ones reported, and the fraction of those under way. */
const runsDone = (job: JobSummary): number =>
  job.state === 'judged' ? job.runsWanted : Math.min(job.runsWanted, (job.progress ?? 0) * job.runsWanted);

const stateOf = (job: JobSummary): string => {
  const final = job.verdicts.filter((verdict) => verdict.final);
  if (final.length > 0) return final.map((verdict) => verdict.rung).join(', ');
  return job.reason && job.state !== 'retraining' ? `${job.state}: ${job.reason}` : job.state;
};

function bars(): JobProgress {
  const multi = new MultiBar(
    {
      format: '{name} {bar} {runs} runs  ETA {eta_formatted}  {state}',
      stream: process.stderr,
      hideCursor: true,
      clearOnComplete: false,
      autopadding: true,
    },
    Presets.shades_classic,
  );
  const known = new Map<string, SingleBar>();
  return {
    show(jobs) {
      const width = Math.max(...jobs.map((job) => job.source.length + job.version.length + 1));
      for (const job of jobs) {
        const payload = {
          name: `${job.source} ${job.version}`.padEnd(width),
          runs: `${job.runsReported}/${job.runsWanted}`,
          state: stateOf(job),
        };
        // Bars count hundredths of a run, so that ETA follows the steps within a run.
        const total = Math.max(1, job.runsWanted) * 100;
        const value = Math.round(runsDone(job) * 100);
        const bar = known.get(job.jobId) ?? multi.create(total, value, payload);
        known.set(job.jobId, bar);
        bar.setTotal(total);
        bar.update(value, payload);
      }
    },
    stop: () => multi.stop(),
  };
}

function lines(say: (line: string) => void): JobProgress {
  const told = new Map<string, string>();
  return {
    show(jobs) {
      for (const job of jobs) {
        const line = `${job.source} ${job.version}: ${job.runsReported}/${job.runsWanted} runs, ${stateOf(job)}`;
        if (told.get(job.jobId) !== line) say(line);
        told.set(job.jobId, line);
      }
    },
    stop: () => undefined,
  };
}

/** Bars where stderr is a terminal, lines elsewhere. */
export const openJobProgress = (say: (line: string) => void): JobProgress =>
  process.stderr.isTTY === true ? bars() : lines(say);
