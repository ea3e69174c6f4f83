// How many honest models a farm will call different: said wherever verdicts are listed, for one in a hundred is many a week.
import { looks } from './looks.ts';

/** A share of honest models that was called different. */
export interface MeasuredRate {
  different: number;
  draws: number;
}

/** What the design spends: the alphas of all looks together (Bonferroni), before a difference is confirmed. */
export const designedFalseAlarms: number = looks.reduce((sum, { alpha }) => sum + alpha, 0);

/**
 * Honest models of the first task in docs/reference/error-rates.md, all draws: a test holds the two numbers together. Draws share
 * models and are not independent.
 */
export const measuredFalseAlarms: MeasuredRate = { different: 23, draws: 400 };

/** Counts as people say them, to twelve. */
const words = [
  'none',
  'one',
  'two',
  'three',
  'four',
  'five',
  'six',
  'seven',
  'eight',
  'nine',
  'ten',
  'eleven',
  'twelve',
];
export const inCountingWords = (count: number): string => words[count] ?? count.toLocaleString('en');

const percent = (share: number): string => `${Number((100 * share).toPrecision(2))} %`;

/** Of `judged` models that statistics have judged, how many honest ones are expected to be called different, rounded up. */
export const expectedFalseAlarms = (judged: number): number => {
  const rate = Math.max(designedFalseAlarms, measuredFalseAlarms.different / measuredFalseAlarms.draws);
  return Math.max(0, Math.ceil(judged * rate - 1e-9));
};

/** One sentence for a page that lists verdicts. `different` of the `judged` models are called so. */
export const falseAlarmSentence = (judged: number, different: number): string => {
  if (judged === 0) return 'No model has been judged by statistics yet, so no false alarm is to be expected.';
  const { different: wrong, draws } = measuredFalseAlarms;
  const models = judged === 1 ? 'one model' : `${inCountingWords(judged)} models`;
  const are = different === 1 ? 'is' : 'are';
  return `Of ${models} judged by statistics ${inCountingWords(different)} ${are} called different; were all honest, up to ${inCountingWords(expectedFalseAlarms(judged))} would be expected (by design ${percent(designedFalseAlarms)}, measured ${percent(wrong / draws)}).`;
};
