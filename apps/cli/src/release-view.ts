// A release in lines: what is planned, and what it has come to.
import { shortHours } from '@retraind/shared/policy/approval';
import type { Release, ReleasePlan } from '@retraind/shared/wire/campaigns';
import type { JobSummary } from '@retraind/shared/wire/resources';
import type { Static } from 'typebox';
import { table } from './output.ts';

type Plan = Static<typeof ReleasePlan>;
type Span = Plan['sums']['gpuHours'];

const span = ({ least, expected, most }: Span): string =>
  most === 0 ? '0' : `${shortHours(expected)} (${shortHours(least)} to ${shortHours(most)})`;

const runs = ({ fewest, expected, most }: Plan['items'][number]['runs']): string =>
  `${expected} (${fewest} to ${most})`;

const units = { gpu: 'GPU-h', cpu: 'CPU-h' } as const;

/** What one package would cost; where nobody has timed it, what its own time limits allow. */
function cost({ hours, unit, boundHours }: Plan['items'][number]): string {
  if (hours !== null) return `${span(hours)} ${units[unit]}`;
  return boundHours === null ? 'unknown' : `unknown; at most ${shortHours(boundHours)} ${units[unit]}`;
}

/** List, refusals and sums of a plan. */
export function planLines({ suite, items, done, refusals, sums, budgets }: Plan): string[] {
  const rows = items.map((item) => [
    `${item.source} ${item.version}`,
    item.origin,
    item.models === null ? 'not known before a first run' : item.models.join(', '),
    runs(item.runs),
    cost(item),
    item.kilowattHours === null ? 'unknown' : span(item.kilowattHours),
    item.estimate.detail,
  ]);
  const head = ['PACKAGE', 'RECIPE', 'MODELS', 'RUNS', 'HOURS', 'kWh (estimated)', 'BY'];
  return [
    `A release of ${suite} would retrain ${sums.packages} package(s):`,
    ...(rows.length === 0 ? ['  nothing'] : [table([head, ...rows])]),
    ...(done.length === 0 ? [] : ['', `Nothing to do for ${done.length} package(s) that have their answer:`]),
    ...done.map((one) => `  ${one.source} ${one.version}: job ${one.jobId} is ${one.state}`),
    '',
    `Refused: ${refusals.length} package(s)${refusals.length === 0 ? '' : ':'}`,
    ...refusals.map((one) => `  ${one.source} ${one.version}: ${one.reason}`),
    '',
    `Sums: ${sums.models} model(s) known by name, runs ${span(sums.runs)}, GPU-hours ${span(sums.gpuHours)}, CPU-hours ${span(sums.cpuHours)}, kWh ${span(sums.kilowattHours)} (estimated)`,
    ...(sums.untimed === 0 ? [] : [`  without ${sums.untimed} package(s) that nobody has timed`]),
    ...budgets.map(
      ({ account, unit, leftHours, neededHours, suffices }) =>
        `Budget of ${account}: ${shortHours(leftHours)} ${units[unit]} left, about ${shortHours(neededHours)} needed${suffices ? '' : ': TOO LITTLE, jobs will wait for it'}`,
    ),
  ];
}

const counted = (counts: readonly { count: number; name: string }[]): string =>
  counts.length === 0 ? 'none' : counts.map(({ name, count }) => `${count} ${name}`).join(', ');

/** Counts, and spent beside estimated. */
export function reportLines({ releaseId, suite, state, reason, ...found }: Release): string[] {
  const { plan, jobCounts, verdictCounts, spent } = found;
  const { sums, refusals } = plan;
  const measured = `${shortHours(spent.countedKilowattHours)} of it by counters`;
  return [
    `release ${releaseId} of ${suite} is ${state}: ${reason}`,
    `started by ${found.startedBy} at ${found.startedAt}`,
    `jobs: ${counted(jobCounts.map((one) => ({ ...one, name: one.state })))}; refused: ${refusals.length} package(s)`,
    `verdicts: ${counted(verdictCounts.map((one) => ({ ...one, name: one.rung })))}`,
    `GPU-hours: ${shortHours(spent.gpuHours)} spent, ${span(sums.gpuHours)} estimated`,
    `CPU-hours: ${shortHours(spent.cpuHours)} spent, ${span(sums.cpuHours)} estimated`,
    `kWh: ${shortHours(spent.kilowattHours)} spent (${measured}), ${span(sums.kilowattHours)} estimated`,
    ...(spent.gramsCo2e === null ? [] : [`CO2e: ${shortHours(spent.gramsCo2e / 1_000)} kg`]),
  ];
}

/** What became of one package: its newest verdict on each model, final or not. */
export interface PackageVerdicts extends Pick<JobSummary, 'source' | 'version' | 'jobId' | 'state'> {
  verdicts: Pick<JobSummary['verdicts'][number], 'model' | 'rung' | 'final'>[];
}

/** By name. */
export const packageVerdicts = (jobs: readonly JobSummary[]): PackageVerdicts[] =>
  jobs
    .map(({ source, version, jobId, state, verdicts }) => ({
      ...{ source, version, jobId, state },
      verdicts: verdicts.map(({ model, rung, final }) => ({ model, rung, final })),
    }))
    .sort((a, b) => (a.source < b.source ? -1 : a.source > b.source ? 1 : a.version < b.version ? -1 : 1));

export const packageLines = (packages: readonly PackageVerdicts[]): string =>
  table([
    ['PACKAGE', 'STATE', 'VERDICTS'],
    ...packages.map(({ source, version, state, verdicts }) => [
      `${source} ${version}`,
      state,
      verdicts.map(({ model, rung, final }) => `${model}: ${rung}${final ? '' : ' so far'}`).join(', ') ||
        'none yet',
    ]),
  ]);
