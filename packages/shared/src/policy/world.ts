// The world as the scheduler sees it: what is wanted, what there is, and who has what. Plain values, read by the store and
// weighed by decide.ts; the same world answers "why is this not running?" for the API and the CLI.
//
//   job ──(demand)──► runs ──(place)──► slot of a node
import type { Accelerator, AcceleratorWish } from '../gpu/accelerator.ts';
import type { JobState } from '../job/states.ts';
import type { Recipe } from '../recipe/recipe.ts';

/** What one run of a job asks of a slot. From the index fields until a worker has told the recipe. */
export interface Demand {
  /** Alternatives, best first; never empty (`none` is a wish too). */
  accelerators: AcceleratorWish[];
  /** Devices that the run uses at once. */
  gpus: number;
  /** Memory that each device must have; 0 where nothing is said. */
  gpuMemoryBytes: number;
  /** Main memory of the whole run; 0 where nothing is said. */
  memoryBytes: number;
  /** Disk that the run may fill; 0 where nothing is said. */
  diskBytes: number;
  /** A run is ended after this time; 0 where nothing is said. */
  timeLimitSeconds: number;
  /** Expected length of a run, from a pilot or earlier runs; 0: unknown. */
  estimateSeconds: number;
  /** Machines that will do (`amd64`, `arm64`); [] for any. */
  machines: string[];
  /** Tags that the node must have. */
  tags: string[];
}

const undemanding: Demand = {
  accelerators: [{ kind: 'none' }],
  gpus: 1,
  gpuMemoryBytes: 0,
  memoryBytes: 0,
  diskBytes: 0,
  timeLimitSeconds: 0,
  estimateSeconds: 0,
  machines: [],
  tags: [],
};

/** A demand as it was stored, perhaps by an older version that said less. */
export const demandOfStored = (stored: Partial<Demand>): Demand => ({ ...undemanding, ...stored });

/** What moves of a job while it stands in the queue. */
export interface MovingJob {
  jobId: string;
  state: JobState;
  /** Why the job is in this state, where somebody said so. */
  reason: string | null;
  /** Points that a person added for good; may be negative. */
  priority: number;
  /** Who paused the campaign that it is part of, and why; none of its runs is placed meanwhile. Null or absent where it goes on. */
  releasePaused?: string | null;
  /** Least memory of a device after a run was out of it (CUDA out of memory: next larger class, once); 0 for none. */
  leastDeviceMemoryBytes: number;
}

/** What never moves of a job while it stands in the queue. */
export interface StandingJob {
  source: string;
  version: string;
  suite: string;
  demand: Demand;
  /** When it was asked for. */
  requestedAt: Date;
  /** Token or program that asked; its account is `requester:<this>`. */
  requestedBy: string;
  /** Of the source package, as the archive's index says (`science`, `optional`); '' where it is unknown. */
  section: string;
  archivePriority: string;
  /** The data that its runs read: nodes that have it are preferred. */
  datasetDigests: string[];
  /** The campaign that it is part of; null for none. */
  releaseId: string | null;
}

/** A job that still asks something of the farm (openJobStates). */
export interface WorldJob extends StandingJob, MovingJob {}

/** Field by field: what a spread makes takes ten times as long to make and twice as long to read, and there are a hundred thousand. */
export const worldJob = (job: StandingJob, moving: MovingJob): WorldJob => ({
  jobId: moving.jobId,
  state: moving.state,
  reason: moving.reason,
  priority: moving.priority,
  releasePaused: moving.releasePaused,
  leastDeviceMemoryBytes: moving.leastDeviceMemoryBytes,
  source: job.source,
  version: job.version,
  suite: job.suite,
  demand: job.demand,
  requestedAt: job.requestedAt,
  requestedBy: job.requestedBy,
  section: job.section,
  archivePriority: job.archivePriority,
  datasetDigests: job.datasetDigests,
  releaseId: job.releaseId,
});

/** A run that waits for a slot or has one. Reported, broken and cancelled runs are no part of the world. */
export interface WorldRun {
  runId: string;
  jobId: string;
  /** Which seed of the job, from 1; seeds are taken in order. */
  seedIndex: number;
  state: 'waiting' | 'leased';
  /** Slot that holds it; null while it waits. */
  holder: { nodeId: string; slot: number } | null;
  /** When its lease began; null while it waits. */
  leasedAt: Date | null;
  /** Not to be placed before (backoff after blame `farm`); null for at once. */
  notBefore: Date | null;
  /** Nodes that a lease of this run ended badly on: another one is tried first. */
  failedOn: string[];
  /** Nodes that must not have it, each with the reason (blame rules such as an ECC error, a disagreement). */
  excludedNodes: { nodeId: string; reason: string }[];
  /** The only class that may have it: that of an earlier run with which it is compared bit by bit; null for any. */
  class: string | null;
  /**
   * Why the farm makes it to check a node, as one phrase: the farm pays for it, and goes on with it when the job is judged. Null or
   * absent for what the job asks for.
   */
  check?: string | null;
  /** What its leaving would cost, while it is leased; null or absent otherwise: then nobody asks it to. */
  tenure?: Tenure | null;
  /** A slot that is being left for it, which it gets before all others until this time; null or absent for none. */
  promise?: { nodeId: string; slot: number; until: Date } | null;
}

/** How a leased run stands when another one wants its slot. */
export interface Tenure {
  leaseEpoch: number;
  /** When this lease's last checkpoint was kept, as far as is known; null: all since the lease began would be lost. */
  keptAt: Date | null;
  /** Why it was asked to leave; null where it was not. */
  leaving: string | null;
  /** How many of its leases ended by preemption. */
  preemptions: number;
  /** What earlier leases took, where this one goes on from their checkpoint; 0 where it began at the beginning. */
  earlierSeconds: number;
}

export interface WorldSlot {
  slot: number;
  /** Its worker let its last lease run out without a word: no run until then. Null or absent where it answers. */
  silentUntil?: Date | null;
  /** Devices of this slot alone; none for a CPU slot. */
  accelerators: Accelerator[];
}

export interface NodeTag {
  tag: string;
  /** Keeps the node for work that asks for this tag. */
  mandatory: boolean;
}

export interface WorldNode {
  nodeId: string;
  name: string;
  /** Machine + accelerator architecture, e.g. `amd64+sm90`. */
  class: string;
  /** `amd64`, `arm64`: the head of the class. */
  machine: string;
  /** By an admin; a pending node gets nothing. */
  approved: boolean;
  /** Why it gets no new work for now; null where it does. */
  drainReason: string | null;
  /** Since when its results are doubted (disagreement with another node); null where they are not. */
  quarantinedAt: Date | null;
  /** Will not come back. */
  retired: boolean;
  tags: NodeTag[];
  /** Main memory for runs, shared by its slots; null where the node has not told. */
  memoryBytes: number | null;
  /** Disk for runs that is free now, shared by its slots; null where the node has not told. */
  diskFreeBytes: number | null;
  /** The longest run that it takes; 0 for any. */
  longestRunSeconds: number;
  /** Data in its cache. */
  datasetDigests: string[];
  /** Last sign of life; null before the first. */
  seenAt: Date | null;
  slots: WorldSlot[];
}

/** Who pays: a suite, or who asked. */
export type Account = `suite:${string}` | `requester:${string}`;

/** Whose runs the checks of nodes are: no suite's. In SQL: retraind_payers. */
export const farmAccounts = { requester: 'requester:farm', suite: 'suite:(farm)' } as const;

/** What a run is billed in: time of devices, or, where it uses none, time of the CPU slot that it keeps from others. */
export type BilledUnit = 'gpu' | 'cpu';

/** Time that an account may spend: a hard stop. An account without a budget in a unit spends it freely. */
export interface Budget {
  account: Account;
  unit: BilledUnit;
  limitSeconds: number;
  spentSeconds: number;
  /** Promised to runs that hold a slot now. */
  reservedSeconds: number;
}

/**
 * What the order of waiting runs is made of, in points; the greater goes first (wanna-build's formula, with what it lacks).
 * A plain value, so that `retrain simulate` and an admin can try another.
 */
export interface SchedulingPolicy {
  /** Waiting is rewarded, at first by points; null: not at all, and whoever is outranked may wait for ever. */
  ageing: {
    pointsPerDay: number;
    /** Days after which waiting brings no more points. */
    capDays: number;
    /** Who has waited this long comes before all who have not, the oldest first. */
    overdueDays: number;
  } | null;
  /** Length is penalised: points taken off for each hour that a run is expected to last, up to a cap. */
  length: { pointsPerHour: number; capHours: number };
  sectionPoints: Record<string, number>;
  archivePriorityPoints: Record<string, number>;
  /** Points taken off an account that holds all slots; in proportion where it holds fewer. 0: no fair shares. */
  fairSharePoints: number;
  /** Shares by account; 1 where nothing is said. An account of share 2 may hold twice as much. */
  shares: Record<string, number>;
  /** Whether smaller runs may start beside room that is kept for a larger one, where they do not delay it. */
  backfill: boolean;
  /** Whether a running run may be asked to leave its slot for one that outranks it (preempt.ts); null: never. */
  preemption: Preemption | null;
  /** A job that no registered node could take even idle waits this long for one, then is auto-not-for-us; 0: for ever. */
  hopelessDays: number;
  /** Part of all reported runs that another node of the class makes again, so that broken nodes are found; 0: none. */
  spotCheckShare: number;
  /** Runs that trained for longer are not made again for that. */
  spotCheckHours: number;
}

/** When a running run leaves for a waiting one of another requester. All of it must hold. */
export interface Preemption {
  /** By so many points at least the waiting run is ahead, before and after the exchange. */
  points: number;
  /** Who has held its slot for less is left alone, so that each lease gets something done. */
  leastHeldSeconds: number;
  /** Slots that are being left at once, in the whole farm. */
  mostAtOnce: number;
  /** A run that was preempted so often stays where it is. */
  mostTimes: number;
  /** A run stays that has had more than this share (0..1) of its expected length, earlier leases that it goes on from included. */
  neverAbove: number;
}

/** wanna-build's weights for waiting and length; section and priority as its `%sectval` and `%prioval`, scaled down. */
export const defaultPolicy: SchedulingPolicy = {
  ageing: { pointsPerDay: 2, capDays: 6, overdueDays: 3 },
  length: { pointsPerHour: 1, capHours: 15 },
  sectionPoints: {},
  archivePriorityPoints: { required: 8, important: 6, standard: 4, optional: 0, extra: -2 },
  fairSharePoints: 100,
  shares: {},
  backfill: true,
  preemption: null,
  hopelessDays: 30,
  spotCheckShare: 0.02,
  spotCheckHours: 2,
};

/** A node says every ten seconds that it is there (worker/presence); three missed are a silence. */
export const nodeSilenceSeconds = 35;

export interface World {
  jobs: WorldJob[];
  runs: WorldRun[];
  nodes: WorldNode[];
  budgets: Budget[];
  policy: SchedulingPolicy;
  /** A node silent for longer is taken for gone. */
  nodeSilenceSeconds: number;
}

/** The demand of a parsed recipe. */
export const demandOfRecipe = (recipe: Recipe): Demand => ({
  ...undemanding,
  accelerators: recipe.accelerators,
  gpus: recipe.gpus,
  gpuMemoryBytes: recipe.gpuMemoryBytes,
  memoryBytes: recipe.memoryBytes,
  diskBytes: recipe.diskBytes,
  machines: recipe.machines,
  tags: recipe.tags,
  timeLimitSeconds: recipe.timeLimitSeconds,
});

/** The demand that index fields allow to know; `accelerators` from `Retrain-Accelerator`, [none] where it is absent. */
export const demandOfTag = (accelerators: AcceleratorWish[]): Demand => ({
  ...undemanding,
  accelerators: accelerators.length > 0 ? accelerators : undemanding.accelerators,
});

/** Deals a node's devices out to its slots: device i of the approved inventory to slot i mod `slots`, with every way to use it. */
export function slotsOfNode(slots: number, accelerators: Accelerator[]): WorldSlot[] {
  const dealt: WorldSlot[] = Array.from({ length: slots }, (_, slot) => ({ slot, accelerators: [] }));
  for (const [position, accelerator] of accelerators.entries()) {
    const ordinal = accelerator.device?.ordinal ?? position;
    dealt[ordinal % slots]!.accelerators.push(accelerator);
  }
  return dealt;
}
