// What must be true of a farm's rows when all is over, whatever died: every job ended, no run lost, none recorded twice, and
// every child that was ever started stands behind a lease of its own. Says what is not so, a sentence each.
import type { Database } from '@retraind/prisma/client';
import type { Start } from './starts.ts';

export interface AccountedJob {
  jobId: string;
  state: string;
  reason: string;
  verdicts: number;
}

export interface AccountedRun {
  runId: string;
  jobId: string;
  /** Purpose, seed, numerics and repeat as one text: a job has one result a place. */
  place: string;
  state: string;
  leaseEpoch: number;
  leases: { leaseEpoch: number; outcome: string | null }[];
  /** Models of its recorded outputs, one a row. */
  models: string[];
}

export interface Accounts {
  jobs: AccountedJob[];
  runs: AccountedRun[];
}

export async function readAccounts(db: Database): Promise<Accounts> {
  const [jobs, runs] = await Promise.all([
    db.$queryRaw<AccountedJob[]>`
      SELECT job_id AS "jobId", state, reason,
        (SELECT count(*)::int FROM verdict WHERE verdict.job_id = job.job_id) AS verdicts
      FROM job ORDER BY created_at`,
    db.$queryRaw<AccountedRun[]>`
      SELECT run_id AS "runId", job_id AS "jobId", state, lease_epoch AS "leaseEpoch",
        concat_ws(' ', purpose, seed_index, declared_seed, numerics, repeat) AS place,
        ARRAY(SELECT model FROM run_output WHERE run_output.run_id = run.run_id) AS models,
        COALESCE((SELECT jsonb_agg(jsonb_build_object('leaseEpoch', lease_epoch, 'outcome', outcome) ORDER BY lease_epoch)
          FROM lease WHERE lease.run_id = run.run_id), '[]') AS leases
      FROM run ORDER BY created_at`,
  ]);
  return { jobs, runs };
}

/** The run's result was counted more than once: what fencing is there to forbid. */
export const isDoubled = (fault: string): boolean => / recorded twice/.test(fault);

/** What is not as it must be, given which jobs were asked for and which children were started; empty where all is well. */
export function faultsOf(
  { jobs, runs }: Accounts,
  asked: readonly string[],
  starts: readonly Start[],
): string[] {
  const faults: string[] = [];
  const byId = new Map(jobs.map((job) => [job.jobId, job]));
  for (const jobId of asked) {
    const job = byId.get(jobId);
    if (!job) faults.push(`job ${jobId} is lost`);
    else if (job.state !== 'judged') faults.push(`job ${jobId} is ${job.state}: ${job.reason}`);
    else if (job.verdicts === 0) faults.push(`job ${jobId} was judged without a verdict`);
  }
  const started = new Map<string, number>();
  for (const { runId, leaseEpoch } of starts) {
    const lease = `${runId}-${leaseEpoch}`;
    started.set(lease, (started.get(lease) ?? 0) + 1);
  }
  const places = new Map<string, string>();
  for (const run of runs) {
    faults.push(...runFaults(run, started));
    if (run.state !== 'reported') continue;
    const place = `${run.jobId} ${run.place}`;
    const other = places.get(place);
    if (other) faults.push(`place ${place} is recorded twice: by the runs ${other} and ${run.runId}`);
    places.set(place, run.runId);
  }
  for (const [lease, times] of started) {
    faults.push(`${times} children were started in the name of ${lease}, which is no lease`);
  }
  return faults;
}

/** Takes the run's own leases out of `started`. */
function runFaults(run: AccountedRun, started: Map<string, number>): string[] {
  const { runId, state, leases, models } = run;
  const faults: string[] = [];
  if (state === 'waiting' || state === 'leased') faults.push(`run ${runId} is ${state} for ever`);
  const reported = leases.filter(({ outcome }) => outcome === 'reported');
  if (reported.length > 1) {
    const epochs = reported.map(({ leaseEpoch }) => leaseEpoch).join(' and ');
    faults.push(`run ${runId} is recorded twice: by its leases ${epochs}`);
  }
  if (new Set(models).size < models.length) faults.push(`an output of run ${runId} is recorded twice`);
  if ((state === 'reported') !== reported.length > 0) {
    faults.push(`run ${runId} is ${state} with ${reported.length} reported leases`);
  }
  if (state === 'reported' && models.length === 0) faults.push(`run ${runId} is reported without an output`);
  leases.forEach(({ leaseEpoch, outcome }, i) => {
    if (leaseEpoch !== i + 1) faults.push(`run ${runId} has no lease ${i + 1}`);
    if (outcome === null) faults.push(`lease ${leaseEpoch} of run ${runId} never ended`);
    const lease = `${runId}-${leaseEpoch}`;
    const times = started.get(lease) ?? 0;
    started.delete(lease);
    if (times > 1) faults.push(`lease ${lease} was started ${times} times`);
    if (outcome === 'reported' && times === 0) faults.push(`lease ${lease} was reported, but never started`);
  });
  return faults;
}
