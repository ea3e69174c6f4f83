// How many honest models a farm will call different: said wherever verdicts are listed, for one in a hundred is many a week.
import { looks } from './looks.ts';

/** Honest models that were called different, of all draws. */
export interface MeasuredRate {
  different: number;
  draws: number;
}

/** What the design spends: the alphas of all looks together (Bonferroni); that a difference is confirmed makes it smaller. */
export const designedFalseAlarms: number = looks.reduce((sum, { alpha }) => sum + alpha, 0);

/**
 * Honest models of the task fashion-cnn in docs/reference/error-rates.md, as announced (a difference is confirmed first); null where this
 * version was not measured. A test holds it against the page. Draws share models and are not independent.
 */
export const measuredFalseAlarms = { different: 0, draws: 200 } as MeasuredRate | null;

const measuredShare = (measured: MeasuredRate | null): number =>
  measured === null ? 0 : measured.different / measured.draws;

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
export const expectedFalseAlarms = (
  judged: number,
  measured: MeasuredRate | null = measuredFalseAlarms,
): number => {
  const rate = Math.max(designedFalseAlarms, measuredShare(measured));
  return Math.max(0, Math.ceil(judged * rate - 1e-9));
};

/** One sentence for a page that lists verdicts. `different` of the `judged` models are called so. */
export const falseAlarmSentence = (
  judged: number,
  different: number,
  measured: MeasuredRate | null = measuredFalseAlarms,
): string => {
  if (judged === 0) return 'No model has been judged by statistics yet, so no false alarm is to be expected.';
  const models = judged === 1 ? 'one model' : `${inCountingWords(judged)} models`;
  const are = different === 1 ? 'is' : 'are';
  const rates = `by design ${percent(designedFalseAlarms)}, ${measured === null ? 'not yet measured for this version' : `measured ${measured.different} of ${measured.draws} draws`}`;
  return `Of ${models} judged by statistics ${inCountingWords(different)} ${are} called different; were all honest, up to ${inCountingWords(expectedFalseAlarms(judged, measured))} would be expected (${rates}).`;
};
