// One honest sentence for a verdict, with its numbers. Words matter: a retrain shows agreement or disagreement with the declared
// pipeline, never intent and never safety (a test keeps "malicious", "backdoor" and "safe" out of here).
import type { ModelVerdict, TestResult } from './evidence.ts';

type Facts = Omit<ModelVerdict, 'sentence' | 'limits'>;

/** `cause` is the decisive reason in words without a full stop; it is used where numbers do not speak for themselves. */
export const sentenceOf = (facts: Facts, cause: string): string => {
  const { model, k } = facts;
  switch (facts.rung) {
    case 'bit-identical':
      return `${model} is bit-identical to a retrain: ${cause}.`;
    case 'same-run':
      return `${model} is the declared run within the measured noise of its arithmetic: ${cause}.`;
    case 'statistically-equivalent':
      return `${model} behaves like a retrain: ${metricClause(facts)}${churnClause(facts)}, nothing in ${facts.tests.length} tests stands out (p = ${shortP(facts.familyP)})${gapClause(facts)}.`;
    case 'different':
      return facts.tests.length === 0
        ? `${model}: shipped and declared pipeline disagree: ${cause}.`
        : `${model}: shipped and declared pipeline disagree: ${cause} (p = ${shortP(facts.familyP)} over ${facts.tests.length} tests, held against ${facts.alpha}${confirmedClause(facts)}); ${metricClause(facts)}${churnClause(facts)}.`;
    case 'inconclusive':
      return k === 0
        ? `${model} is not judged yet: ${cause}.`
        : `${model} is neither shown to behave like a retrain nor shown to differ after ${counted(k)}: ${cause}.`;
    case 'not-verifiable':
      return `${model} cannot be verified: ${cause}.`;
  }
};

/** `retrain` counted: "1 retrain", "5 retrains". */
export const counted = (k: number): string => `${k} retrain${k === 1 ? '' : 's'}`;

/** Which cell of a test stands out, "class 3 of 0–9" after `before`; nothing for a test of one number. */
export const cellWords = ({ cells }: Pick<TestResult, 'cells'>, before: string): string => {
  if (!cells) return '';
  const { kind, count, worst, outputs = 1 } = cells;
  if (kind !== 'slice') return `${before}${kind} ${worst} of 0–${count - 1}`;
  const output = outputs === 1 ? '' : `, output ${worst % outputs} of 0–${outputs - 1}`;
  return `${before}slice ${Math.floor(worst / outputs)} of 0–${count / outputs - 1}${output}`;
};

/** A p-value for people: two significant digits, scientific below 0.001. */
export const shortP = (p: number | null): string => {
  if (p === null) return 'not computed';
  return p < 0.001 ? p.toExponential(1) : String(Number(p.toPrecision(2)));
};

const metricClause = ({ metric, k }: Facts): string =>
  metric === null
    ? `${counted(k)}`
    : `${metric.name} ${metric.shipped.toFixed(4)} against ${metric.mean.toFixed(4)} ± ${metric.sd.toFixed(4)} in ${counted(k)}`;

const confirmedClause = ({ confirmation }: Facts): string =>
  confirmation
    ? `; ${counted(confirmation.seeds.length).replace(' ', ' fresh ')} confirm it, p = ${shortP(confirmation.familyP)}`
    : '';

/** In which world the reader is: what does not memorise carries no trace of its data. */
const gapClause = ({ gap }: Facts): string => {
  if (!gap) return '; fit to the training data was not tested';
  return gap.showsOtherData
    ? ''
    : '; the retrains do not memorise their data, so that it leaves hardly a trace';
};

const churnClause = ({ churnRatio }: Facts): string =>
  churnRatio === null ? '' : `, churn ratio ${churnRatio.toFixed(2)}`;
