// Nodes that compute wrongly (shared/node/quarantine): found by what others report for the same seed, quarantined in one transaction
// with what follows for the results that it had given. A void run keeps what it reported; a new run takes its place, so that no run ever
// has two recorded results and no evidence is rewritten.
import {
  type Contradiction,
  contradictions,
  lastSoundAt,
  quarantineReason,
  quarantines,
} from '@retraind/shared/node/quarantine';
import type { Database, Transaction } from '../client.ts';
import { note } from './audit.ts';
import { newId } from './id.ts';
import { moveJob } from './job-move.ts';
import * as runs from './runs.ts';
import { seedResults } from './seed-results.ts';

/** What a quarantine did. */
export interface Quarantine {
  nodeId: string;
  reason: string;
  /** Runs whose results are void, and those that take their places. */
  voidRunIds: string[];
  newRunIds: string[];
}

/**
 * Looks whether the results of a job contradict a node, and quarantines those that are contradicted often enough over all
 * jobs of two packages. What a node reported before it was last approved or resumed does not count against it.
 */
export const inspect = async (db: Database, jobId: string): Promise<Quarantine[]> => {
  const suspects = new Set(contradictions(await seedResults(db, { jobId })).map(({ nodeId }) => nodeId));
  const done: Quarantine[] = [];
  for (const nodeId of suspects) {
    const node = await db.node.findUnique({ where: { nodeId }, select: { stateAt: true, state: true } });
    if (node === null || (node.state !== 'approved' && node.state !== 'drained')) continue;
    const results = await seedResults(db, { nodeId });
    const found = contradictions(results).filter((one) => one.nodeId === nodeId);
    const since = found.filter(({ endedAt }) => endedAt >= node.stateAt);
    if (!quarantines(since)) continue;
    const doubt = { since: node.stateAt, soundAt: lastSoundAt(results, nodeId, since) };
    const quarantine = await quarantineNode(db, nodeId, since, doubt);
    if (quarantine) done.push(quarantine);
  }
  return done;
};

const quarantineNode = async (
  db: Database,
  nodeId: string,
  found: readonly Contradiction[],
  doubt: Doubt,
): Promise<Quarantine | null> => {
  const reason = quarantineReason(found);
  const first = await db.$transaction(async (tx) => {
    // Jobs first, as every deed locks them.
    const doubted = await lockDoubted(tx, nodeId, doubt);
    const set = await tx.$executeRaw`
      UPDATE node SET state = 'quarantined', state_reason = ${reason}, state_by = 'farm', state_at = now()
      WHERE node_id = ${nodeId} AND state IN ('approved', 'drained')`;
    if (set === 0) return null;
    const facts = {
      contradictions: found.map(({ runId, model, sha256, agreedSha256, agreedBy }) => ({
        runId,
        model,
        sha256,
        agreedSha256,
        agreedBy,
      })),
    };
    await note(tx, { actor: 'farm', deed: 'nodes.quarantine', subject: `node:${nodeId}`, reason, facts });
    return voidResults(tx, nodeId, doubted);
  });
  if (first === null) return null;
  // What it still runs is not waited for: each lease in its own transaction, as runs are locked before nodes.
  const held = await db.run.findMany({
    where: { nodeId, state: 'leased' },
    select: { runId: true, leaseEpoch: true },
    orderBy: { runId: 'asc' },
  });
  for (const lease of held) {
    const detail = `node ${nodeId} was quarantined`;
    await runs.giveBack(db, { ...lease, outcome: 'given-back', blame: 'farm', detail });
  }
  // What it reported meanwhile is as doubtful.
  const late = await db.$transaction(async (tx) =>
    voidResults(tx, nodeId, await lockDoubted(tx, nodeId, doubt)),
  );
  return {
    nodeId,
    reason,
    voidRunIds: [...first.voidRunIds, ...late.voidRunIds],
    newRunIds: [...first.newRunIds, ...late.newRunIds],
  };
};

/** Which of a node's results are in doubt: nobody doubts what it gave before an admin last looked at it, or others agreed with it. */
interface Doubt {
  since: Date;
  /** After this time only; null: all. */
  soundAt: Date | null;
}

interface Doubted {
  runId: string;
  jobId: string;
  isCheck: boolean;
}

/** The results of a node that stand and are in doubt, locked with their jobs. */
const lockDoubted = (tx: Transaction, nodeId: string, { since, soundAt }: Doubt): Promise<Doubted[]> =>
  tx.$queryRaw<Doubted[]>`
    SELECT run.run_id AS "runId", job.job_id AS "jobId", run.purpose = 'check' AS "isCheck" FROM run JOIN job USING (job_id)
      JOIN lease ON lease.run_id = run.run_id AND lease.lease_epoch = run.lease_epoch
    WHERE run.state = 'reported' AND lease.node_id = ${nodeId} AND run.ended_at >= ${since}
      AND (${soundAt}::timestamptz IS NULL OR run.ended_at > ${soundAt})
    ORDER BY job.job_id, run.run_id FOR UPDATE OF job, run`;

const voidResults = async (
  tx: Transaction,
  nodeId: string,
  doubted: readonly Doubted[],
): Promise<Pick<Quarantine, 'voidRunIds' | 'newRunIds'>> => {
  const newRunIds: string[] = [];
  for (const { runId } of doubted) newRunIds.push(...(await voidRun(tx, runId, nodeId)));
  // No verdict rests on a check, so none is judged again for one.
  const weighed = doubted.filter(({ isCheck }) => !isCheck);
  for (const jobId of new Set(weighed.map((run) => run.jobId))) await reopen(tx, jobId, nodeId);
  return { voidRunIds: doubted.map(({ runId }) => runId), newRunIds };
};

/** Ends the standing of a result; where its job may have runs, another takes its place at once. */
const voidRun = async (tx: Transaction, runId: string, nodeId: string): Promise<string[]> => {
  const detail = `node ${nodeId} was quarantined: its results differ from those of others`;
  await tx.$executeRaw`
    UPDATE run SET state = 'void', blame = 'node', code = 'conflict', detail = ${detail} WHERE run_id = ${runId}`;
  await note(tx, { actor: 'farm', deed: 'runs.void', subject: `run:${runId}`, reason: detail });
  // A check of it would tell nothing any more.
  await tx.$executeRaw`
    UPDATE run SET state = 'cancelled', ended_at = now() WHERE state = 'waiting' AND purpose = 'check'
      AND run_id IN (SELECT run_id FROM node_check WHERE of_run_id = ${runId})`;
  const rows = await tx.$queryRaw<{ runId: string }[]>`
    INSERT INTO run (run_id, job_id, purpose, seed_index, declared_seed, numerics, repeat, class)
    SELECT ${newId()}, job_id, purpose, seed_index, declared_seed, numerics, repeat,
      -- Others may be bound to the class of this one: the new one must stay comparable with them.
      CASE WHEN EXISTS (SELECT FROM run bound WHERE bound.job_id = run.job_id AND bound.seed_index = run.seed_index
                        AND bound.declared_seed IS NOT DISTINCT FROM run.declared_seed AND bound.numerics = run.numerics
                        AND bound.class IS NOT NULL AND bound.state IN ('waiting', 'leased', 'reported', 'void'))
        THEN (SELECT class FROM lease WHERE lease.run_id = run.run_id AND lease.lease_epoch = run.lease_epoch) END
    FROM run JOIN job USING (job_id)
    WHERE run_id = ${runId} AND purpose <> 'check' AND job.state IN ('needs-retrain', 'retraining', 'judged')
    RETURNING run_id AS "runId"`;
  return rows.map((row) => row.runId);
};

/** A judged job whose verdict rests on a void result is judged again, unless another open job asks the same. */
const reopen = async (tx: Transaction, jobId: string, nodeId: string): Promise<void> => {
  const [row] = await tx.$queryRaw<{ mayOpen: boolean }[]>`
    SELECT NOT EXISTS (
      SELECT FROM job other WHERE other.job_id <> job.job_id AND other.suite = job.suite AND other.source = job.source
        AND other.version = job.version AND other.seed_override IS NOT DISTINCT FROM job.seed_override
        AND other.state IN ('needs-retrain', 'retraining', 'dep-wait', 'data-wait', 'budget-wait', 'held')) AS "mayOpen"
    FROM job WHERE job_id = ${jobId} AND state = 'judged'`;
  if (row === undefined) return;
  const reason = `a result of node ${nodeId} is void: it was quarantined`;
  if (row.mayOpen) await moveJob(tx, { jobId, to: 'needs-retrain', reason, actor: 'farm' });
  else
    await tx.$executeRaw`UPDATE run SET state = 'cancelled', ended_at = now() WHERE job_id = ${jobId} AND state = 'waiting'`;
};
