// The world for the scheduler (shared/policy/world): whole at first, then only what changed. Raw SQL, as it is read at
// every tick.
//
// The cursor is the xmin of the reader's snapshot: every transaction below it had ended, so what it wrote was read. Rows
// marked with it or later are read again next time: at least once, never never. A row that left the world (a job that
// ended, a run that was reported) comes under `goneJobIds`, `goneRunIds`.
import type { Accelerator } from '@retraind/shared/gpu/accelerator';
import { excludingCodes } from '@retraind/shared/job/blame-rules';
import { type JobState, openJobStates } from '@retraind/shared/job/states';
import {
  type Budget,
  type Demand,
  demandOfStored,
  slotsOfNode,
  type WorldJob,
  type WorldNode,
  type WorldRun,
} from '@retraind/shared/policy/world';
import type { Database } from '../client.ts';
import * as budgets from './budgets.ts';

export interface WorldChange {
  /** Give it to the next `read`. */
  cursor: string;
  /** Whether this is everything there is (the reader forgets what it had). */
  isWhole: boolean;
  jobs: WorldJob[];
  runs: WorldRun[];
  nodes: WorldNode[];
  goneJobIds: string[];
  goneRunIds: string[];
  /** All of them, at every reading: they are few. */
  budgets: Budget[];
}

type JobColumn =
  | 'releaseId'
  | 'releasePaused'
  | 'jobId'
  | 'source'
  | 'version'
  | 'suite'
  | 'reason'
  | 'requestedAt'
  | 'requestedBy'
  | 'priority'
  | 'leastDeviceMemoryBytes';
interface JobRow extends Pick<WorldJob, JobColumn> {
  state: JobState;
  demand: Partial<Demand>;
}

/** What no column says yet. */
const jobDefaults = {
  section: '',
  archivePriority: '',
  datasetDigests: [],
} satisfies Partial<WorldJob>;

type RunColumn = 'runId' | 'jobId' | 'seedIndex' | 'leasedAt' | 'notBefore' | 'failedOn' | 'excludedNodes';
interface RunRow extends Pick<WorldRun, RunColumn> {
  state: string;
  nodeId: string | null;
  slot: number | null;
}

const runDefaults = { class: null } satisfies Partial<WorldRun>;

type NodeColumn =
  | 'nodeId'
  | 'name'
  | 'class'
  | 'approved'
  | 'drainReason'
  | 'quarantinedAt'
  | 'retired'
  | 'seenAt';
interface NodeRow extends Pick<WorldNode, NodeColumn> {
  slots: number;
  accelerators: Accelerator[];
}

const nodeDefaults = {
  tags: [],
  memoryBytes: null,
  diskFreeBytes: null,
  longestRunSeconds: 0,
  datasetDigests: [],
} satisfies Partial<WorldNode>;

const isOpen = ({ state }: { state: JobState }): boolean =>
  (openJobStates as readonly JobState[]).includes(state);
const isLive = ({ state }: { state: string }): boolean => state === 'waiting' || state === 'leased';

/** Reads the world, or (with the cursor of an earlier reading) what changed since. One snapshot, read only. */
export const read = (db: Database, since: string | null): Promise<WorldChange> =>
  db.$transaction(
    async (tx) => {
      const from = since ?? '-1';
      const isWhole = since === null;
      const [{ cursor }] = await tx.$queryRaw<[{ cursor: string }]>`
        SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS cursor`;
      const jobs = await tx.$queryRaw<JobRow[]>`
        SELECT job_id AS "jobId", source, version, suite, state, NULLIF(reason, '') AS reason, demand,
          created_at AS "requestedAt", requested_by AS "requestedBy", priority, release_id AS "releaseId",
          COALESCE(least_device_memory_bytes, 0) AS "leastDeviceMemoryBytes",
          (SELECT 'the release of ' || release.suite || ' is paused: ' || release.reason FROM release
           WHERE release.release_id = job.release_id AND release.state = 'paused') AS "releasePaused"
        FROM job WHERE changed >= ${from}::bigint AND (NOT ${isWhole} OR state = ANY(${[...openJobStates]}))
        ORDER BY created_at, job_id`;
      const runs = await tx.$queryRaw<RunRow[]>`
        SELECT run_id AS "runId", job_id AS "jobId", seed_index AS "seedIndex", state, node_id AS "nodeId", slot,
          not_before AS "notBefore",
          (SELECT started_at FROM lease WHERE lease.run_id = run.run_id AND outcome IS NULL) AS "leasedAt",
          ARRAY(SELECT DISTINCT lease.node_id FROM lease WHERE lease.run_id = run.run_id
                AND outcome IN ('given-back', 'lost') AND blame = 'node' ORDER BY 1) AS "failedOn",
          (SELECT COALESCE(json_agg(json_build_object('nodeId', node_id, 'reason', detail)), '[]')
           FROM (SELECT DISTINCT ON (node_id) node_id, detail FROM lease
                 WHERE lease.run_id = run.run_id AND blame = 'node' AND code = ANY(${excludingCodes})
                 ORDER BY node_id, lease_epoch DESC) AS excluded) AS "excludedNodes"
        FROM run WHERE changed >= ${from}::bigint AND (NOT ${isWhole} OR state IN ('waiting', 'leased'))
        ORDER BY run_id`;
      const nodes = await tx.$queryRaw<NodeRow[]>`
        SELECT node_id AS "nodeId", name, class, state <> 'pending' AS approved,
          CASE WHEN state IN ('drained', 'quarantined', 'retired') THEN state_reason END AS "drainReason",
          CASE WHEN state = 'quarantined' THEN state_at END AS "quarantinedAt", state = 'retired' AS retired,
          seen_at AS "seenAt", slots, accelerators
        FROM node WHERE changed >= ${from}::bigint ORDER BY node_id`;
      return {
        cursor,
        isWhole,
        jobs: jobs
          .filter(isOpen)
          .map(({ demand, ...job }) => ({ ...jobDefaults, ...job, demand: demandOfStored(demand) })),
        runs: runs.filter(isLive).map(({ nodeId, slot, state, ...run }) => ({
          ...runDefaults,
          ...run,
          state: state as WorldRun['state'],
          holder: nodeId === null || slot === null ? null : { nodeId, slot },
        })),
        nodes: nodes.map(({ accelerators, slots, ...node }) => ({
          ...nodeDefaults,
          ...node,
          machine: node.class.split('+', 1)[0]!,
          slots: slotsOfNode(slots, accelerators),
        })),
        budgets: await budgets.forWorld(tx),
        goneJobIds: jobs.filter((job) => !isOpen(job)).map(({ jobId }) => jobId),
        goneRunIds: runs.filter((run) => !isLive(run)).map(({ runId }) => runId),
      };
    },
    { isolationLevel: 'RepeatableRead' },
  );
