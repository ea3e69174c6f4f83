// Budgets: hours that an account may spend. What is spent is counted by a trigger when a lease ends, once; what is reserved follows
// from the leases that are open, so that no deed can forget to give it back.
import type { Account, Budget } from '@retraind/shared/policy/world';
import type { Connection, Database } from '../client.ts';
import type { Budget as BudgetRow } from '../generated/client.ts';
import { note } from './audit.ts';

export type StoredBudget = Omit<BudgetRow, 'account'> & {
  account: Account;
  /** Set aside for leases that are open now. */
  reservedGpuHours: number;
  reservedCpuHours: number;
};

export interface BudgetToSet {
  account: Account;
  /** Null: no limit. */
  gpuHours: number | null;
  cpuHours: number | null;
  /** Null: nothing needs approval. */
  approvalGpuHours: number | null;
  approvalCpuHours: number | null;
  /** Forget what was spent: a new period begins. */
  renew: boolean;
}

/** Sets the limits of an account; what it has spent stays unless `renew`. */
export const set = (
  db: Database,
  { renew, account, ...limits }: BudgetToSet,
  { actor, reason }: { actor: string; reason: string },
): Promise<void> =>
  db.$transaction(async (tx) => {
    const fresh = renew ? { spentGpuHours: 0, spentCpuHours: 0, since: new Date() } : {};
    await tx.budget.upsert({
      where: { account },
      create: { account, ...limits, setBy: actor },
      update: { ...limits, ...fresh, setBy: actor, setAt: new Date() },
    });
    const facts = { ...limits, renew };
    await note(tx, { actor, deed: 'budgets.set', subject: `budget:${account}`, reason, facts });
  });

/** All budgets, by account. */
export const list = (db: Connection): Promise<StoredBudget[]> =>
  db.$queryRaw<StoredBudget[]>`
    SELECT account, gpu_hours AS "gpuHours", cpu_hours AS "cpuHours", approval_gpu_hours AS "approvalGpuHours",
      approval_cpu_hours AS "approvalCpuHours", spent_gpu_hours AS "spentGpuHours", spent_cpu_hours AS "spentCpuHours",
      since, set_by AS "setBy", set_at AS "setAt",
      COALESCE(reserved.gpu, 0) AS "reservedGpuHours", COALESCE(reserved.cpu, 0) AS "reservedCpuHours"
    FROM budget LEFT JOIN LATERAL (
      SELECT sum(reserved_hours) FILTER (WHERE lease.gpus > 0) AS gpu, sum(reserved_hours) FILTER (WHERE lease.gpus = 0) AS cpu
      FROM lease JOIN run USING (run_id) JOIN job USING (job_id)
      WHERE lease.outcome IS NULL AND budget.account = ANY(retraind_payers(job.suite, job.requested_by, run.purpose))
    ) AS reserved ON true
    ORDER BY account`;

/** A run that has used more than was set aside for it, of a budget that has no more. */
export interface Overrun {
  runId: string;
  leaseEpoch: number;
  account: Account;
}

/** Runs that a hard stop ends. Empty where what is set aside keeps every budget within its limit. */
export const overrunning = (db: Connection): Promise<Overrun[]> =>
  db.$queryRaw<Overrun[]>`
    WITH open AS (
      SELECT lease.run_id, lease.lease_epoch, lease.gpus, lease.reserved_hours, budget.account,
        CASE WHEN lease.gpus > 0 THEN budget.gpu_hours - budget.spent_gpu_hours
          ELSE budget.cpu_hours - budget.spent_cpu_hours END AS left_hours,
        EXTRACT(EPOCH FROM now() - lease.started_at)::float8 / 3600 * GREATEST(lease.gpus, 1) AS used_hours
      FROM budget CROSS JOIN run JOIN job USING (job_id) JOIN lease USING (run_id)
      WHERE run.state = 'leased' AND run.leave_code IS NULL AND lease.outcome IS NULL
        AND budget.account = ANY(retraind_payers(job.suite, job.requested_by, run.purpose))
    ), weighed AS (
      SELECT *, sum(GREATEST(reserved_hours, used_hours)) OVER (PARTITION BY account, gpus > 0) AS wanted_hours FROM open
    )
    SELECT DISTINCT ON (run_id) run_id AS "runId", lease_epoch AS "leaseEpoch", account FROM weighed
    WHERE wanted_hours > left_hours AND used_hours > reserved_hours ORDER BY run_id, account`;

const secondsPerHour = 3_600;

/** The budgets as the scheduler weighs them: one an account and unit that has a limit. */
export const forWorld = async (db: Connection): Promise<Budget[]> => (await list(db)).flatMap(budgetsOf);

const budgetsOf = (row: StoredBudget): Budget[] => {
  const of = (unit: Budget['unit'], limit: number | null, spent: number, reserved: number): Budget[] =>
    limit === null
      ? []
      : [
          {
            account: row.account,
            unit,
            limitSeconds: limit * secondsPerHour,
            spentSeconds: spent * secondsPerHour,
            reservedSeconds: reserved * secondsPerHour,
          },
        ];
  return [
    ...of('gpu', row.gpuHours, row.spentGpuHours, row.reservedGpuHours),
    ...of('cpu', row.cpuHours, row.spentCpuHours, row.reservedCpuHours),
  ];
};
