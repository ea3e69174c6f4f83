// What a release would retrain, and what it would cost: a pure plan over what the farm knows, which asks for nothing. Starting the
// release takes the very same plan, so a dry run cannot say anything else than what is done.
//
//   versions of the suite ──► policy ──► ledger ──► models, runs, hours, kWh ──► sums, budgets
//                                └──────────┴─► refusals, each with its reason

import { wattsOf } from '../cost/energy.ts';
import type { RunEstimate } from '../cost/estimate.ts';
import type { AcceleratorWish } from '../gpu/accelerator.ts';
import { type JobState, openJobStates } from '../job/states.ts';
import { type LedgerEntry, refusalOf, refusingEntry } from '../ledger/entry.ts';
import { retrainDue } from '../policy/retrain.ts';
import type { BilledUnit, Budget } from '../policy/world.ts';
import type { Recipe, RetrainPolicy } from '../recipe/recipe.ts';
import { countedPlaces, type RunCount } from '../verdict/run-plan.ts';

export const releaseStates = ['running', 'paused', 'ended'] as const;
export type ReleaseState = (typeof releaseStates)[number];

/** A current version of the suite that has a recipe. */
export interface PlannedVersion {
  source: string;
  version: string;
  policy: RetrainPolicy;
  origin: 'tag' | 'overlay';
  /** Null until a run has unpacked the source: an overlay's is known from the start. */
  recipe: Recipe | null;
  accelerators: AcceleratorWish[];
  estimate: RunEstimate;
  /** The newest job of this version that was neither cancelled nor superseded. */
  job: { jobId: string; state: JobState } | null;
}

export interface PlanWorld {
  suite: string;
  versions: PlannedVersion[];
  /** Packages whose tag or overlay cannot be read. */
  faults: { source: string; version: string; reason: string }[];
  ledger: LedgerEntry[];
  /** Of the suite and of who would start it. */
  budgets: Budget[];
}

/** An expected value with its range. */
export interface Span {
  least: number;
  expected: number;
  most: number;
}

export interface PlanItem {
  source: string;
  version: string;
  origin: 'tag' | 'overlay';
  /** Null: not known before a first run. */
  models: string[] | null;
  runs: RunCount;
  estimate: RunEstimate;
  unit: BilledUnit;
  /** GPU-hours, or CPU-hours where `unit` is cpu; null where no run was ever timed. */
  hours: Span | null;
  /** By power times time: an estimate. */
  kilowattHours: Span | null;
  /** What the recipe's own time limits allow at most, where it is known. */
  boundHours: number | null;
  /** An open job that the release takes in instead of asking again. */
  jobId: string | null;
}

export type RefusalCode = 'policy' | 'ledger' | 'recipe';
export interface PlanRefusal {
  source: string;
  version: string;
  code: RefusalCode;
  reason: string;
}

export interface ReleasePlan {
  suite: string;
  items: PlanItem[];
  /** Nothing to do: a job of this version has ended already. The same seeds would give the same again. */
  done: { source: string; version: string; jobId: string; state: JobState }[];
  refusals: PlanRefusal[];
  sums: {
    packages: number;
    /** Of packages whose models are known. */
    models: number;
    runs: Span;
    gpuHours: Span;
    cpuHours: Span;
    kilowattHours: Span;
    /** Packages whose runs nobody has timed: they are in no sum of hours. */
    untimed: number;
  };
  budgets: { account: string; unit: BilledUnit; leftHours: number; neededHours: number; suffices: boolean }[];
}

export function planRelease(world: PlanWorld, now: Date): ReleasePlan {
  const items: PlanItem[] = [];
  const done: ReleasePlan['done'] = [];
  const refusals: PlanRefusal[] = world.faults.map((fault) => ({ ...fault, code: 'recipe' }));
  for (const version of [...world.versions].sort(byName)) {
    const refusal = refusalFor(version, world.ledger, now);
    if (refusal !== null) refusals.push({ source: version.source, version: version.version, ...refusal });
    else if (version.job !== null && !isOpen(version.job.state)) {
      done.push({ source: version.source, version: version.version, ...version.job });
    } else items.push(itemOf(version));
  }
  const sums = sumsOf(items);
  return {
    suite: world.suite,
    items,
    done,
    refusals: refusals.sort(byName),
    sums,
    budgets: budgetsFor(world.budgets, sums),
  };
}

const isOpen = (state: JobState): boolean => (openJobStates as readonly JobState[]).includes(state);

const byName = (a: { source: string; version: string }, b: { source: string; version: string }): number =>
  a.source < b.source
    ? -1
    : a.source > b.source
      ? 1
      : a.version < b.version
        ? -1
        : a.version > b.version
          ? 1
          : 0;

function refusalFor(
  { policy, source, recipe }: PlannedVersion,
  ledger: readonly LedgerEntry[],
  now: Date,
): Pick<PlanRefusal, 'code' | 'reason'> | null {
  const due = retrainDue(policy, 'release');
  if (!due.due) return { code: 'policy', reason: due.reason };
  const entry = refusingEntry(ledger, source, recipe?.models.map(({ name }) => name) ?? null, now);
  return entry === null ? null : { code: 'ledger', reason: refusalOf(entry) };
}

function itemOf(version: PlannedVersion): PlanItem {
  const { source, origin, recipe, estimate, job } = version;
  const runs = countedPlaces(recipe?.models ?? []);
  const unit = unitOf(version);
  const devices = estimate.seconds === null ? (unit === 'gpu' ? (recipe?.gpus ?? 1) : 0) : estimate.gpus;
  const hoursARun = (seconds: number): number => (seconds / 3_600) * Math.max(devices, 1);
  const hours =
    estimate.seconds === null || estimate.range === null
      ? null
      : {
          least: runs.fewest * hoursARun(estimate.range[0]),
          expected: runs.expected * hoursARun(estimate.seconds),
          most: runs.most * hoursARun(estimate.range[1]),
        };
  const names = devices === 0 ? [] : Array<string>(devices).fill(estimate.device ?? '');
  const kilowatts = wattsOf(names) / 1_000 / Math.max(devices, 1);
  return {
    source,
    version: version.version,
    origin,
    models: recipe?.models.map(({ name }) => name) ?? null,
    runs,
    estimate,
    unit,
    hours,
    kilowattHours: hours && scaled(hours, kilowatts),
    boundHours: recipe && runs.most * hoursARun(recipe.timeLimitSeconds),
    jobId: job?.jobId ?? null,
  };
}

/** What its runs will be billed in: as it was timed, else a device unless the recipe would take a CPU first. */
const unitOf = ({ estimate, accelerators }: PlannedVersion): BilledUnit => {
  if (estimate.seconds !== null) return estimate.gpus > 0 ? 'gpu' : 'cpu';
  return (accelerators[0]?.kind ?? 'none') === 'none' ? 'cpu' : 'gpu';
};

const nothing: Span = { least: 0, expected: 0, most: 0 };
const scaled = ({ least, expected, most }: Span, by: number): Span => ({
  least: least * by,
  expected: expected * by,
  most: most * by,
});
const sumOf = (spans: readonly (Span | null)[]): Span =>
  spans.reduce<Span>(
    (sum, span) =>
      span === null
        ? sum
        : {
            least: sum.least + span.least,
            expected: sum.expected + span.expected,
            most: sum.most + span.most,
          },
    nothing,
  );

export const sumsOf = (items: readonly PlanItem[]): ReleasePlan['sums'] => ({
  packages: items.length,
  models: items.reduce((sum, { models }) => sum + (models?.length ?? 0), 0),
  runs: sumOf(items.map(({ runs: { fewest, expected, most } }) => ({ least: fewest, expected, most }))),
  gpuHours: sumOf(items.map(({ unit, hours }) => (unit === 'gpu' ? hours : null))),
  cpuHours: sumOf(items.map(({ unit, hours }) => (unit === 'cpu' ? hours : null))),
  kilowattHours: sumOf(items.map(({ kilowattHours }) => kilowattHours)),
  untimed: items.filter(({ hours }) => hours === null).length,
});

const budgetsFor = (budgets: readonly Budget[], sums: ReleasePlan['sums']): ReleasePlan['budgets'] =>
  budgets.map(({ account, unit, limitSeconds, spentSeconds, reservedSeconds }) => {
    const leftHours = Math.max(0, limitSeconds - spentSeconds - reservedSeconds) / 3_600;
    const neededHours = (unit === 'gpu' ? sums.gpuHours : sums.cpuHours).expected;
    return { account, unit, leftHours, neededHours, suffices: neededHours <= leftHours };
  });
