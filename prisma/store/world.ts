// The world for the scheduler (shared/policy/world): whole at first, then only what changed. Raw SQL, as it is read at
// every tick.
//
// The cursor is the xmin of the reader's snapshot: every transaction below it had ended, so what it wrote was read. Rows
// marked with it or later are read again next time: at least once, never never. A row that left the world (a job that
// ended, a run that was reported) comes under `goneJobIds`, `goneRunIds`.
import type { Accelerator } from '@retraind/shared/gpu/accelerator';
import { excludingCodes } from '@retraind/shared/job/blame-rules';
import { type JobState, openJobStates } from '@retraind/shared/job/states';
import { protocolFault } from '@retraind/shared/node/protocol';
import { countingTags, type NodeTag } from '@retraind/shared/node/tags';
import {
  type Budget,
  type Demand,
  demandOfStored,
  slotsOfNode,
  type Tenure,
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
  | 'leastDeviceMemoryBytes'
  | 'section'
  | 'archivePriority'
  | 'datasetDigests';
interface JobRow extends Pick<WorldJob, JobColumn> {
  state: JobState;
  /** JSON text. */
  demand: string;
}

type RunColumn = 'runId' | 'jobId' | 'seedIndex' | 'leasedAt' | 'notBefore' | 'failedOn' | 'excludedNodes';
interface RunRow extends Pick<WorldRun, RunColumn> {
  /** Of a leased run; null otherwise. */
  tenure: Told<Tenure, 'keptAt'> | null;
  promise: { nodeId: string; slot: number; until: Milliseconds } | null;
  state: string;
  nodeId: string | null;
  slot: number | null;
}

type NodeColumn =
  | 'nodeId'
  | 'name'
  | 'class'
  | 'approved'
  | 'drainReason'
  | 'quarantinedAt'
  | 'retired'
  | 'seenAt'
  | 'memoryBytes'
  | 'longestRunSeconds'
  | 'diskFreeBytes'
  | 'datasetDigests';
interface NodeRow extends Pick<WorldNode, NodeColumn> {
  tags: NodeTag[];
  program: string | null;
  protocol: number | null;
  slots: number;
  accelerators: Accelerator[];
  silentSlots: Record<string, { until: string }>;
}

const isOpen = ({ state }: { state: JobState }): boolean =>
  (openJobStates as readonly JobState[]).includes(state);
const isLive = ({ state }: { state: string }): boolean => state === 'waiting' || state === 'leased';

/** Milliseconds since 1970, as JSON has them. */
type Milliseconds = number;
type Told<Row, Dates extends keyof Row> = Omit<Row, Dates> & { [date in Dates]: Milliseconds | null };

interface WorldRow {
  cursor: string;
  /** JSON texts: one column of text costs a fraction of thousands of rows of columns. */
  jobs: string;
  runs: string;
  nodes: string;
}

/** Many jobs ask the same: equal texts are one value, so that a large queue is small, and what is known of one is known of all. */
class Demands {
  readonly #known = new Map<string, Demand>();

  of(text: string): Demand {
    let demand = this.#known.get(text);
    if (demand === undefined) {
      // What nobody asks any more is forgotten at last.
      if (this.#known.size >= 10_000) this.#known.clear();
      demand = demandOfStored(JSON.parse(text));
      this.#known.set(text, demand);
    }
    return demand;
  }
}
const demands = new Demands();

const dateOf = (milliseconds: Milliseconds | null): Date | null =>
  milliseconds === null ? null : new Date(milliseconds);

// Field by field: a spread takes ten times as long, and thousands of rows may have changed.
const jobOf = (row: Told<JobRow, 'requestedAt'>): WorldJob => ({
  jobId: row.jobId,
  source: row.source,
  version: row.version,
  suite: row.suite,
  state: row.state,
  reason: row.reason,
  demand: demands.of(row.demand),
  requestedAt: dateOf(row.requestedAt)!,
  requestedBy: row.requestedBy,
  priority: row.priority,
  section: row.section,
  archivePriority: row.archivePriority,
  datasetDigests: row.datasetDigests,
  releaseId: row.releaseId,
  releasePaused: row.releasePaused,
  leastDeviceMemoryBytes: row.leastDeviceMemoryBytes,
});

const runOf = (row: Told<RunRow, 'leasedAt' | 'notBefore'>): WorldRun => ({
  runId: row.runId,
  jobId: row.jobId,
  seedIndex: row.seedIndex,
  state: row.state as WorldRun['state'],
  holder: row.nodeId === null || row.slot === null ? null : { nodeId: row.nodeId, slot: row.slot },
  leasedAt: dateOf(row.leasedAt),
  notBefore: dateOf(row.notBefore),
  failedOn: row.failedOn,
  excludedNodes: row.excludedNodes,
  class: null,
  tenure: row.tenure && { ...row.tenure, keptAt: dateOf(row.tenure.keptAt) },
  promise: row.promise && { ...row.promise, until: new Date(row.promise.until) },
});

/** Reads the world, or (with the cursor of an earlier reading) what changed since. One statement, so one snapshot. */
export async function read(db: Database, since: string | null): Promise<WorldChange> {
  const from = since ?? '-1';
  const isWhole = since === null;
  const [row] = await db.$queryRaw<[WorldRow]>`
    SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS cursor,
      (SELECT COALESCE(json_agg(told), '[]')::text FROM (
        SELECT job_id AS "jobId", source, version, suite, job.state, NULLIF(reason, '') AS reason, demand::text AS demand,
          date_part('epoch', created_at) * 1000 AS "requestedAt", requested_by AS "requestedBy", priority,
          release_id AS "releaseId", COALESCE(least_device_memory_bytes, 0) AS "leastDeviceMemoryBytes",
          section, archive_priority AS "archivePriority", data_digests AS "datasetDigests",
          CASE WHEN release_id IS NOT NULL THEN (SELECT 'the release of ' || release.suite || ' is paused: ' || release.reason FROM release
           WHERE release.release_id = job.release_id AND release.state = 'paused') END AS "releasePaused"
        FROM job
        WHERE job.changed >= ${from}::bigint AND (NOT ${isWhole} OR job.state = ANY(${[...openJobStates]}))
      ) AS told) AS jobs,
      (SELECT COALESCE(json_agg(told), '[]')::text FROM (
        SELECT run_id AS "runId", job_id AS "jobId", seed_index AS "seedIndex", state, node_id AS "nodeId", slot,
          date_part('epoch', not_before) * 1000 AS "notBefore",
          -- Most runs that wait were never leased: their leases are not looked for.
          CASE WHEN state = 'leased' THEN (SELECT date_part('epoch', started_at) * 1000 FROM lease
            WHERE lease.run_id = run.run_id AND outcome IS NULL) END AS "leasedAt",
          CASE WHEN state = 'leased' THEN json_build_object('leaseEpoch', lease_epoch, 'leaving', leave_reason, 'keptAt',
            CASE WHEN checkpoint_epoch = lease_epoch THEN date_part('epoch', checkpoint_at) * 1000 END, 'preemptions',
            (SELECT count(*) FROM lease WHERE lease.run_id = run.run_id AND code = 'preempted')) END AS "tenure",
          CASE WHEN promised_until IS NOT NULL THEN json_build_object('nodeId', promised_node_id, 'slot', promised_slot,
            'until', date_part('epoch', promised_until) * 1000) END AS "promise",
          CASE WHEN lease_epoch > 0 THEN ARRAY(SELECT DISTINCT lease.node_id FROM lease WHERE lease.run_id = run.run_id
                AND outcome IN ('given-back', 'lost') AND blame = 'node' ORDER BY 1) ELSE '{}' END AS "failedOn",
          CASE WHEN lease_epoch = 0 THEN '[]' ELSE (SELECT COALESCE(json_agg(json_build_object('nodeId', node_id, 'reason', detail)), '[]')
           FROM (SELECT DISTINCT ON (node_id) node_id, detail FROM lease
                 WHERE lease.run_id = run.run_id AND blame = 'node' AND code = ANY(${excludingCodes})
                   -- An admin who drained or resumed the node since has looked at it.
                   AND ended_at > (SELECT state_at FROM node WHERE node.node_id = lease.node_id)
                 ORDER BY node_id, lease_epoch DESC) AS excluded) END AS "excludedNodes"
        FROM run WHERE changed >= ${from}::bigint AND (NOT ${isWhole} OR state IN ('waiting', 'leased'))
      ) AS told) AS runs,
      (SELECT COALESCE(json_agg(told), '[]')::text FROM (
        SELECT node_id AS "nodeId", name, class, state <> 'pending' AS approved,
          CASE WHEN state IN ('drained', 'quarantined', 'retired') THEN state_reason END AS "drainReason",
          CASE WHEN state = 'quarantined' THEN date_part('epoch', state_at) * 1000 END AS "quarantinedAt",
          state = 'retired' AS retired, date_part('epoch', seen_at) * 1000 AS "seenAt", slots, accelerators, tags,
          program, protocol, (approved_inventory ->> 'memoryBytes')::float8 AS "memoryBytes",
          (vitals ->> 'diskFreeBytes')::float8 AS "diskFreeBytes", COALESCE(vitals -> 'datasetDigests', '[]') AS "datasetDigests",
          silent_slots AS "silentSlots", longest_run_seconds AS "longestRunSeconds"
        FROM node WHERE changed >= ${from}::bigint
      ) AS told) AS nodes`;
  const jobs: Told<JobRow, 'requestedAt'>[] = JSON.parse(row.jobs);
  const runs: Told<RunRow, 'leasedAt' | 'notBefore'>[] = JSON.parse(row.runs);
  const nodes: Told<NodeRow, 'quarantinedAt' | 'seenAt'>[] = JSON.parse(row.nodes);
  return {
    cursor: row.cursor,
    isWhole,
    jobs: jobs.filter(isOpen).map(jobOf),
    runs: runs.filter(isLive).map(runOf),
    nodes: nodes.map(
      ({ accelerators, slots, silentSlots, tags, program, protocol, quarantinedAt, seenAt, ...node }) => ({
        ...node,
        drainReason: node.drainReason ?? (protocol === null ? null : protocolFault(protocol, program)),
        tags: countingTags(tags),
        quarantinedAt: dateOf(quarantinedAt),
        seenAt: dateOf(seenAt),
        machine: node.class.split('+', 1)[0]!,
        slots: slotsOfNode(slots, accelerators).map((slot) => {
          const silent = silentSlots[slot.slot];
          return silent ? { ...slot, silentUntil: new Date(silent.until) } : slot;
        }),
      }),
    ),
    // Read after the world: what a lease that it does not show yet has set aside is counted all the same.
    budgets: await budgets.forWorld(db),
    goneJobIds: jobs.filter((job) => !isOpen(job)).map(({ jobId }) => jobId),
    goneRunIds: runs.filter((run) => !isLive(run)).map(({ runId }) => runId),
  };
}
