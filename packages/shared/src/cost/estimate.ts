// How long a run of a recipe takes, told from what was measured: a pilot of this version, else earlier runs of the source, else a
// pilot of another version. What nobody measured is `unknown`, and said so: a guess would be believed.
import { displayDuration } from '../units/duration.ts';

export const estimateBases = ['pilot', 'earlier-runs', 'unknown'] as const;
export type EstimateBasis = (typeof estimateBases)[number];

/** One run that was timed, start to end. */
export interface Timing {
  version: string;
  seconds: number;
  /** Devices that it used; 0 for a CPU. */
  gpus: number;
  /** Their names, or what a pilot was measured on; null for a CPU slot. */
  device: string | null;
}

export interface RunEstimate {
  basis: EstimateBasis;
  /** Median; null where unknown. */
  seconds: number | null;
  /** The shortest and longest that were seen; of a single timing half and double. */
  range: [number, number] | null;
  gpus: number;
  device: string | null;
  /** One phrase for people. */
  detail: string;
}

export const unknownEstimate: RunEstimate = {
  basis: 'unknown',
  seconds: null,
  range: null,
  gpus: 0,
  device: null,
  detail: 'unknown: neither a pilot nor an earlier run was timed',
};

/** Timings of older runs say less than those of the newest; more than these are not looked at. */
export const mostTimings = 20;

/** Both lists newest first. */
export function estimateOf(
  version: string,
  pilots: readonly Timing[],
  earlier: readonly Timing[],
): RunEstimate {
  const own = pilots.filter((timing) => timing.version === version);
  if (own.length > 0) return from('pilot', own);
  if (earlier.length > 0) return from('earlier-runs', earlier);
  return pilots.length > 0 ? from('pilot', pilots) : unknownEstimate;
}

/** Timings on devices and on CPUs are never mixed: those like the newest count. */
function from(basis: EstimateBasis, timings: readonly Timing[]): RunEstimate {
  const newest = timings[0]!;
  const alike = timings
    .filter(({ gpus, device }) => gpus === newest.gpus && device === newest.device)
    .slice(0, mostTimings);
  const seconds = alike.map((timing) => timing.seconds).sort((a, b) => a - b);
  const median = (seconds[(seconds.length - 1) >> 1]! + seconds[seconds.length >> 1]!) / 2;
  const range: [number, number] =
    seconds.length === 1 ? [median / 2, median * 2] : [seconds[0]!, seconds.at(-1)!];
  const many = seconds.length === 1 ? '' : 's';
  const what = basis === 'pilot' ? `training${many} of a pilot` : `earlier run${many}`;
  const where = newest.device === null ? 'a CPU slot' : newest.device;
  return {
    basis,
    seconds: median,
    range,
    gpus: newest.gpus,
    device: newest.device,
    detail: `${displayDuration(median)} a run, by ${seconds.length} ${what} of ${newest.version} on ${where}`,
  };
}
