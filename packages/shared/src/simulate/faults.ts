// What goes wrong in a simulated farm, and how often: Poisson processes, each with a stream of its own, so that the same
// faults meet every policy. Rates are of the simulation's making; heavy is ten bad farms in one.
import { ProbeStream } from '../verdict/probe-stream.ts';

export const faultLevels = ['none', 'light', 'heavy'] as const;
export type FaultLevel = (typeof faultLevels)[number];

export const faultKinds = [
  'lost-worker',
  'lost-node',
  'stopped-worker',
  'slow-disk',
  'ecc',
  'clock-skew',
  'split-network',
  'queue-flushed',
  'scheduler-lost',
  'farm-away',
] as const;
export type FaultKind = (typeof faultKinds)[number];

interface FaultRule {
  /** A day, for each of what it befalls. */
  perDay: { light: number; heavy: number };
  of: 'slot' | 'node' | 'farm';
  /** Median of its duration and the standard deviation of its logarithm. */
  medianSeconds: number;
  sigma: number;
  what: string;
}

/** Read beside docs/how-to/try-a-policy.md, which prints it. */
export const faultRules: Record<FaultKind, FaultRule> = {
  'lost-worker': {
    perDay: { light: 0.01, heavy: 0.1 },
    of: 'slot',
    medianSeconds: 15,
    sigma: 1,
    what: 'SIGKILL; started again',
  },
  'lost-node': {
    perDay: { light: 0.003, heavy: 0.03 },
    of: 'node',
    medianSeconds: 1_800,
    sigma: 1.2,
    what: 'power or kernel; all its slots',
  },
  'stopped-worker': {
    perDay: { light: 0.005, heavy: 0.05 },
    of: 'slot',
    medianSeconds: 300,
    sigma: 1.5,
    what: 'SIGSTOP or a paused machine; wakes with its old epoch',
  },
  'slow-disk': {
    perDay: { light: 0.005, heavy: 0.05 },
    of: 'node',
    medianSeconds: 14_400,
    sigma: 0.7,
    what: 'reading and writing takes 12 times as long',
  },
  ecc: {
    perDay: { light: 0.001, heavy: 0.01 },
    of: 'slot',
    medianSeconds: 0,
    sigma: 0,
    what: 'uncorrectable memory errors until an admin mends the node',
  },
  'clock-skew': {
    perDay: { light: 0.002, heavy: 0.02 },
    of: 'node',
    medianSeconds: 3_600,
    sigma: 0.8,
    what: 'a clock off by up to ten minutes',
  },
  'split-network': {
    perDay: { light: 0.1, heavy: 1 },
    of: 'farm',
    medianSeconds: 90,
    sigma: 1.3,
    what: 'up to a third of the nodes cannot reach the farm',
  },
  'queue-flushed': {
    perDay: { light: 0.1, heavy: 1 },
    of: 'farm',
    medianSeconds: 10,
    sigma: 0.5,
    what: 'every ring is lost, and those of the next moments',
  },
  'scheduler-lost': {
    perDay: { light: 0.05, heavy: 0.5 },
    of: 'farm',
    medianSeconds: 10,
    sigma: 0.3,
    what: 'no tick until a standby leads',
  },
  'farm-away': {
    perDay: { light: 0.03, heavy: 0.2 },
    of: 'farm',
    medianSeconds: 60,
    sigma: 1,
    what: 'database or api restarted: nobody is heard',
  },
};

/** How often as long reading and writing takes on a slow disk. */
export const slowDiskFactor = 12;

/** An admin mends a drained node; median of the time and sigma of its logarithm. */
export const repair = { medianSeconds: 8 * 3_600, sigma: 0.6 };

export interface Fault {
  kind: FaultKind;
  atSeconds: number;
  durationSeconds: number;
  /** Which of what it befalls, from 0. */
  index: number;
  /** A number of its own in (0, 1): how large, which way. */
  extent: number;
}

/** Milliseconds that a lognormal time of this median lasts. */
export const drawMilliseconds = (
  stream: ProbeStream,
  { medianSeconds, sigma }: { medianSeconds: number; sigma: number },
): number => Math.round(1_000 * medianSeconds * Math.exp(sigma * stream.normal()));

/** The faults of one kind on one farm, one after the other and without end. */
export function* faultsOf(
  kind: FaultKind,
  level: Exclude<FaultLevel, 'none'>,
  seed: string,
  count: Record<FaultRule['of'], number>,
): Generator<Fault, never> {
  const rule = faultRules[kind];
  const stream = new ProbeStream(seed, `fault-${kind}`);
  const perSecond = (rule.perDay[level] * count[rule.of]) / 86_400;
  let atSeconds = 0;
  for (;;) {
    atSeconds += -Math.log(stream.uniform()) / perSecond;
    const durationSeconds = drawMilliseconds(stream, rule) / 1_000;
    const index = Math.floor(stream.uniform() * count[rule.of]);
    yield { kind, atSeconds, durationSeconds, index, extent: stream.uniform() };
  }
}
