// How a wish begins its life: waiting for a slot, refused by the ledger until its entry expires, or held for an approval where a
// budget asks for one. The same for a person's wish, an upload and a release.
import type { RunEstimate } from '@retraind/shared/cost/estimate';
import { unitOf } from '@retraind/shared/cost/reservation';
import { refusalOf, refusingEntry } from '@retraind/shared/ledger/entry';
import { approvalWanted, type ExpectedCost, type Threshold } from '@retraind/shared/policy/approval';
import { type Demand, demandOfRecipe, demandOfStored, demandOfTag } from '@retraind/shared/policy/world';
import { parseRecipe } from '@retraind/shared/recipe/control';
import type { Recipe } from '@retraind/shared/recipe/recipe';
import { countedPlaces } from '@retraind/shared/verdict/run-plan';
import type { Database, Transaction } from '../client.ts';
import type { Prisma } from '../generated/client.ts';
import { estimateFor } from './estimates.ts';
import { moveJob } from './job-move.ts';
import * as ledger from './ledger.ts';
import type { SourceVersion } from './versions.ts';

export interface Birth {
  state: 'needs-retrain' | 'held' | 'auto-not-for-us' | 'not-for-us';
  /** Why, where it does not simply wait for a slot. */
  reason: string | null;
  ledgerId: number | null;
  approvalAskedAt: Date | null;
  demand: Demand;
  /** Of the source package, as the index said when the job was made: the scheduler reads them with the job, thousands at a time. */
  section: string;
  archivePriority: string;
  /** What its runs are given: the overlay in force now (./overlay.ts). */
  overlaySha256: string | null;
}

/** The recipe as far as the farm has seen it: the overlay's, or what the newest job of this very version recorded. */
export const knownRecipe = async (
  tx: Transaction,
  { suite, source, version, control }: SourceVersion,
): Promise<Recipe | null> => {
  if (control !== null) return parseRecipe(control).recipe;
  const seen = await tx.job.findFirst({
    where: { suite, source, version, control: { not: null } },
    orderBy: { controlAt: 'desc' },
    select: { control: true },
  });
  return seen?.control ? parseRecipe(seen.control).recipe : null;
};

export interface Wish {
  requestedBy: string;
  /** An admin wants it in spite of the ledger. */
  override: boolean;
}

export const beginningOf = async (
  tx: Transaction,
  version: SourceVersion,
  { requestedBy, override }: Wish,
): Promise<Birth> => {
  const { suite, source, section, archivePriority, overlaySha256 } = version;
  const recipe = await knownRecipe(tx, version);
  const estimate = await estimateFor(tx, source, version.version);
  const demand: Demand = {
    ...(recipe ? demandOfRecipe(recipe) : demandOfTag(version.accelerators)),
    estimateSeconds: estimate.seconds ?? 0,
  };
  const plain: Birth = {
    state: 'needs-retrain',
    reason: null,
    ledgerId: null,
    approvalAskedAt: null,
    demand,
    section,
    archivePriority,
    overlaySha256,
  };
  const models = recipe?.models.map(({ name }) => name) ?? null;
  const entry = override
    ? null
    : refusingEntry(await ledger.inForce(tx, [source]), source, models, new Date());
  if (entry !== null) {
    return { ...plain, state: 'auto-not-for-us', reason: refusalOf(entry), ledgerId: entry.ledgerId };
  }
  const wanted = approvalWanted(costOf(estimate, recipe), await thresholdsOf(tx, suite, requestedBy));
  return wanted === null ? plain : { ...plain, state: 'held', reason: wanted, approvalAskedAt: new Date() };
};

/** Of all the runs that an honest package comes to. */
const costOf = (estimate: RunEstimate, recipe: Recipe | null): ExpectedCost => ({
  unit: unitOf(estimate.gpus),
  hours:
    estimate.seconds &&
    (countedPlaces(recipe?.models ?? []).expected * estimate.seconds * Math.max(estimate.gpus, 1)) / 3_600,
});

/**
 * After the first run of a job that nobody had timed: what its runs take is known now, so it is set aside for the others, and a
 * job that turns out to be large is held for an approval. True where it is.
 */
export const learnCost = (db: Database, jobId: string): Promise<boolean> =>
  db.$transaction(async (tx) => {
    await tx.$queryRaw`SELECT job_id FROM job WHERE job_id = ${jobId} FOR UPDATE`;
    const job = await tx.job.findUniqueOrThrow({ where: { jobId } });
    const demand = demandOfStored(job.demand as Partial<Demand>);
    const estimate = await estimateFor(tx, job.source, job.version);
    if (demand.estimateSeconds > 0 || estimate.seconds === null) return false;
    const known = { ...demand, estimateSeconds: estimate.seconds } as unknown as Prisma.InputJsonObject;
    await tx.job.update({ where: { jobId }, data: { demand: known } });
    if (job.approvalAskedAt !== null) return false;
    const recipe = job.control === null ? null : parseRecipe(job.control).recipe;
    const thresholds = await thresholdsOf(tx, job.suite, job.requestedBy);
    const reason = approvalWanted(costOf(estimate, recipe), thresholds);
    if (reason === null) return false;
    await tx.job.update({ where: { jobId }, data: { approvalAskedAt: new Date() } });
    await moveJob(tx, { jobId, to: 'held', reason, actor: 'scheduler' });
    return true;
  });

/** The thresholds of the accounts that pay for a job. */
export const thresholdsOf = async (
  tx: Transaction,
  suite: string,
  requestedBy: string,
): Promise<Threshold[]> => {
  const rows = await tx.budget.findMany({
    where: { account: { in: [`suite:${suite}`, `requester:${requestedBy}`] } },
  });
  return rows.flatMap(({ account, approvalGpuHours, approvalCpuHours }): Threshold[] => [
    ...(approvalGpuHours === null
      ? []
      : [{ account: account as Threshold['account'], unit: 'gpu' as const, hours: approvalGpuHours }]),
    ...(approvalCpuHours === null
      ? []
      : [{ account: account as Threshold['account'], unit: 'cpu' as const, hours: approvalCpuHours }]),
  ]);
};

/** The columns of a job that begins so; `reason` where nothing else speaks. */
export const bornAs = ({ demand, reason, ...birth }: Birth, otherwise: string) => ({
  ...birth,
  reason: reason ?? otherwise,
  demand: demand as unknown as Prisma.InputJsonObject,
});
