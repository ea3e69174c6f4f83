// What one look decides from its battery: different, equivalent, or nothing yet; with the alarms beside it.
import { standingAlarms } from './alarms.ts';
import type { Battery } from './battery.ts';
import { boundsHold } from './bounds.ts';
import type { Alarm } from './evidence.ts';
import type { JudgeInput } from './judged.ts';
import { equivalenceFrom, type Look } from './looks.ts';
import { counted, shortP } from './sentence.ts';

/** Below or at this family p a model is not called equivalent, though it may not be different either. */
const suspicious = 0.05;

export interface Decision {
  /** Null: this look decides nothing. */
  rung: 'different' | 'statistically-equivalent' | null;
  cause: string;
  reasons: string[];
  alarms: Alarm[];
}

/** Weighs one look. Pure; nothing of earlier looks is needed. */
export const decide = (model: JudgeInput['model'], look: Look, battery: Battery): Decision => {
  const { familyP } = battery;
  const alarms = standingAlarms(battery, look.alpha);
  const reasons = [`Look at ${counted(look.k)}: p = ${shortP(familyP)}, held against ${look.alpha}.`];
  const undecided = (cause: string): Decision => ({ rung: null, cause, reasons, alarms });
  if (familyP <= look.alpha) {
    const loudest = battery.tests.reduce((a, b) => (b.p < a.p ? b : a));
    return { rung: 'different', cause: `${loudest.name} stands out`, reasons, alarms };
  }
  const standing = alarms[0];
  if (standing) return undecided(standing.detail);
  const from = equivalenceFrom(model);
  if (look.k < from) return undecided(`equivalence is not decided below ${counted(from)}`);
  if (battery.undefinedTests.length > 0) return undecided(battery.undefinedTests.join('; '));
  if (familyP <= suspicious) return undecided(`p = ${shortP(familyP)} is not above ${suspicious}`);
  if (!boundsHold(battery.bounds)) {
    const failed = battery.bounds.filter(({ holds }) => !holds);
    const named = failed.map(
      ({ name, upper, limit }) => `${name} may be as large as ${upper.toPrecision(3)}, above ${limit}`,
    );
    return undecided(named.join('; ') || 'a bound could not be measured');
  }
  return {
    rung: 'statistically-equivalent',
    cause: 'no test stands out and both bounds hold',
    reasons,
    alarms,
  };
};
