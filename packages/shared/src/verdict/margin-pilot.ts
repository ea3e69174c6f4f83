// What a handful of trainings say of a margin, before it is registered: how far honest retrains scatter, and how many honest
// packages the bound on the metric would let pass.
import { looks } from './looks.ts';
import { meanOf, sdOf } from './moments.ts';
import { ProbeStream } from './probe-stream.ts';
import { metricUpperBound } from './tost.ts';

/** Trainings of a pilot. */
export const pilotRuns = 5;
/** A margin below so many standard deviations is warned of. */
export const soundRatio = 3;

/** 5 % and 95 % points of chi-square with pilotRuns - 1 = 4 degrees of freedom. Source: any table of it. */
const chiSquare = { low: 0.710723, high: 9.487729 };

export interface Spread {
  mean: number;
  /** Sample standard deviation of the metric over trainings, in its unit. */
  sd: number;
  /** 90 % interval for the true one, where the metric is normal over trainings: sd sqrt((n-1) / chi²). */
  interval: [low: number, high: number];
}

/** Null unless there are exactly `pilotRuns` finite values. */
export const spreadOf = (values: readonly number[]): Spread | null => {
  if (values.length !== pilotRuns || !values.every(Number.isFinite)) return null;
  const sd = sdOf(values);
  const end = (point: number): number => sd * Math.sqrt((pilotRuns - 1) / point);
  return { mean: meanOf(values), sd, interval: [end(chiSquare.high), end(chiSquare.low)] };
};

const draws = 20_000;

/**
 * Share of honest packages (0..1) whose metric would be found within a margin of `ratio` standard deviations at the look of 5 or
 * of 10 retrains: shipped and retrained metrics alike are draws of one normal distribution. Simulated with fixed numbers, to about
 * 0.004. Other reasons for which an honest package is not called equivalent are not in it.
 */
export const honestShare = (ratio: number): number => {
  const stream = new ProbeStream('margin pilot', 'honest packages');
  const counts = looks.map(({ k }) => k).filter((k) => k >= 5);
  const most = Math.max(...counts);
  let passed = 0;
  for (let draw = 0; draw < draws; draw += 1) {
    const shipped = stream.normal();
    const retrains = Array.from({ length: most }, () => stream.normal());
    if (counts.some((k) => metricUpperBound(shipped, retrains.slice(0, k))! <= ratio)) passed += 1;
  }
  return passed / draws;
};
