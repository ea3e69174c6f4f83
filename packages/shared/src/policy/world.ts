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
}

/** A job that still asks something of the farm (openJobStates). */
export interface WorldJob {
  jobId: string;
  source: string;
  version: string;
  suite: string;
  state: JobState;
  /** Why the job is in this state, where somebody said so. */
  reason: string | null;
  demand: Demand;
  /** When it was asked for; the oldest is served first. */
  requestedAt: Date;
}

/** A run that waits for a slot or has one. Reported, broken and cancelled runs are no part of the world. */
export interface WorldRun {
  runId: string;
  jobId: string;
  /** Which seed of the job, from 1; seeds are taken in order. */
  seedIndex: number;
  state: 'waiting' | 'leased';
  /** Slot that holds it; null while it waits. */
  holder: { nodeId: string; slot: number } | null;
  /** Not to be placed before (backoff after blame `farm`); null for at once. */
  notBefore: Date | null;
  /** Nodes that a lease of this run ended badly on: another one is tried first. */
  failedOn: string[];
}

export interface WorldSlot {
  slot: number;
  /** Devices of this slot alone; none for a CPU slot. */
  accelerators: Accelerator[];
}

export interface WorldNode {
  nodeId: string;
  name: string;
  /** Machine + accelerator architecture, e.g. `amd64+sm90`. */
  class: string;
  approved: boolean;
  /** Last sign of life; null before the first. */
  seenAt: Date | null;
  slots: WorldSlot[];
}

/** A node says every ten seconds that it is there (worker/presence); three missed are a silence. */
export const nodeSilenceSeconds = 35;

export interface World {
  jobs: WorldJob[];
  runs: WorldRun[];
  nodes: WorldNode[];
  /** A node silent for longer is taken for gone. */
  nodeSilenceSeconds: number;
}

/** The demand of a parsed recipe. */
export const demandOfRecipe = (recipe: Recipe): Demand => ({
  accelerators: recipe.accelerators,
  gpus: recipe.gpus,
  gpuMemoryBytes: recipe.gpuMemoryBytes,
});

/** The demand that index fields allow to know; `accelerators` from `Retrain-Accelerator`, [none] where it is absent. */
export const demandOfTag = (accelerators: AcceleratorWish[]): Demand => ({
  accelerators: accelerators.length > 0 ? accelerators : [{ kind: 'none' }],
  gpus: 1,
  gpuMemoryBytes: 0,
});

/** Deals a node's devices out to its slots, kind by kind in the order given: device i to slot i mod `slots`. */
export function slotsOfNode(slots: number, accelerators: Accelerator[]): WorldSlot[] {
  const dealt: WorldSlot[] = Array.from({ length: slots }, (_, slot) => ({ slot, accelerators: [] }));
  const next = { cuda: 0, rocm: 0, vulkan: 0 };
  for (const accelerator of accelerators) {
    dealt[next[accelerator.kind]++ % slots]!.accelerators.push(accelerator);
  }
  return dealt;
}
