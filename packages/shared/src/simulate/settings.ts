// What a simulation is told beside nodes and jobs. The farm's own defaults (infra/conf), but for the tick: a decision a minute
// is near enough for runs of hours, and thirty times as quick.
import type { SchedulingPolicy } from '../policy/world.ts';
import type { FaultLevel } from './faults.ts';
import type { SimulatedNode } from './fleet.ts';
import type { SimulatedBudget } from './purse.ts';
import type { SimulatedJob } from './workload.ts';

export interface SimulationSettings {
  seed: string;
  faults: FaultLevel;
  policy: SchedulingPolicy;
  leaseSeconds: number;
  heartbeatSeconds: number;
  /** Between two checkpoints that are kept while a target trains that writes them; 0: none is kept, a lost run begins again. */
  checkpointSeconds: number;
  /** Between two decisions at the least; losses are seen and rings repeated by the farm's own tick. */
  decideSeconds: number;
  tickSeconds: number;
  /** False: the store takes every epoch. No farm can be told so; a simulation that must show what fencing is good for can. */
  fencing: boolean;
}

export const defaultSettings: Omit<SimulationSettings, 'policy' | 'seed'> = {
  faults: 'light',
  leaseSeconds: 20,
  heartbeatSeconds: 5,
  checkpointSeconds: 300,
  decideSeconds: 60,
  tickSeconds: 2,
  fencing: true,
};

export interface SimulationInput extends SimulationSettings {
  nodes: readonly SimulatedNode[];
  jobs: readonly SimulatedJob[];
  budgets?: readonly SimulatedBudget[];
  /** Window in which utilisation is measured: while work arrives. */
  arrivalSeconds: number;
  /** Gets the trace as it grows. */
  onTrace?: (text: string) => void;
}

/** The virtual clock begins on a Monday; the archive's day follows from it. */
export const beganAt = Date.UTC(2026, 0, 5);
