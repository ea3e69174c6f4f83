// The sum of a judgement before it is put into words: what the ladder (verdict.ts) hands to in-words.ts.
import type { Battery } from './battery.ts';
import type { ModelVerdict, Rung } from './evidence.ts';
import type { JudgedRun } from './judged.ts';

export interface Finding {
  rung: Rung;
  /** The decisive reason, without a full stop. */
  cause: string;
  runs: readonly JudgedRun[];
  moreRuns: number;
  battery: Battery | null;
  alpha: number | null;
  reasons: string[];
  alarms: ModelVerdict['alarms'];
}
