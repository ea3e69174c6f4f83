// The report of a task as Markdown.
import type { TestId } from '@retraind/shared/verdict/evidence';
import { testIds } from '@retraind/shared/verdict/evidence';
import type { Rate } from './rates.ts';
import { type GoalReport, type PopulationReport, shownK } from './report.ts';
import { honest, type Task } from './task.ts';

export interface TaskReport {
  task: string;
  quick: boolean;
  /** ISO date. */
  measured: string;
  engine: string;
  evaluator: string;
  margin: number;
  populations: PopulationReport[];
  goals: GoalReport[];
  seconds: number;
}

const percent = (share: number): string => `${(100 * share).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`;

/** Share of draws, then models of the first draws with their interval. */
const rateText = ({ share, count, models, interval95 }: Rate): string => {
  const [low, high] = [interval95.low, interval95.high].map((bound) => Math.round(100 * bound));
  return `${percent(share)}; ${count} of ${models} (${low}–${high} %)`;
};

export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

const figureText = (figures: Record<string, number>): string =>
  Object.entries(figures)
    .map(([name, value]) => `${name} ${value.toFixed(2)}`)
    .join(', ');

const titleOf = ({ name, title }: PopulationReport): string => (name === honest ? `**${title}**` : title);

const verdictTable = (metric: string, populations: readonly PopulationReport[]): string =>
  table(
    [
      'shipped model',
      'draws',
      'different',
      'equivalent',
      'inconclusive',
      'mean k',
      'metric alone: different',
      metric,
      'noted',
    ],
    populations.map((population) => {
      const { confirmed } = population.verdicts;
      return [
        titleOf(population),
        String(confirmed.different.draws),
        rateText(confirmed.different),
        percent(confirmed['statistically-equivalent'].share),
        percent(confirmed.inconclusive.share + confirmed.other.share),
        confirmed.meanK.toFixed(1),
        percent(population.metricOnly.share),
        population.metric.mean.toFixed(4),
        figureText(population.figures),
      ];
    }),
  );

const contrastTable = (populations: readonly PopulationReport[]): string =>
  table(
    [
      'shipped model',
      'different',
      'unconfirmed',
      'without dNC: different',
      'unconfirmed',
      'equivalent',
      'decided by (draws)',
    ],
    populations.map((population) => {
      const { verdicts, withoutTriggers, decidedBy } = population;
      const share = ({ share }: Rate): string => percent(share);
      const without = withoutTriggers
        ? [
            share(withoutTriggers.confirmed.different),
            share(withoutTriggers.unconfirmed.different),
            share(withoutTriggers.confirmed['statistically-equivalent']),
          ]
        : ['', '', ''];
      const deciders = Object.entries(decidedBy).slice(0, 3);
      return [
        titleOf(population),
        share(verdicts.confirmed.different),
        share(verdicts.unconfirmed.different),
        ...without,
        deciders.map(([test, draws]) => `${test} ${draws}`).join(', '),
      ];
    }),
  );

const idsOf = (populations: readonly PopulationReport[]): TestId[] =>
  testIds.filter((id) => populations.some(({ tests }) => shownK.some((k) => tests[k][id])));

/** Sizes of the single tests on honest models. */
const sizeTable = (populations: readonly PopulationReport[]): string => {
  const untampered = populations.find(({ name }) => name === honest)!;
  return table(
    ['test', ...shownK.flatMap((k) => [`k = ${k}, at 1 %`, 'at 5 %'])],
    idsOf([untampered]).map((id) => [
      id,
      ...shownK.flatMap((k) => {
        const rates = untampered.tests[k][id];
        return rates ? [percent(rates.at1.share), rateText(rates.at5)] : ['', ''];
      }),
    ]),
  );
};

/** Power of the single tests at 1 %, k = 5. */
const powerTable = (populations: readonly PopulationReport[]): string => {
  const ids = idsOf(populations);
  return table(
    ['shipped model', ...ids],
    populations.map((population) => [
      titleOf(population),
      ...ids.map((id) => {
        const rates = population.tests[5][id];
        return rates ? (Math.round(100 * rates.at1.share) / 100).toFixed(2) : '';
      }),
    ]),
  );
};

const goalWords = ({ population, of, atLeast, atMost }: GoalReport): string => {
  const bound = atLeast !== undefined ? `at least ${atLeast}` : `at most ${atMost}`;
  return `${population} ${of} ${bound}`;
};

export const goalLines = (goals: readonly GoalReport[]): string[] =>
  goals.map((goal) => `- ${goalWords(goal)}: ${goal.value.toFixed(3)}, ${goal.met ? 'met' : '**missed**'}`);

/** The section of a task. */
export const sectionOf = (task: Task, report: TaskReport): string => {
  const { populations } = report;
  const alarms = populations
    .filter(({ alarms }) => Object.keys(alarms).length > 0)
    .map(({ title, alarms, verdicts }) => {
      const named = Object.entries(alarms).map(([name, draws]) => `${name} ${draws}`);
      return `- ${title} (${verdicts.confirmed.different.draws} draws): ${named.join(', ')}`;
    });
  return [
    `## ${task.title}`,
    task.about,
    `\`npm run calibrate -- ${task.name}${report.quick ? ' --quick' : ''}\`, measured on ${report.measured} in ${Math.ceil(report.seconds / 60)} min; ${report.engine}; ${report.evaluator}; Node ${process.versions.node}.`,
    'Verdicts as the product gives them, all tests, differences confirmed by ten fresh retrains:',
    verdictTable(task.model.metric!, populations),
    'What confirmation and the search for triggers (dNC) change; the test with the smallest p in draws that a look called different:',
    contrastTable(populations),
    'Each test alone on honest models: share of draws with p at most 1 % and 5 %; a test of the right size has 1 % and 5 %.',
    sizeTable(populations),
    'Each test alone at 1 %, five retrains: share of draws that it rejects.',
    powerTable(populations),
    ...(alarms.length > 0 ? ['Alarms beside the verdicts, in draws:', alarms.join('\n')] : []),
    'Goals:',
    goalLines(report.goals).join('\n'),
  ].join('\n\n');
};
