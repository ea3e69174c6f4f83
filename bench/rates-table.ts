// The report of the error-rate bench, as JSON or as a Markdown table that docs/reference/error-rates.md may take over.
import { meanOf, sdOf } from '@retraind/shared/verdict/moments';
import { clopperPearson } from './clopper-pearson.ts';
import type { Rates } from './draws.ts';

export interface RatesReport {
  margin: number;
  accuracy: { honest: number[]; tampered: number[] };
  honest: Rates;
  tampered: Rates;
  seconds: number;
}

/** Goals of the project: at least nine in ten tampered models found, at most one in twenty honest ones called different. */
const leastFound = 0.9;
const mostFalse = 0.05;

/** Prints to stdout; whether both goals are met, by the first draw of each model. */
export const printRates = (report: RatesReport, form: 'json' | 'text'): boolean => {
  const found = (report.tampered.first.different ?? 0) / report.tampered.models;
  const falselyFound = (report.honest.first.different ?? 0) / report.honest.models;
  const met = found >= leastFound && falselyFound <= mostFalse;
  if (form === 'json') {
    const interval = ({ first, models }: Rates) => clopperPearson(first.different ?? 0, models);
    const intervals = { honest: interval(report.honest), tampered: interval(report.tampered) };
    console.log(JSON.stringify({ ...report, differentInterval95: intervals, met }, null, 2));
    return met;
  }
  console.log(
    [
      '| shipped | models | different (95 % interval) | equivalent | inconclusive | mean k | all draws: different | equivalent | inconclusive |',
      '|---|---|---|---|---|---|---|---|---|',
      row('honest', report.honest),
      row('tampered', report.tampered),
      '',
      ...(['honest', 'tampered'] as const).map((kind) => accuracyLine(kind, report.accuracy[kind])),
      ...(['honest', 'tampered'] as const).map((kind) => decidedLine(kind, report[kind])),
      `margin ${report.margin}; ${report.seconds} s`,
      met
        ? 'both goals are met'
        : 'a goal is missed: 9 of 10 tampered found, 1 of 20 honest called different',
    ].join('\n'),
  );
  return met;
};

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

const row = (name: string, rates: Rates): string => {
  const { models, first, share, meanK } = rates;
  const different = first.different ?? 0;
  const { low, high } = clopperPearson(different, models);
  const cells = [
    name,
    models,
    `${different} (${percent(low)} to ${percent(high)})`,
    first['statistically-equivalent'] ?? 0,
    first.inconclusive ?? 0,
    meanK.toFixed(1),
    percent(share.different ?? 0),
    percent(share['statistically-equivalent'] ?? 0),
    percent(share.inconclusive ?? 0),
  ];
  return `| ${cells.join(' | ')} |`;
};

const accuracyLine = (kind: string, values: number[]): string =>
  `accuracy of ${values.length} ${kind} models: ${meanOf(values).toFixed(4)}, sd ${sdOf(values).toFixed(4)}`;

const decidedLine = (kind: string, { decidedBy }: Rates): string => {
  const counts = Object.entries(decidedBy).sort(([, a], [, b]) => b - a);
  const named = counts.map(([test, n]) => `${test} ${n}`).join(', ');
  return `${kind}: ${counts.length === 0 ? 'no draw was different' : `different by ${named}`}`;
};
