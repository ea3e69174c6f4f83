// The report of a simulation for people: tables that fit on a screen.
import type { Spread } from '@retraind/shared/simulate/figures';
import type { Report } from '@retraind/shared/simulate/report';
import { displayDuration } from '@retraind/shared/units/duration';
import { type Palette, table } from './output.ts';

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const duration = (seconds: number): string => displayDuration(seconds);

const spreadTable = (title: string, rows: readonly (Spread & { class: string })[]): string =>
  table([
    [title, 'count', 'p50', 'p95', 'longest'],
    ...rows.map((row) => [
      row.class,
      String(row.count),
      duration(row.p50Seconds),
      duration(row.p95Seconds),
      duration(row.maxSeconds),
    ]),
  ]);

function wasteTable({ hours }: Report): string {
  const causes = Object.entries(hours.wastedByCause).sort(([, a], [, b]) => b.gpu - a.gpu || b.cpu - a.cpu);
  return table([
    ['hours', 'GPU', 'CPU slots'],
    ['useful', hours.useful.gpu.toFixed(0), hours.useful.cpu.toFixed(0)],
    ['  of it kept by lost leases', hours.resumed.gpu.toFixed(0), hours.resumed.cpu.toFixed(0)],
    ['wasted', hours.wasted.gpu.toFixed(0), hours.wasted.cpu.toFixed(0)],
    ...causes.map(([cause, { gpu, cpu }]) => [`  ${cause}`, gpu.toFixed(1), cpu.toFixed(1)]),
  ]);
}

function starvationLines({ starvation }: Report, color: Palette): string[] {
  const { overDays, jobs, worst } = starvation;
  if (jobs === 0) return [color.good(`starvation: none (no placeable job waited over ${overDays} days)`)];
  return [
    color.bad(`starvation: ${jobs} placeable jobs waited over ${overDays} days`),
    ...worst.map((wait) => `  ${wait.jobId} (${wait.class}): ${wait.waitDays.toFixed(1)} days`),
  ];
}

function budgetLines({ budgets, budgetWaits }: Report): string[] {
  if (budgets.length === 0) return [];
  const spent = budgets.map(
    ({ account, unit, limitHours, spentHours }) =>
      `${account} ${spentHours.toFixed(1)} of ${limitHours} ${unit.toUpperCase()}-hours`,
  );
  return [`budgets: jobs waited ${budgetWaits} times; spent since the last renewal: ${spent.join(', ')}`];
}

export function printSimulation(report: Report, color: Palette): string {
  const { settings, jobs, runs, utilisation, fencing, invariants } = report;
  const states = Object.entries(jobs.byState).map(([state, count]) => `${count} ${state}`);
  const refused = Object.values(fencing.refusedWrites).reduce((sum, count) => sum + count, 0);
  const faults = Object.entries(report.faults).map(([kind, count]) => `${count} ${kind}`);
  const doubled = `${fencing.doubledResults} results recorded twice`;
  return [
    `${settings.nodes} nodes, ${settings.slots} slots, ${settings.jobs} jobs, faults ${settings.faults}, seed ${settings.seed}`,
    `asked for within ${report.arrivalDays} days, all ended after ${report.virtualDays}: ${states.join(', ')}`,
    `${runs.reported} runs reported by ${runs.leases} leases`,
    `utilisation while jobs arrived: slots with a device ${percent(utilisation.deviceSlots)}, others ${percent(utilisation.cpuSlots)}`,
    '',
    spreadTable('wait for a slot', report.waits),
    '',
    spreadTable('request to end', report.turnarounds),
    '',
    wasteTable(report),
    '',
    ...starvationLines(report, color),
    ...budgetLines(report),
    `fencing: ${refused} late writes refused, ${fencing.doubledResults === 0 ? color.good(doubled) : color.bad(doubled)}`,
    `faults: ${faults.join(', ') || 'none'}; ${report.nodesDrained} nodes drained, ${report.ringsLost} rings lost`,
    `invariants: ${invariants.checks} checks, ${
      invariants.violations === 0 ? color.good('none broken') : color.bad(`${invariants.violations} broken`)
    }`,
    ...invariants.first.map((sentence) => `  ${sentence}`),
    `digest ${report.digest}`,
  ].join('\n');
}
