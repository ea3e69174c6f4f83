// What one look decides from its battery: different, equivalent, or nothing yet; with the alarms beside it.
import { type Battery, boundsHold } from './battery.ts';
import type { ModelVerdict } from './evidence.ts';
import type { JudgeInput } from './judged.ts';
import { equivalenceFrom, type Look } from './looks.ts';
import { cellWords, counted, shortP } from './sentence.ts';

/** Below or at this family p a model is not called equivalent, though it may not be different either. */
const suspicious = 0.05;

/** A class or output is named beside a difference where its p, Bonferroni over those of its set, is at most this. */
const sliceAlpha = 0.01;

export interface Decision {
  /** Null: this look decides nothing. */
  rung: 'different' | 'statistically-equivalent' | null;
  cause: string;
  reasons: string[];
  alarms: ModelVerdict['alarms'];
}

/** Weighs one look. Pure; nothing of earlier looks is needed. */
export const decide = (model: JudgeInput['model'], look: Look, battery: Battery): Decision => {
  const { familyP } = battery;
  const alarms: ModelVerdict['alarms'] = [];
  const reasons = [`Look at ${counted(look.k)}: p = ${shortP(familyP)}, held against ${look.alpha}.`];
  const undecided = (cause: string): Decision => ({ rung: null, cause, reasons, alarms });
  if (familyP <= look.alpha) {
    const loudest = battery.tests.reduce((a, b) => (b.p < a.p ? b : a));
    alarms.push(...sliceAlarms(battery));
    return { rung: 'different', cause: `${loudest.name} stands out`, reasons, alarms };
  }
  if (battery.tooCloseP <= look.alpha) {
    const detail = `the shipped model lies nearer to the retrains than they do to each other (p = ${shortP(battery.tooCloseP)}), as an average of models or a copy would`;
    alarms.push({ name: 'too-close', detail });
    return undecided(detail);
  }
  const from = equivalenceFrom(model);
  if (look.k < from) return undecided(`equivalence is not decided below ${counted(from)}`);
  if (battery.undefinedTests.length > 0) return undecided(battery.undefinedTests.join('; '));
  if (familyP <= suspicious) return undecided(`p = ${shortP(familyP)} is not above ${suspicious}`);
  if (!boundsHold(battery)) {
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

/** Beside a difference that other tests have shown: the classes or outputs in which it lies. */
const sliceAlarms = ({ cellTests }: Battery): ModelVerdict['alarms'] =>
  cellTests
    .filter(({ p }) => p <= sliceAlpha)
    .map((test) => ({
      name: 'slice' as const,
      detail: `${test.name}: ${cellWords(test, '')} stands out most, ${test.statistic > 0 ? 'above' : 'below'} the retrains (t = ${test.statistic.toFixed(1)}, p = ${shortP(test.p)})`,
    }));
