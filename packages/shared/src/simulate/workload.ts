// The jobs that a simulated farm is asked for. What is drawn and why is told in docs/how-to/try-a-policy.md; every job draws
// from a stream of its own, so that two policies meet the very same work.
import type { AcceleratorWish } from '../gpu/accelerator.ts';
import { parseWishes } from '../gpu/wish.ts';
import { type Demand, demandOfStored } from '../policy/world.ts';
import type { RecipeModel } from '../recipe/recipe.ts';
import { ProbeStream } from '../verdict/probe-stream.ts';
import type { SimulatedNode } from './fleet.ts';

/** What the recipe of a job does on every node. */
export type Fate = 'works' | 'recipe-fails' | 'data-late';

export interface SimulatedJob {
  source: string;
  version: string;
  suite: string;
  requestedBy: string;
  /** Since the simulation began. */
  requestedAtSeconds: number;
  releaseId: string | null;
  priority: number;
  section: string;
  archivePriority: string;
  demand: Demand;
  datasetDigests: string[];
  /** Length of fetching onto a node without the data, and of training, on a healthy node. */
  fetchSeconds: number;
  trainSeconds: number;
  /** What the planner of runs asks of the model. */
  model: Pick<RecipeModel, 'comparison' | 'runs' | 'securityCritical' | 'seed' | 'readsShipped'>;
  /** After how many retrains the verdict falls (a look of the sequential design); 1 where bytes are compared. */
  settledAt: number;
  fate: Fate;
  /** Whether its targets write checkpoints, and go on from one. */
  checkpoints: boolean;
  /** Device memory that the training takes, whatever the recipe asks for; 0 where any device is enough. */
  neededDeviceBytes: number;
  /** When a person gives it up, after it was asked for; null for never. */
  cancelledAfterSeconds: number | null;
}

interface Kind {
  /** Of all jobs. */
  share: number;
  accelerators: string;
  gpus?: number;
  gpuMemoryBytes?: number;
  memoryBytes?: number;
  machines?: string[];
  /** Median of a run's training, and the standard deviation of its logarithm. */
  medianMinutes: number;
  sigma: number;
  /** Share that is compared by bytes (one retrain and a dependence run); the rest by looks of 3, 5, 10. */
  bitwise: number;
  section: string;
}

const gibibyte = 2 ** 30;

/** Shapes after the models of docs: tables and patterns by CPU in minutes, small nets in an hour, large ones in a day. */
const kinds: readonly Kind[] = [
  { share: 0.26, accelerators: 'none', medianMinutes: 6, sigma: 1.2, bitwise: 0.8, section: 'text' },
  {
    share: 0.02,
    accelerators: 'none',
    machines: ['arm64'],
    medianMinutes: 20,
    sigma: 1,
    bitwise: 0.5,
    section: 'text',
  },
  {
    share: 0.2,
    accelerators: 'cuda:sm_70 | vulkan | none',
    medianMinutes: 45,
    sigma: 1,
    bitwise: 0.3,
    section: 'sound',
  },
  {
    share: 0.306,
    accelerators: 'cuda:sm_80',
    gpuMemoryBytes: 16 * gibibyte,
    medianMinutes: 180,
    sigma: 1.1,
    bitwise: 0.1,
    section: 'science',
  },
  {
    share: 0.07,
    accelerators: 'cuda:sm_80',
    gpuMemoryBytes: 36 * gibibyte,
    memoryBytes: 64 * gibibyte,
    medianMinutes: 420,
    sigma: 0.9,
    bitwise: 0,
    section: 'science',
  },
  {
    share: 0.03,
    accelerators: 'cuda:sm_90',
    gpuMemoryBytes: 60 * gibibyte,
    medianMinutes: 480,
    sigma: 0.8,
    bitwise: 0,
    section: 'science',
  },
  {
    share: 0.08,
    accelerators: 'rocm:gfx90a | cuda:sm_80',
    medianMinutes: 200,
    sigma: 1,
    bitwise: 0.1,
    section: 'science',
  },
  {
    share: 0.03,
    accelerators: 'rocm:gfx1030 | none',
    medianMinutes: 60,
    sigma: 0.9,
    bitwise: 0.3,
    section: 'games',
  },
  {
    share: 0.004,
    accelerators: 'cuda:sm_80',
    gpus: 4,
    gpuMemoryBytes: 36 * gibibyte,
    medianMinutes: 600,
    sigma: 0.8,
    bitwise: 0,
    section: 'science',
  },
];

const longestTrainSeconds = 72 * 3_600;
/** As people declare them: the first that leaves three times what it takes. */
const timeLimits = [1, 4, 12, 24, 72, 240].map((hours) => hours * 3_600);

/** Jobs whose targets write checkpoints. */
const checkpointShare = 0.7;

/** Of the farm's time that the work fills while it arrives: a farm that is worth its money, and not drowned. */
const offeredLoad = 0.8;
/** Jobs of one release, all asked for at once. */
const releaseShare = 0.15;
const releaseAt = 0.3;

const suites = ['sid', 'sid', 'sid', 'experimental', 'trixie-backports'];
const porters = ['porter:ada', 'porter:bela', 'porter:chidi', 'porter:dora', 'porter:emre'];
const archivePriorities = ['optional', 'optional', 'optional', 'optional', 'standard', 'extra'];

/** The archive takes uploads in four times a day (dinstall), in seconds of the day. */
const dinstallSeconds = [1, 7, 13, 19].map((hour) => hour * 3_600 + 52 * 60);

export interface Workload {
  jobs: SimulatedJob[];
  /** Within this time they are all asked for. */
  arrivalSeconds: number;
}

/** Draws `count` jobs that fill `offeredLoad` of these nodes while they arrive. */
export function drawWorkload(seed: string, count: number, nodes: readonly SimulatedNode[]): Workload {
  const drafts = Array.from({ length: count }, (_, index) => drawJob(seed, index));
  const devices = nodes
    .flatMap(({ slots }) => slots)
    .reduce((sum, slot) => sum + slot.accelerators.length, 0);
  const deviceSeconds = drafts.reduce((sum, job) => sum + deviceSecondsOf(job), 0);
  const arrivalSeconds = Math.max(86_400, deviceSeconds / (Math.max(1, devices) * offeredLoad));
  const jobs = drafts.map((job, index) => ({ ...job, ...arrivalOf(seed, index, job, arrivalSeconds) }));
  jobs.sort((a, b) => a.requestedAtSeconds - b.requestedAtSeconds);
  return { jobs: numberVersions(jobs), arrivalSeconds };
}

const deviceSecondsOf = ({ demand, trainSeconds, settledAt }: SimulatedJob): number =>
  demand.accelerators[0]!.kind === 'none' ? 0 : trainSeconds * demand.gpus * settledAt;

function drawJob(seed: string, index: number): SimulatedJob {
  const stream = new ProbeStream(seed, `job-${index}`);
  const kind = pickKind(stream.uniform());
  const trainSeconds = Math.min(
    longestTrainSeconds,
    Math.max(20, Math.round(60 * kind.medianMinutes * Math.exp(kind.sigma * stream.normal()))),
  );
  const isBitwise = stream.uniform() < kind.bitwise;
  const settled = stream.uniform();
  const fate = stream.uniform();
  const known = stream.uniform();
  const accelerators: AcceleratorWish[] = parseWishes(kind.accelerators).wishes;
  return {
    source: `source-${Math.floor(stream.uniform() * 100_000)}`,
    version: '1',
    suite: 'sid',
    requestedBy: 'intake',
    requestedAtSeconds: 0,
    releaseId: null,
    priority: 0,
    section: kind.section,
    archivePriority: pick(archivePriorities, stream),
    demand: demandOfStored({
      accelerators,
      gpus: kind.gpus ?? 1,
      gpuMemoryBytes: kind.gpuMemoryBytes ?? 0,
      memoryBytes: kind.memoryBytes ?? 0,
      machines: kind.machines ?? [],
      timeLimitSeconds: timeLimits.find((limit) => limit >= 3 * trainSeconds) ?? timeLimits.at(-1)!,
      // Half of the packages were retrained before: what is known of them is near.
      estimateSeconds: known < 0.5 ? Math.round(trainSeconds * Math.exp(0.2 * stream.normal())) : 0,
    }),
    datasetDigests: [`dataset-${Math.floor(stream.uniform() * 4_000)}`],
    fetchSeconds: Math.round(90 * Math.exp(1.2 * stream.normal())),
    trainSeconds,
    ...settledAfter(isBitwise ? 1 : settled < 0.1 ? 3 : settled < 0.8 ? 5 : 10),
    fate: fate < 0.03 ? 'recipe-fails' : fate < 0.04 ? 'data-late' : 'works',
    // One in fifty asks for less than it takes: half as much again would do.
    neededDeviceBytes: fate > 0.98 ? 1.5 * Math.max(16 * gibibyte, kind.gpuMemoryBytes ?? 0) : 0,
    cancelledAfterSeconds: stream.uniform() < 0.01 ? Math.round(stream.uniform() * 5 * 86_400) : null,
    checkpoints: stream.uniform() < checkpointShare,
  };
}

/** A model whose verdict falls after so many retrains: 1 where bytes are compared, else the look of the design that has as many. */
export const settledAfter = (retrains: number): Pick<SimulatedJob, 'model' | 'settledAt'> => ({
  model: {
    ...{ comparison: retrains === 1 ? 'bitwise' : 'statistical', seed: null, readsShipped: false },
    ...{ runs: retrains === 1 ? { min: 1, max: 1 } : { min: 3, max: 10 }, securityCritical: false },
  },
  settledAt: retrains,
});

function pickKind(uniform: number): Kind {
  let sum = 0;
  for (const kind of kinds) {
    sum += kind.share;
    if (uniform < sum) return kind;
  }
  return kinds[0]!;
}

const pick = <T>(values: readonly T[], stream: ProbeStream): T =>
  values[Math.floor(stream.uniform() * values.length)]!;

/** Four in five come with an upload, one in fifteen in a release, the rest from porters in office hours. */
function arrivalOf(
  seed: string,
  index: number,
  job: SimulatedJob,
  arrivalSeconds: number,
): Partial<SimulatedJob> {
  const stream = new ProbeStream(seed, `arrival-${index}`);
  const way = stream.uniform();
  if (way < releaseShare) {
    const requestedAtSeconds = Math.round(releaseAt * arrivalSeconds);
    return { requestedAtSeconds, suite: 'forky', requestedBy: 'release', releaseId: 'release-forky' };
  }
  const day = Math.floor((stream.uniform() * arrivalSeconds) / 86_400);
  if (way > 0.95) {
    const requestedAtSeconds = day * 86_400 + 9 * 3_600 + Math.floor(stream.uniform() * 9 * 3_600);
    return { requestedAtSeconds, suite: pick(suites, stream), requestedBy: pick(porters, stream) };
  }
  const requestedAtSeconds = day * 86_400 + pick(dinstallSeconds, stream);
  return { requestedAtSeconds, suite: pick(suites, stream), section: job.section };
}

/** The second upload of a source is its second version: it supersedes an open job of the first. */
function numberVersions(jobs: readonly SimulatedJob[]): SimulatedJob[] {
  const versions = new Map<string, number>();
  return jobs.map((job) => {
    const key = `${job.suite} ${job.source}`;
    const version = (versions.get(key) ?? 0) + 1;
    versions.set(key, version);
    return { ...job, version: String(version) };
  });
}
