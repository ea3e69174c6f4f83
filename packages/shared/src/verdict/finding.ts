// The sum of a judgement before it is put into words: what the ladder (verdict.ts) hands to in-words.ts.
import type { RunPlace } from '../job/run-place.ts';
import type { Battery } from './battery.ts';
import type { Alarm, Confirmation, Dependence, Lineage, Rung } from './evidence.ts';
import type { JudgedRun } from './judged.ts';

export interface Finding {
  rung: Rung;
  /** The decisive reason, without a full stop. */
  cause: string;
  runs: readonly JudgedRun[];
  moreRuns: number;
  /** The runs asked for where they are no fresh retrains. */
  asks?: RunPlace[];
  battery: Battery | null;
  alpha: number | null;
  reasons: string[];
  alarms: Alarm[];
  confirmation?: Confirmation;
  /** Retrains beyond `runs` that the finding rests on too: those of a confirmation. */
  fresh?: readonly JudgedRun[];
  lineage?: Lineage;
  dependence?: Dependence;
  /** Beside those of the runs and of the rung. */
  taints?: string[];
  limits?: string[];
}

/** A finding whose reasons end with its cause. */
export const finding = (
  rung: Rung,
  cause: string,
  runs: readonly JudgedRun[],
  more: Partial<Omit<Finding, 'rung' | 'cause' | 'runs'>> = {},
): Finding => ({
  rung,
  cause,
  runs,
  moreRuns: 0,
  battery: null,
  alpha: null,
  alarms: [],
  ...more,
  reasons: [...(more.reasons ?? []), `${upperFirst(cause)}.`],
});

export const upperFirst = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
