// Progress of a local job: a bar a run with its step and ETA on a terminal, one line a change elsewhere.
import { type RunStep, runSteps } from '@retraind/shared/job/states';
import type { LocalJobEvent } from '@retraind/worker/local-job';
import { MultiBar, Presets, type SingleBar } from 'cli-progress';

export interface RunProgress {
  show(event: LocalJobEvent): void;
  stop(): void;
}

/** Hundredths of a run: training is nearly all of it, so that the ETA of the bar is about right. */
const stepStarts: Record<RunStep, number> = {
  fetch: 0,
  unpack: 2,
  train: 4,
  evaluate: 92,
  pack: 98,
  report: 99,
};
const whole = 100;

const positionOf = (step: RunStep, fraction: number | null): number => {
  const next = runSteps[runSteps.indexOf(step) + 1];
  const end = next === undefined ? whole : stepStarts[next];
  return stepStarts[step] + (fraction ?? 0) * (end - stepStarts[step]);
};

const endOf = (event: LocalJobEvent & { kind: 'run-ended' }): string => {
  const { outcome } = event;
  if (outcome.kind === 'broken') return `broken at ${outcome.step}, blame ${outcome.blame}`;
  const metrics = outcome.outputs.flatMap(({ evidence }) =>
    evidence.metric ? [`${evidence.metric.name} ${evidence.metric.value.toFixed(4)}`] : [],
  );
  const seconds = `trained in ${outcome.trainSeconds.toFixed(1)} s`;
  return [event.kept ? 'kept from before' : seconds, `seed ${outcome.seed}`, ...metrics].join(', ');
};

function bars(): RunProgress {
  const multi = new MultiBar(
    {
      format: 'run {run} {bar} ETA {eta_formatted}  {state}',
      stream: process.stderr,
      hideCursor: true,
      autopadding: true,
    },
    Presets.shades_classic,
  );
  const known = new Map<number, SingleBar>();
  const update = (run: number, position: number, state: string): void => {
    const payload = { run: String(run).padStart(2), state };
    const bar = known.get(run) ?? multi.create(whole, position, payload);
    known.set(run, bar);
    bar.update(position, payload);
  };
  return {
    show(event) {
      if (event.kind === 'run-started') update(event.run, 0, 'fetch');
      if (event.kind === 'step') update(event.run, positionOf(event.step, event.fraction), event.step);
      if (event.kind === 'run-ended') update(event.run, whole, endOf(event));
    },
    stop: () => multi.stop(),
  };
}

function lines(say: (line: string) => void): RunProgress {
  const steps = new Map<number, RunStep>();
  return {
    show(event) {
      if (event.kind === 'step' && steps.get(event.run) !== event.step) {
        steps.set(event.run, event.step);
        say(`run ${event.run}: ${event.step}`);
      }
      if (event.kind === 'run-ended') say(`run ${event.run}: ${endOf(event)}`);
    },
    stop: () => undefined,
  };
}

/** Bars where stderr is a terminal, lines elsewhere. */
export const openRunProgress = (say: (line: string) => void): RunProgress =>
  process.stderr.isTTY === true ? bars() : lines(say);
