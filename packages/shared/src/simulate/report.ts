// What a simulation says in the end: the JSON of `retrain simulate --json`.
import type { JobState } from '../job/states.ts';
import type { Chronicle, Sample } from './chronicle.ts';
import { type LongWait, type Spread, spreadOf, starvationDays } from './figures.ts';
import type { Fleet } from './fleet-play.ts';
import type { SimulatedBudget } from './purse.ts';
import type { SimulationInput, SimulationSettings } from './settings.ts';
import type { Truth } from './truth.ts';

export interface Report {
  settings: Omit<SimulationSettings, 'policy'> & { nodes: number; slots: number; jobs: number };
  policy: SimulationSettings['policy'];
  /** sha256 over the trace: equal for equal stories. */
  digest: string;
  events: number;
  decisions: number;
  /** Days of the virtual clock in which jobs were asked for, and until the last one ended. */
  arrivalDays: number;
  virtualDays: number;
  /** Hours spent since a budget was last renewed. */
  budgets: (SimulatedBudget & { spentHours: number })[];
  /** How often a job had to wait for its budget. */
  budgetWaits: number;
  jobs: { total: number; byState: Partial<Record<JobState, number>> };
  runs: { made: number; reported: number; leases: number; leaseEnds: Record<string, number> };
  /** Share of the slots' time while jobs arrived. */
  utilisation: { deviceSlots: number; cpuSlots: number };
  /** From when a run may be placed until it has a slot, by what it asks for. */
  waits: (Spread & { class: string })[];
  /** From a job's request to its end. */
  turnarounds: (Spread & { class: string })[];
  /** Device-hours (`gpu`) of runs with a device, slot-hours (`cpu`) of those without. */
  hours: {
    useful: { gpu: number; cpu: number };
    wasted: { gpu: number; cpu: number };
    wastedByCause: Record<string, { gpu: number; cpu: number }>;
    /** Part of the useful ones: kept in checkpoints by leases that brought no result. */
    resumed: { gpu: number; cpu: number };
  };
  /** Jobs with a placeable run that waited longer than `overDays`; the longest waits first. */
  starvation: { overDays: number; jobs: number; worst: LongWait[] };
  fencing: {
    /** Writes under an epoch or by a node that had no lease (any more). */
    refusedWrites: { assignment: number; heartbeat: number; report: number };
    /** Runs of which more than one result was recorded. */
    doubledResults: number;
  };
  faults: Record<string, number>;
  nodesDrained: number;
  ringsLost: number;
  invariants: { checks: number; violations: number; first: string[] };
  /** One an hour. */
  samples: Sample[];
}

const shown = 10;
const round = (value: number, digits: number): number => Number(value.toFixed(digits));
const byName = <T>(map: ReadonlyMap<string, T>): [string, T][] =>
  [...map].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
const hours = ({ device, slot }: { device: number; slot: number }) => ({
  gpu: round(device / 3_600_000, 1),
  cpu: round(slot / 3_600_000, 1),
});

export function reportOf(
  input: SimulationInput,
  truth: Truth,
  { books, figures, trace, samples }: Chronicle,
  fleet: Fleet,
  now: number,
): Report {
  const jobs = [...truth.jobs.values()];
  const runs = [...truth.runs.values()];
  const { purse } = truth;
  // Who waits for money that never comes has no end.
  const waits = (state: JobState): boolean => purse.budgets.length > 0 && state === 'budget-wait';
  books.closed(jobs.map(({ world }) => world).filter(({ state }) => !waits(state)));
  figures.settle((runId) => truth.runs.get(runId)!.state === 'reported');
  const byState: Partial<Record<JobState, number>> = {};
  for (const { world } of jobs) byState[world.state] = (byState[world.state] ?? 0) + 1;
  const wasted = { device: 0, slot: 0 };
  for (const { device, slot } of figures.wasted.values()) {
    wasted.device += device;
    wasted.slot += slot;
  }
  const ended = jobs.map(({ endedAt }) => endedAt ?? now);
  const starved = [...figures.starved.values()].sort(
    (a, b) => b.waitDays - a.waitDays || (a.jobId < b.jobId ? -1 : 1),
  );
  const { device, cpu } = fleet.utilisation();
  const { policy, seed, faults, leaseSeconds, heartbeatSeconds, checkpointSeconds } = input;
  const { decideSeconds, tickSeconds, fencing } = input;
  const spreads = (map: ReadonlyMap<string, number[]>) =>
    byName(map).map(([name, values]) => ({ class: name, ...spreadOf(values) }));
  return {
    settings: {
      ...{
        seed,
        faults,
        leaseSeconds,
        heartbeatSeconds,
        checkpointSeconds,
        decideSeconds,
        tickSeconds,
        fencing,
      },
      ...{ nodes: input.nodes.length, slots: fleet.slots.length, jobs: input.jobs.length },
    },
    policy,
    digest: trace.digest(),
    events: trace.events,
    decisions: figures.decisions,
    arrivalDays: round(input.arrivalSeconds / 86_400, 2),
    virtualDays: round(Math.max(0, ...ended) / 86_400_000, 2),
    budgets: purse.budgets.map((budget) => ({
      ...budget,
      spentHours: round(purse.spentSeconds(budget) / 3_600, 1),
    })),
    budgetWaits: figures.budgetWaits,
    jobs: { total: jobs.length, byState: Object.fromEntries(byName(new Map(Object.entries(byState)))) },
    runs: {
      made: runs.length,
      reported: runs.filter(({ state }) => state === 'reported').length,
      leases: runs.reduce((sum, { leaseEpoch }) => sum + leaseEpoch, 0),
      leaseEnds: Object.fromEntries(byName(figures.leaseEnds)),
    },
    utilisation: { deviceSlots: round(device, 4), cpuSlots: round(cpu, 4) },
    waits: spreads(figures.waits),
    turnarounds: spreads(figures.turnarounds),
    hours: {
      useful: hours(figures.useful),
      wasted: hours(wasted),
      resumed: hours(figures.resumed),
      wastedByCause: Object.fromEntries(byName(figures.wasted).map(([cause, sum]) => [cause, hours(sum)])),
    },
    starvation: { overDays: starvationDays, jobs: starved.length, worst: starved.slice(0, shown) },
    fencing: { refusedWrites: figures.refusedWrites, doubledResults: books.doubledResults },
    faults: Object.fromEntries(byName(figures.faults)),
    nodesDrained: figures.nodesDrained,
    ringsLost: figures.ringsLost,
    invariants: {
      checks: books.checks,
      violations: books.violations.length,
      first: books.violations.slice(0, shown),
    },
    samples,
  };
}
