// Worlds that tests of the decision begin with: one node, one job, one run, each with what a test says of it.
import type { Accelerator } from '@retraind/shared/gpu/accelerator';
import { parseWishes } from '@retraind/shared/gpu/wish';
import { explainQueued, type JobExplanation } from '@retraind/shared/policy/explain';
import { Queue } from '@retraind/shared/policy/queue';
import {
  type Demand,
  defaultPolicy,
  demandOfTag,
  slotsOfNode,
  type World,
  type WorldJob,
  type WorldNode,
  type WorldRun,
} from '@retraind/shared/policy/world';

export const now = new Date('2026-11-22T12:00:00Z');
export const ago = (seconds: number): Date => new Date(now.getTime() - seconds * 1_000);
export const gib = 2 ** 30;
export const a100 = {
  kind: 'cuda' as const,
  capability: 80,
  name: 'A100',
  memoryBytes: 40 * gib,
} satisfies Accelerator;

export const demand = (wishes: string, change: Partial<Demand> = {}): Demand => ({
  ...demandOfTag(parseWishes(wishes).wishes),
  ...change,
});

/** A node of one CPU slot, approved and seen a second ago. */
export const node = (nodeId: string, change: Partial<WorldNode> = {}): WorldNode => ({
  nodeId,
  name: `node ${nodeId}`,
  class: 'amd64',
  machine: 'amd64',
  approved: true,
  drainReason: null,
  quarantinedAt: null,
  retired: false,
  tags: [],
  memoryBytes: null,
  diskFreeBytes: null,
  longestRunSeconds: 0,
  datasetDigests: [],
  seenAt: ago(1),
  slots: slotsOfNode(1, []),
  ...change,
});

/** A job of no demand but its wishes. */
export const job = (
  jobId: string,
  ageSeconds: number,
  wishes = 'none',
  change: Partial<WorldJob> = {},
): WorldJob => ({
  jobId,
  source: jobId,
  version: '1',
  suite: 'sid',
  state: 'needs-retrain',
  reason: null,
  demand: demand(wishes),
  requestedAt: ago(ageSeconds),
  requestedBy: 'ada',
  priority: 0,
  section: '',
  archivePriority: '',
  datasetDigests: [],
  releaseId: null,
  leastDeviceMemoryBytes: 0,
  ...change,
});

/** A waiting run, of the first seed. */
export const run = (runId: string, jobId: string, change: Partial<WorldRun> = {}): WorldRun => ({
  runId,
  jobId,
  seedIndex: 1,
  state: 'waiting',
  holder: null,
  leasedAt: null,
  notBefore: null,
  failedOn: [],
  excludedNodes: [],
  class: null,
  ...change,
});

/** A run that holds a slot since a minute. */
export const heldRun = (runId: string, jobId: string, nodeId: string, slot = 0): WorldRun =>
  run(runId, jobId, { state: 'leased', holder: { nodeId, slot }, leasedAt: ago(60) });

export const world = (change: Partial<World>): World => ({
  jobs: [],
  runs: [],
  nodes: [],
  budgets: [],
  policy: defaultPolicy,
  nodeSilenceSeconds: 30,
  ...change,
});

/** A world of jobs with one run each, `r` + the job's id. */
export const worldOf = (jobs: WorldJob[], nodes: WorldNode[], change: Partial<World> = {}): World =>
  world({ jobs, nodes, runs: jobs.map(({ jobId }) => run(`r${jobId}`, jobId)), ...change });

/** What explain says of a job of a whole world. */
export const explained = (one: World, at: Date, jobId: string): JobExplanation | null =>
  explainQueued(Queue.of(one), at, jobId);
