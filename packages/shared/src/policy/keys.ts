// By what runs are put together in the queue: texts that are equal where the answers are.
import type { StandingPoints } from './priority.ts';
import type { Entry } from './queue.ts';
import type { Demand, WorldJob, WorldRun } from './world.ts';

/** All that an ask is made of. Written by hand, for it is made at every change of a run: JSON of the whole takes five times as long. */
export function kindKey({ job, run }: Entry): string {
  let key = `${demandKey(job.demand)} ${job.leastDeviceMemoryBytes} ${run.class}${run.check ? ' check' : ''}`;
  for (const list of [run.excludedNodes, run.failedOn]) {
    key += list.length === 0 ? ' -' : ` ${JSON.stringify(list)}`;
  }
  return key;
}

/** A demand is one value for all the jobs that ask it (prisma/store/world), so its text is made once. */
const demandKeys = new WeakMap<Demand, string>();

function demandKey(demand: Demand): string {
  let key = demandKeys.get(demand);
  if (key === undefined) {
    key = textOf(demand);
    demandKeys.set(demand, key);
  }
  return key;
}

function textOf(demand: Demand): string {
  let key = '';
  for (const wish of demand.accelerators) {
    key += wish.kind;
    if (wish.kind === 'cuda') key += wish.minimumCapability;
    if (wish.kind === 'rocm') key += wish.architecture;
    key += '|';
  }
  key += ` ${demand.gpus} ${demand.gpuMemoryBytes} ${demand.memoryBytes} ${demand.diskBytes} ${demand.timeLimitSeconds}`;
  for (const list of [demand.machines, demand.tags]) {
    key += list.length === 0 ? ' -' : ` ${JSON.stringify(list)}`;
  }
  return key;
}

/** Of one kind: equal points, length and accounts. */
export const laneKey = (job: WorldJob, { weight, length }: StandingPoints): string =>
  `${weight} ${length} ${job.demand.estimateSeconds} ${job.suite} ${job.requestedBy}`;

/** Whether a run that waited still waits in the same place: then only what is told of it changes. */
export const keepsSeat = (old: WorldRun, next: WorldRun): boolean =>
  next.state === 'waiting' &&
  next.jobId === old.jobId &&
  next.seedIndex === old.seedIndex &&
  next.class === old.class &&
  (next.check ?? null) === (old.check ?? null) &&
  // Queue.promised knows who has one.
  (next.promise ?? null) === null &&
  (old.promise ?? null) === null &&
  sameList(next.failedOn, old.failedOn) &&
  sameList(next.excludedNodes, old.excludedNodes);

const sameList = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && (a.length === 0 || JSON.stringify(a) === JSON.stringify(b));
