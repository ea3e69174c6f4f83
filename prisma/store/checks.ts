// Checks of nodes (shared/node/checks): runs of seeds that another node has trained, each with why. A check is a run of its job under
// its own purpose; it is ordered once, and settled once it has ended, whatever becomes of the job.
import type { Accelerator } from '@retraind/shared/gpu/accelerator';
import { classFor } from '@retraind/shared/gpu/class';
import { matchSlot } from '@retraind/shared/gpu/match';
import {
  agreeingChecksThatClear,
  type CheckKind,
  type CheckOutcome,
  checkDue,
  tiesOf,
} from '@retraind/shared/node/checks';
import { contradictions, isIrreproducible, type SeedResult } from '@retraind/shared/node/quarantine';
import {
  type Demand,
  demandOfStored,
  type SchedulingPolicy,
  slotsOfNode,
} from '@retraind/shared/policy/world';
import type { Connection, Database } from '../client.ts';
import { note } from './audit.ts';
import { newId } from './id.ts';
import { seedResults } from './seed-results.ts';

type Policy = Pick<SchedulingPolicy, 'spotCheckShare' | 'spotCheckHours'>;

/** A check that was ordered now. */
export interface Ordered {
  runId: string;
  ofRunId: string;
  jobId: string;
  kind: CheckKind;
  reason: string;
}

/** A reported run with the slot that had it. */
interface Candidate {
  runId: string;
  jobId: string;
  trainSeconds: number;
  isChecked: boolean;
  nodeId: string;
  nodeName: string;
  /** In which it was trained. */
  runClass: string;
  demand: Partial<Demand>;
  leastMemoryBytes: number;
}

/**
 * Orders what the results of a job call for: a third opinion where two nodes differ, and another node's where the lot, or a suspicion,
 * falls on a result. Returns what is new. Nothing for a job that ended without a verdict.
 */
export const order = async (db: Database, jobId: string, policy: Policy): Promise<Ordered[]> => {
  const candidates = await reported(db, { jobId });
  if (candidates.length === 0) return [];
  const results = await seedResults(db, { jobId });
  const suspects = await suspected(db);
  const ordered: Ordered[] = [];
  const take = (one: Ordered | null): void => {
    if (one) ordered.push(one);
  };
  for (const { runIds, nodeIds } of tiesOf(results)) {
    const first = candidates.find(({ runId }) => runIds.includes(runId));
    if (first && !(await hasTieBreak(db, runIds))) take(await orderOne(db, first, 'tie-break', nodeIds));
  }
  for (const candidate of candidates) take(await orderDue(db, candidate, results, suspects, policy));
  return ordered;
};

/** A result of another package by a node that was contradicted just now: without it a decision might wait for weeks. */
export const orderAfter = async (
  db: Database,
  { nodeId, source }: { nodeId: string; source: string },
  policy: Policy,
): Promise<Ordered | null> => {
  const candidates = await reported(db, { nodeId, otherThan: source });
  const suspects = await suspected(db);
  for (const candidate of candidates.filter(({ isChecked }) => !isChecked)) {
    const { jobId } = candidate;
    const found = await orderDue(db, candidate, await seedResults(db, { jobId }), suspects, policy);
    if (found) return found;
  }
  return null;
};

const orderDue = async (
  db: Database,
  candidate: Candidate,
  results: readonly SeedResult[],
  suspects: ReadonlySet<string>,
  policy: Policy,
): Promise<Ordered | null> => {
  const { runId, nodeId, trainSeconds, isChecked } = candidate;
  if (isChecked) return null;
  const kind = checkDue({ runId, trainSeconds, isSuspect: suspects.has(nodeId) }, policy);
  const mine = results.find((one) => one.runId === runId);
  if (kind === null || mine === undefined) return null;
  const alike = results.filter(({ sameness }) => sameness === mine.sameness);
  // Another node has made it already, or no second opinion would mean anything.
  if (alike.some((one) => one.nodeId !== nodeId)) return null;
  if (isIrreproducible(results.filter(({ setting }) => setting === mine.setting))) return null;
  if (!(await hasPeer(db, candidate, [nodeId]))) return null;
  return orderOne(db, candidate, kind, [nodeId]);
};

/** Results that stand, whose seed a check may repeat: of a job, or the newest of a node since it was last approved. */
const reported = (
  db: Connection,
  where: { jobId: string } | { nodeId: string; otherThan: string },
): Promise<Candidate[]> => {
  const jobId = 'jobId' in where ? where.jobId : null;
  const nodeId = 'nodeId' in where ? where.nodeId : null;
  const otherThan = 'nodeId' in where ? where.otherThan : null;
  return db.$queryRaw<Candidate[]>`
    SELECT run.run_id AS "runId", run.job_id AS "jobId", run.train_seconds AS "trainSeconds", lease.node_id AS "nodeId",
      node.name AS "nodeName", COALESCE(lease.class, node.class) AS "runClass", job.demand,
      COALESCE(job.least_device_memory_bytes, 0) AS "leastMemoryBytes",
      EXISTS (SELECT FROM node_check WHERE of_run_id = run.run_id AND kind <> 'tie-break') AS "isChecked"
    FROM run JOIN job USING (job_id)
      JOIN lease ON lease.run_id = run.run_id AND lease.lease_epoch = run.lease_epoch
      JOIN node ON node.node_id = lease.node_id
    WHERE run.state = 'reported' AND run.purpose IN ('retrain', 'rerun')
      AND job.state IN ('needs-retrain', 'retraining', 'judged') AND node.state IN ('approved', 'drained')
      AND (${jobId}::text IS NULL OR run.job_id = ${jobId}::text)
      AND (${nodeId}::text IS NULL OR (lease.node_id = ${nodeId}::text AND job.source <> ${otherThan}::text AND run.ended_at >= node.state_at))
    ORDER BY run.ended_at DESC, run.run_id LIMIT 200`;
};

/** Whether a node is there that could take it in its class: approved, and none of those that it is held against. */
const hasPeer = async (db: Connection, candidate: Candidate, avoids: readonly string[]): Promise<boolean> => {
  const peers = await db.node.findMany({
    where: { state: 'approved', nodeId: { notIn: [...avoids] } },
    select: { class: true, slots: true, accelerators: true },
  });
  const demand = demandOfStored(candidate.demand);
  const need = { ...demand, gpuMemoryBytes: Math.max(demand.gpuMemoryBytes, candidate.leastMemoryBytes) };
  return peers.some(({ class: nodeClass, slots, accelerators }) =>
    slotsOfNode(slots, accelerators as unknown as Accelerator[]).some(
      ({ accelerators: own }) =>
        matchSlot(need, own).fits && classFor(nodeClass.split('+', 1)[0]!, need, own) === candidate.runClass,
    ),
  );
};

const hasTieBreak = async (db: Connection, runIds: readonly string[]): Promise<boolean> =>
  (await db.nodeCheck.count({ where: { kind: 'tie-break', ofRunId: { in: [...runIds] } } })) > 0;

/** Nodes that were contradicted since they were last approved, and of whose results too few have agreed since. */
const suspected = async (db: Connection): Promise<ReadonlySet<string>> => {
  const rows = await db.$queryRaw<{ nodeId: string }[]>`
    WITH last AS (
      SELECT node.node_id, max(settled_at) AS at
      FROM node_check CROSS JOIN LATERAL unnest(contradicts) AS accused(node_id) JOIN node USING (node_id)
      WHERE cardinality(contradicts) > 0 AND settled_at >= node.state_at GROUP BY node.node_id
    )
    SELECT node_id AS "nodeId" FROM last WHERE ${agreeingChecksThatClear}::int > (
      SELECT count(*) FROM node_check JOIN run ON run.run_id = of_run_id
        JOIN lease ON lease.run_id = run.run_id AND lease.lease_epoch = run.lease_epoch
      WHERE lease.node_id = last.node_id AND node_check.outcome = 'agrees' AND settled_at > last.at)`;
  return new Set(rows.map(({ nodeId }) => nodeId));
};

const orderOne = (
  db: Database,
  candidate: Candidate,
  kind: CheckKind,
  avoids: readonly string[],
): Promise<Ordered | null> =>
  db.$transaction(async (tx) => {
    const { runId: ofRunId, jobId, nodeId, nodeName, runClass } = candidate;
    const [job] = await tx.$queryRaw<
      { state: string }[]
    >`SELECT state FROM job WHERE job_id = ${jobId} FOR UPDATE`;
    if (!job || !['needs-retrain', 'retraining', 'judged'].includes(job.state)) return null;
    const of = await tx.run.findUniqueOrThrow({ where: { runId: ofRunId } });
    const isTie = kind === 'tie-break';
    const sameKind = isTie ? 'tie-break' : { not: 'tie-break' };
    // Two schedulers, or one that was cut off: the second finds that it is done.
    if (of.state !== 'reported' || (await tx.nodeCheck.count({ where: { ofRunId, kind: sameKind } })) > 0)
      return null;
    const { seedIndex, declaredSeed, numerics } = of;
    const place = { jobId, purpose: 'check', seedIndex, declaredSeed, numerics };
    const runId = newId();
    const repeat = await tx.run.count({ where: place });
    await tx.run.create({ data: { ...place, runId, repeat, class: runClass } });
    const reason = reasonOf(kind, { ofRunId, nodeId, nodeName, avoids, runClass });
    await tx.nodeCheck.create({
      data: { runId, ofRunId, kind, reason, avoids: [...avoids] },
    });
    // The scheduler reads a job whose row was touched: it may be judged.
    await tx.$executeRaw`UPDATE job SET state = state WHERE job_id = ${jobId}`;
    const facts = { runId, ofRunId, kind, avoids: [...avoids], class: runClass };
    await note(tx, { actor: 'scheduler', deed: 'nodes.check', subject: `node:${nodeId}`, reason, facts });
    return { runId, ofRunId, jobId, kind, reason };
  });

interface Reason extends Pick<Candidate, 'nodeId' | 'nodeName' | 'runClass'> {
  ofRunId: string;
  avoids: readonly string[];
}

const reasonOf = (kind: CheckKind, { ofRunId, nodeId, nodeName, avoids, runClass }: Reason): string => {
  const whose = `run ${ofRunId} of node ${nodeName} (${nodeId})`;
  if (kind === 'spot')
    return `a spot check of ${whose}: another node of class ${runClass} trains its seed again`;
  if (kind === 'suspicion')
    return `two other nodes contradicted node ${nodeName} (${nodeId}) before, so ${whose} is trained again by another of class ${runClass}`;
  return `nodes ${avoids.join(' and ')} give different bytes for the seed of ${whose}: a third node of class ${runClass} has to tell which is wrong`;
};

/** A check whose run has ended, and which was not settled yet. */
export interface Unsettled {
  runId: string;
  ofRunId: string;
  jobId: string;
  source: string;
}

export const unsettled = (db: Connection): Promise<Unsettled[]> =>
  db.$queryRaw<Unsettled[]>`
    SELECT node_check.run_id AS "runId", of_run_id AS "ofRunId", run.job_id AS "jobId", job.source
    FROM node_check JOIN run USING (run_id) JOIN job USING (job_id)
    WHERE outcome IS NULL AND run.state NOT IN ('waiting', 'leased') ORDER BY run.ended_at, run_id`;

/** Notes what a check has told; returns the nodes that two others contradict in its job by now. */
export const settle = (db: Database, { runId, ofRunId, jobId }: Unsettled): Promise<string[]> =>
  db.$transaction(async (tx) => {
    await tx.$queryRaw`SELECT FROM job WHERE job_id = ${jobId} FOR UPDATE`;
    const outcome = await outcomeOf(tx, runId, ofRunId);
    const found = contradictions(await seedResults(tx, { jobId }));
    const contradicts = [...new Set(found.map(({ nodeId }) => nodeId))];
    await tx.nodeCheck.update({ where: { runId }, data: { outcome, contradicts, settledAt: new Date() } });
    await tx.$executeRaw`UPDATE job SET state = state WHERE job_id = ${jobId}`;
    for (const nodeId of contradicts) {
      const [first] = found.filter((one) => one.nodeId === nodeId);
      const reason = `its result of run ${first!.runId} differs from what ${first!.agreedBy.join(' and ')} agree on`;
      await note(tx, {
        actor: 'farm',
        deed: 'nodes.contradict',
        subject: `node:${nodeId}`,
        reason,
        facts: { runId },
      });
    }
    return contradicts;
  });

const outcomeOf = async (tx: Connection, runId: string, ofRunId: string): Promise<CheckOutcome> => {
  const [row] = await tx.$queryRaw<{ made: boolean; differ: boolean }[]>`
    SELECT run.state IN ('reported', 'void') AS made, EXISTS (
      SELECT FROM run_output mine JOIN run_output other USING (model)
      WHERE mine.run_id = ${runId} AND other.run_id = ${ofRunId} AND mine.sha256 <> other.sha256) AS differ
    FROM run WHERE run_id = ${runId}`;
  return row?.made ? (row.differ ? 'differs' : 'agrees') : 'not-made';
};

/** Ends checks that found no node in so many days. Returns how many. */
export const giveUp = (db: Connection, days: number): Promise<number> =>
  db.$executeRaw`
    UPDATE run SET state = 'cancelled', ended_at = now()
    WHERE purpose = 'check' AND state = 'waiting' AND created_at < now() - make_interval(days => ${days}::int)`;

/** A check of a result of a job, with what it came to. */
export interface Check {
  runId: string;
  ofRunId: string;
  kind: CheckKind;
  reason: string;
  outcome: CheckOutcome | null;
  contradicts: string[];
  createdAt: Date;
}

/** Of a job, the newest first. */
export const ofJob = async (db: Connection, jobId: string): Promise<Check[]> =>
  (await db.nodeCheck.findMany({
    where: { run: { jobId } },
    orderBy: [{ createdAt: 'desc' }, { runId: 'asc' }],
  })) as unknown as Check[];
