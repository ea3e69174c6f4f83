// What a slot is asked before a run is placed on it. Each clause answers twice, from one place: whether it holds (decide) and
// in words (explain). Here are those that last: they change only when a node is told anew, so decide keeps their answer.
// Those of the moment (room, budget, what is free, what is kept) are in moment.ts.
import { classFor } from '../gpu/class.ts';
import { type Match, matchSlot, mismatch } from '../gpu/match.ts';
import { printWish } from '../gpu/wish.ts';
import { displayBytes } from '../units/bytes.ts';
import { displayDuration } from '../units/duration.ts';
import type { Demand, WorldNode, WorldSlot } from './world.ts';

/** In the order in which the answers are shown, and in which a miss counts as nearer: later is nearer. */
export const clauses = [
  'approved',
  'serving',
  'seen',
  'machine',
  'class',
  'accelerator',
  'tags',
  'time',
  'memory',
  'exclusion',
  'elsewhere',
  'budget',
  'room',
  'answers',
  'free',
  'reservation',
] as const;
export type Clause = (typeof clauses)[number];

export interface ClauseResult {
  clause: Clause;
  passes: boolean;
  /** One phrase for people, for pass and fail. */
  reason: string;
}

/** What a run asks, apart from who pays and how long it is expected to last: equal asks have equal answers. */
export interface Ask {
  demand: Demand;
  /** Class that it must have; null for any. */
  class: string | null;
  leastDeviceMemoryBytes: number;
  excludedNodes: readonly { nodeId: string; reason: string }[];
  /** Nodes that are a second choice. */
  failedOn: readonly string[];
  /** Whether the farm asks, to check a node. */
  isCheck: boolean;
}

export const needOf = ({ demand, leastDeviceMemoryBytes }: Ask) => ({
  ...demand,
  gpuMemoryBytes: Math.max(demand.gpuMemoryBytes, leastDeviceMemoryBytes),
});

const classHere = (ask: Ask, { machine }: WorldNode, { accelerators }: WorldSlot): string =>
  classFor(machine, needOf(ask), accelerators);

interface LastingClause {
  clause: Clause;
  holds(ask: Ask, node: WorldNode, slot: WorldSlot): boolean;
  tell(ask: Ask, node: WorldNode, slot: WorldSlot): string;
}

/** By what machine and slot are: alike for all nodes of one shape. */
export const shapeClauses: readonly LastingClause[] = [
  {
    clause: 'machine',
    holds: ({ demand }, node) => demand.machines.length === 0 || demand.machines.includes(node.machine),
    tell: ({ demand }, node) =>
      demand.machines.length === 0
        ? `${node.machine}; any will do`
        : `wants ${demand.machines.join(' or ')}; this is ${node.machine}`,
  },
  {
    clause: 'class',
    holds: (ask, node, slot) => ask.class === null || ask.class === classHere(ask, node, slot),
    tell: (ask, node, slot) =>
      ask.class === null
        ? `any class will do; here it is ${classHere(ask, node, slot)}`
        : `is compared bit by bit with a run of ${ask.class}; here it is ${classHere(ask, node, slot)}`,
  },
  {
    clause: 'accelerator',
    holds: (ask, _, slot) => matchSlot(needOf(ask), slot.accelerators).fits,
    tell: (ask, _, slot) => {
      const match = matchSlot(needOf(ask), slot.accelerators);
      return match.fits ? `fits ${printWish(match.wish)}` : mismatch(needOf(ask), slot.accelerators);
    },
  },
  {
    clause: 'tags',
    holds: ({ demand }, node) =>
      demand.tags.every((wanted) => node.tags.some(({ tag }) => tag === wanted)) &&
      node.tags.every(({ tag, mandatory }) => !mandatory || demand.tags.includes(tag)),
    tell: ({ demand }, node) => {
      const missing = demand.tags.filter((wanted) => !node.tags.some(({ tag }) => tag === wanted));
      const kept = node.tags.filter(({ tag, mandatory }) => mandatory && !demand.tags.includes(tag));
      if (missing.length > 0) return `wants the tag ${missing.join(', ')}`;
      if (kept.length > 0)
        return `kept for work that asks for the tag ${kept.map(({ tag }) => tag).join(', ')}`;
      return demand.tags.length === 0 ? 'no tag is asked for' : `has ${demand.tags.join(', ')}`;
    },
  },
  {
    clause: 'time',
    holds: ({ demand }, node) =>
      node.longestRunSeconds === 0 ||
      (demand.timeLimitSeconds > 0 && demand.timeLimitSeconds <= node.longestRunSeconds),
    tell: ({ demand }, node) =>
      node.longestRunSeconds === 0
        ? 'takes runs of any length'
        : `takes runs of at most ${displayDuration(node.longestRunSeconds)}; the limit of this one is ${demand.timeLimitSeconds === 0 ? 'not known' : displayDuration(demand.timeLimitSeconds)}`,
  },
  {
    clause: 'memory',
    holds: ({ demand }, node) => node.memoryBytes === null || demand.memoryBytes <= node.memoryBytes,
    tell: ({ demand }, node) =>
      node.memoryBytes === null
        ? 'the node has not told its memory'
        : `${displayBytes(demand.memoryBytes)} of memory wanted, ${displayBytes(node.memoryBytes)} there in all`,
  },
];

/** By name of the node: not kept with its shape. */
export const exclusionClause: LastingClause = {
  clause: 'exclusion',
  holds: ({ excludedNodes }, node) => excludedNodes.every(({ nodeId }) => nodeId !== node.nodeId),
  tell: ({ excludedNodes }, node) => {
    const found = excludedNodes.find(({ nodeId }) => nodeId === node.nodeId);
    return found ? `never again here: ${found.reason}` : 'not excluded';
  },
};

/** How a slot of this shape serves the ask, or null where it never will. */
export const fitOf = (ask: Ask, node: WorldNode, slot: WorldSlot): Extract<Match, { fits: true }> | null => {
  if (!shapeClauses.every((one) => one.holds(ask, node, slot))) return null;
  const match = matchSlot(needOf(ask), slot.accelerators);
  return match.fits ? match : null;
};

/** What the node is asked at each moment, whoever wants it. */
export function nodeResults(node: WorldNode, silenceSeconds: number, now: Date): ClauseResult[] {
  const silent = node.seenAt && Math.max(0, (now.getTime() - node.seenAt.getTime()) / 1_000);
  return [
    {
      clause: 'approved',
      passes: node.approved,
      reason: node.approved ? 'approved' : 'waits for the approval of an admin',
    },
    { clause: 'serving', ...serving(node) },
    {
      clause: 'seen',
      passes: silent !== null && silent <= silenceSeconds,
      reason: silent === null ? 'never seen' : `seen ${displayDuration(silent)} ago`,
    },
  ];
}

function serving(node: WorldNode): Omit<ClauseResult, 'clause'> {
  if (node.retired) return { passes: false, reason: 'retired' };
  if (node.quarantinedAt !== null) {
    return { passes: false, reason: `quarantined: ${node.drainReason ?? 'its results are doubted'}` };
  }
  if (node.drainReason !== null) return { passes: false, reason: `drained: ${node.drainReason}` };
  return { passes: true, reason: 'in service' };
}

/** nodeResults without the words. */
export const nodeServes = (node: WorldNode, silenceSeconds: number, now: Date): boolean =>
  nodeResults(node, silenceSeconds, now).every(({ passes }) => passes);

/** Greatest that any machine is known to have; a wish beyond is a mistake. */
const greatest = { deviceMemoryBytes: 2 ** 40, memoryBytes: 2 ** 46, diskBytes: 2 ** 50, devices: 64 };

/** Why no machine at all could serve a demand; null where one could. */
export function impossibility({
  accelerators,
  gpus,
  gpuMemoryBytes,
  memoryBytes,
  diskBytes,
}: Demand): string | null {
  if (accelerators.length === 0) return 'it names no accelerator and not `none` either';
  if (memoryBytes > greatest.memoryBytes) return `no machine has ${displayBytes(memoryBytes)} of memory`;
  if (diskBytes > greatest.diskBytes) return `no machine has ${displayBytes(diskBytes)} of disk`;
  if (accelerators.some(({ kind }) => kind === 'none')) return null;
  if (gpuMemoryBytes > greatest.deviceMemoryBytes)
    return `no device has ${displayBytes(gpuMemoryBytes)} of memory`;
  return gpus > greatest.devices ? `no machine has ${gpus} devices` : null;
}
