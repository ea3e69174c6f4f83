// What nodes reported for seeds, in the form in which they are held against each other (shared/node/quarantine).
import type { SeedResult } from '@retraind/shared/node/quarantine';
import type { Connection } from '../client.ts';
import { Prisma } from '../generated/client.ts';

/** Results that stand, of this job, or of all jobs in which this node has some since it was last approved. */
export const seedResults = (
  db: Connection,
  where: { jobId: string } | { nodeId: string },
): Promise<SeedResult[]> =>
  db.$queryRaw<SeedResult[]>`
    SELECT run.run_id AS "runId", run.job_id AS "jobId", job.source, model, lease.node_id AS "nodeId", run_output.sha256,
      run.ended_at AS "endedAt", concat_ws(' ', COALESCE(lease.class, node.class), run.engine) AS setting,
      concat_ws(' ', run.seed, run.numerics, run.purpose = 'dependence', COALESCE(lease.class, node.class), run.engine) AS sameness
    FROM run_output JOIN run USING (run_id) JOIN job USING (job_id)
      JOIN lease ON lease.run_id = run.run_id AND lease.lease_epoch = run.lease_epoch
      JOIN node ON node.node_id = lease.node_id
    WHERE run.state = 'reported' AND ${
      'jobId' in where
        ? Prisma.sql`run.job_id = ${where.jobId}`
        : Prisma.sql`run.job_id IN (
            SELECT mine.job_id FROM run mine JOIN lease held ON held.run_id = mine.run_id AND held.lease_epoch = mine.lease_epoch
              JOIN node self ON self.node_id = held.node_id
            WHERE mine.state = 'reported' AND held.node_id = ${where.nodeId} AND mine.ended_at >= self.state_at)`
    }`;
