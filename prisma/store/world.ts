// The world for the scheduler (shared/policy/world): whole at first, then only what changed. Raw SQL, as it is read at
// every tick.
//
// The cursor is the xmin of the reader's snapshot: every transaction below it had ended, so what it wrote was read. Rows
// marked with it or later are read again next time: at least once, never never. A row that left the world (a job that
// ended, a run that was reported) comes under `goneJobIds`, `goneRuns`. What never moves of a job is told when it comes.
import type { Accelerator } from '@retraind/shared/gpu/accelerator';
import { excludingCodes } from '@retraind/shared/job/blame-rules';
import { type JobState, openJobStates } from '@retraind/shared/job/states';
import { protocolFault } from '@retraind/shared/node/protocol';
import { countingTags, type NodeTag } from '@retraind/shared/node/tags';
import {
  type Budget,
  type Demand,
  demandOfStored,
  type MovingJob,
  type StandingJob,
  slotsOfNode,
  type Tenure,
  type WorldJob,
  type WorldNode,
  type WorldRun,
  worldJob,
} from '@retraind/shared/policy/world';
import type { Database } from '../client.ts';
import * as budgets from './budgets.ts';

export interface WorldChange {
  /** Give it to the next `read`. */
  cursor: string;
  /** Whether this is everything there is (the reader forgets what it had). */
  isWhole: boolean;
  /** Told whole: new to the world, back in it, or with another demand. */
  jobs: WorldJob[];
  /** Of jobs that were told whole before: what moves. */
  movedJobs: MovingJob[];
  runs: WorldRun[];
  nodes: WorldNode[];
  goneJobIds: string[];
  /** Runs that hold and want nothing any more: reported, broken, cancelled. */
  goneRuns: { runId: string; jobId: string }[];
  /** All of them, at every reading: they are few. */
  budgets: Budget[];
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

/** Milliseconds since 1970, as JSON has them. */
type Milliseconds = number;
type Told<Row, Dates extends keyof Row> = Omit<Row, Dates> & { [date in Dates]: Milliseconds | null };

/** What is told once of a job, in this order. */
type ToldStanding = [
  source: string,
  version: string,
  suite: string,
  /** JSON text. */
  demand: string,
  requestedAt: Milliseconds,
  requestedBy: string,
  section: string,
  archivePriority: string,
  datasetDigests: string[],
  releaseId: string | null,
];

/** Columns of the rows that changed; all null where none did. */
type JobColumns = [
  jobIds: string[],
  states: JobState[],
  reasons: (string | null)[],
  priorities: number[],
  releasesPaused: (string | null)[],
  leastDeviceMemories: number[],
  standing: (ToldStanding | null)[],
];

/** What is told of a run that has a slot, had one, is promised one, or is bound to a class. */
interface Dealings {
  class: string | null;
  nodeId: string | null;
  slot: number | null;
  leasedAt: Milliseconds | null;
  /** Of a leased run; null otherwise. */
  tenure: Told<Tenure, 'keptAt'> | null;
  promise: { nodeId: string; slot: number; until: Milliseconds } | null;
  failedOn: string[];
  excludedNodes: WorldRun['excludedNodes'];
  /** Of a run that checks a node; null otherwise. */
  check: { reason: string; avoids: string[] } | null;
}

type RunColumns = [
  runIds: string[],
  jobIds: string[],
  seedIndexes: number[],
  states: string[],
  notBefore: (Milliseconds | null)[],
  dealings: (Dealings | null)[],
];

interface WorldRow {
  cursor: string;
  /** JSON texts of columns, the names told never: a quarter of the time that thousands of objects take. */
  jobs: string;
  runs: string;
  nodes: string;
  hasBudgets: boolean;
  /** Jobs with runs that check nodes. */
  checkedJobIds: string[];
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

/** Most jobs pin no data. */
const none: string[] = [];

const openStates: ReadonlySet<string> = new Set(openJobStates);

function takeJobs(
  { jobs: text, checkedJobIds }: WorldRow,
  { jobs, movedJobs, goneJobIds }: WorldChange,
): void {
  const columns: JobColumns = JSON.parse(text);
  const checked = new Set(checkedJobIds);
  const [ids, states, reasons, priorities, paused, leastMemories, standing] = columns;
  for (let i = 0; i < (ids?.length ?? 0); i++) {
    const [jobId, state] = [ids[i]!, states[i]!];
    // A judged job is in the world while a node is checked with a run of it.
    if (!openStates.has(state) && !(state === 'judged' && checked.has(jobId))) {
      goneJobIds.push(jobId);
      continue;
    }
    const moving: MovingJob = {
      jobId,
      state,
      reason: reasons[i]!,
      priority: priorities[i]!,
      releasePaused: paused[i]!,
      leastDeviceMemoryBytes: leastMemories[i]!,
    };
    const told = standing[i]!;
    if (told === null) movedJobs.push(moving);
    else jobs.push(worldJob(standingJob(told), moving));
  }
}

const standingJob = (told: ToldStanding): StandingJob => ({
  source: told[0],
  version: told[1],
  suite: told[2],
  demand: demands.of(told[3]),
  requestedAt: new Date(told[4]),
  requestedBy: told[5],
  section: told[6],
  archivePriority: told[7],
  datasetDigests: told[8].length === 0 ? none : told[8],
  releaseId: told[9],
});

const noDealings: Dealings = {
  class: null,
  nodeId: null,
  slot: null,
  leasedAt: null,
  tenure: null,
  promise: null,
  failedOn: [],
  excludedNodes: [],
  check: null,
};
const avoided = ({ avoids }: NonNullable<Dealings['check']>): WorldRun['excludedNodes'] =>
  avoids.map((nodeId) => ({ nodeId, reason: 'its own result is held against this run' }));

function takeRuns(text: string, { runs, goneRuns }: WorldChange): void {
  const columns: RunColumns = JSON.parse(text);
  const [ids, jobIds, seedIndexes, states, notBefore, dealings] = columns;
  for (let i = 0; i < (ids?.length ?? 0); i++) {
    const [runId, state] = [ids[i]!, states[i]!];
    if (state !== 'waiting' && state !== 'leased') {
      goneRuns.push({ runId, jobId: jobIds[i]! });
      continue;
    }
    const dealt = dealings[i] ?? noDealings;
    const { nodeId, slot, leasedAt, tenure, promise, failedOn, excludedNodes, check } = dealt;
    runs.push({
      runId,
      jobId: jobIds[i]!,
      seedIndex: seedIndexes[i]!,
      state,
      holder: nodeId === null || slot === null ? null : { nodeId, slot },
      leasedAt: dateOf(leasedAt),
      notBefore: dateOf(notBefore[i]!),
      failedOn,
      excludedNodes: check === null ? excludedNodes : [...excludedNodes, ...avoided(check)],
      class: dealt.class,
      check: check?.reason ?? null,
      tenure: tenure && { ...tenure, keptAt: dateOf(tenure.keptAt) },
      promise: promise && { ...promise, until: new Date(promise.until) },
    });
  }
}

const nodeOf = ({
  accelerators,
  slots,
  silentSlots,
  tags,
  program,
  protocol,
  quarantinedAt,
  seenAt,
  ...node
}: Told<NodeRow, 'quarantinedAt' | 'seenAt'>): WorldNode => ({
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
});

/** Reads the world, or (with the cursor of an earlier reading) what changed since. One statement, so one snapshot. */
export async function read(db: Database, since: string | null): Promise<WorldChange> {
  const from = since ?? '-1';
  const isWhole = since === null;
  const [row] = await db.$queryRaw<[WorldRow]>`
    SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS cursor, EXISTS (SELECT FROM budget) AS "hasBudgets",
      ARRAY(SELECT job_id FROM run WHERE purpose = 'check' AND state IN ('waiting', 'leased')) AS "checkedJobIds",
      (SELECT json_build_array(json_agg(job_id), json_agg(state), json_agg(NULLIF(reason, '')), json_agg(priority),
          json_agg(CASE WHEN release_id IS NOT NULL THEN (SELECT 'the release of ' || release.suite || ' is paused: ' || release.reason
           FROM release WHERE release.release_id = job.release_id AND release.state = 'paused') END),
          json_agg(COALESCE(least_device_memory_bytes, 0)),
          json_agg(CASE WHEN standing_changed >= ${from}::bigint OR state = 'judged' THEN json_build_array(source, version, suite, demand::text,
            date_part('epoch', created_at) * 1000, requested_by, section, archive_priority, data_digests, release_id) END))::text
        FROM job
        WHERE job.changed >= ${from}::bigint AND (NOT ${isWhole} OR job.state = ANY(${[...openJobStates]})
          OR job.job_id IN (SELECT job_id FROM run WHERE purpose = 'check' AND state IN ('waiting', 'leased')))
      ) AS jobs,
      -- Most runs that wait were never leased, are promised nothing and compared with none: nothing more is looked for.
      (SELECT json_build_array(json_agg(run_id), json_agg(job_id), json_agg(seed_index), json_agg(state),
          json_agg(date_part('epoch', not_before) * 1000),
          json_agg(CASE WHEN lease_epoch > 0 OR promised_until IS NOT NULL OR class IS NOT NULL
            THEN json_build_object('class', class, 'nodeId', node_id, 'slot', slot,
            'leasedAt', CASE WHEN state = 'leased' THEN (SELECT date_part('epoch', started_at) * 1000 FROM lease
              WHERE lease.run_id = run.run_id AND outcome IS NULL) END,
            'tenure', CASE WHEN state = 'leased' THEN json_build_object('leaseEpoch', lease_epoch, 'leaving', leave_reason,
              'keptAt', CASE WHEN checkpoint_epoch = lease_epoch THEN date_part('epoch', checkpoint_at) * 1000 END, 'preemptions',
              (SELECT count(*) FROM lease WHERE lease.run_id = run.run_id AND code = 'preempted'), 'earlierSeconds',
              (SELECT COALESCE(sum(date_part('epoch', earlier.ended_at - earlier.started_at)), 0) FROM lease AS earlier JOIN lease AS held USING (run_id)
               WHERE run_id = run.run_id AND held.outcome IS NULL AND held.resumed_from IS NOT NULL AND earlier.outcome IS NOT NULL)) END,
            'promise', CASE WHEN promised_until IS NOT NULL THEN json_build_object('nodeId', promised_node_id, 'slot', promised_slot,
              'until', date_part('epoch', promised_until) * 1000) END,
            'failedOn', ARRAY(SELECT DISTINCT lease.node_id FROM lease WHERE lease.run_id = run.run_id
              AND outcome IN ('given-back', 'lost') AND blame = 'node' ORDER BY 1),
            'excludedNodes', (SELECT COALESCE(json_agg(json_build_object('nodeId', node_id, 'reason', detail)), '[]')
              FROM (SELECT DISTINCT ON (node_id) node_id, detail FROM lease
                    WHERE lease.run_id = run.run_id AND blame = 'node' AND code = ANY(${excludingCodes})
                      -- An admin who drained or resumed the node since has looked at it.
                      AND ended_at > (SELECT state_at FROM node WHERE node.node_id = lease.node_id)
                    ORDER BY node_id, lease_epoch DESC) AS excluded),
            'check', CASE WHEN purpose = 'check' THEN (SELECT json_build_object('reason', reason, 'avoids', avoids)
              FROM node_check WHERE node_check.run_id = run.run_id) END) END))::text
        FROM run WHERE changed >= ${from}::bigint AND (NOT ${isWhole} OR state IN ('waiting', 'leased'))
      ) AS runs,
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
  const nodes: Told<NodeRow, 'quarantinedAt' | 'seenAt'>[] = JSON.parse(row.nodes);
  const change: WorldChange = {
    ...{ cursor: row.cursor, isWhole, jobs: [], movedJobs: [], runs: [], goneJobIds: [], goneRuns: [] },
    nodes: nodes.map(nodeOf),
    // Most farms have none. Read after the world: what a lease that it does not show yet has set aside is counted all the same.
    budgets: row.hasBudgets ? await budgets.forWorld(db) : [],
  };
  takeJobs(row, change);
  takeRuns(row.runs, change);
  return change;
}
