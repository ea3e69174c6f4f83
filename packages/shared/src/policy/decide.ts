// Which waiting run goes to which slot, and why each other one does not. Pure: the scheduler applies the actions, the API and
// the CLI ask the same function "why is this not running?".
//
// First form: oldest job first, seeds in order; a slot must be free, its node approved and seen lately, its devices must fit.
import { matchSlot } from '../gpu/match.ts';
import { printWish } from '../gpu/wish.ts';
import { displayDuration } from '../units/duration.ts';
import type { Demand, World, WorldJob, WorldNode, WorldRun, WorldSlot } from './world.ts';

/** What a slot is asked, in the order in which the answers are shown. */
export const clauses = ['approved', 'seen', 'accelerator', 'elsewhere', 'free'] as const;
export type Clause = (typeof clauses)[number];

export interface ClauseResult {
  clause: Clause;
  passes: boolean;
  /** One phrase for people, for pass and fail. */
  reason: string;
}

/** One slot's answer to one run. */
export interface SlotAnswer {
  nodeId: string;
  nodeName: string;
  slot: number;
  clauses: ClauseResult[];
}

export interface PlaceAction {
  kind: 'place';
  runId: string;
  jobId: string;
  nodeId: string;
  slot: number;
  reason: string;
}
export type Action = PlaceAction;

export interface Refusal {
  runId: string;
  jobId: string;
  /** One sentence: the nearest miss. */
  reason: string;
  /** Every slot with every clause; empty where there are no nodes, or the run waits for a time. */
  slots: SlotAnswer[];
}

export interface Decision {
  actions: Action[];
  refusals: Refusal[];
}

/** States of a job whose runs may be placed. */
const runningStates = ['needs-retrain', 'retraining'];

const slotKey = (nodeId: string, slot: number): string => `${nodeId}/${slot}`;

/** What does not change while one decision is made, for one demand on one slot; answers are shared by all runs of equal demand. */
interface Standing {
  node: WorldNode;
  slot: WorldSlot;
  results: ClauseResult[];
  eligible: boolean;
  /** Index of the alternative that fits; lower is better. */
  alternative: number;
  taken: string;
}

function standingOf(world: World, now: Date, demand: Demand): Standing[] {
  return world.nodes.flatMap((node) =>
    node.slots.map((slot): Standing => {
      const match = matchSlot(demand, slot.accelerators);
      const results: ClauseResult[] = [
        approvedClause(node),
        seenClause(world, now, node),
        match.fits
          ? { clause: 'accelerator', passes: true, reason: `fits ${printWish(match.wish)}` }
          : { clause: 'accelerator', passes: false, reason: match.reason },
      ];
      return {
        node,
        slot,
        results,
        eligible: results.every(({ passes }) => passes),
        alternative: match.fits ? match.alternative : Number.POSITIVE_INFINITY,
        taken: match.fits ? printWish(match.wish) : '',
      };
    }),
  );
}

const approvedClause = (node: WorldNode): ClauseResult => ({
  clause: 'approved',
  passes: node.approved && node.drainReason === null,
  reason: !node.approved
    ? 'not approved'
    : node.drainReason === null
      ? 'approved'
      : `drained: ${node.drainReason}`,
});

function seenClause(world: World, now: Date, { seenAt }: WorldNode): ClauseResult {
  if (seenAt === null) return { clause: 'seen', passes: false, reason: 'never seen' };
  const seconds = Math.max(0, (now.getTime() - seenAt.getTime()) / 1_000);
  return {
    clause: 'seen',
    passes: seconds <= world.nodeSilenceSeconds,
    reason: `seen ${displayDuration(seconds)} ago`,
  };
}

/** Oldest job first, then seeds in order; ids break ties so that two schedulers would decide alike. */
const byAge = (a: { job: WorldJob; run: WorldRun }, b: { job: WorldJob; run: WorldRun }): number =>
  a.job.requestedAt.getTime() - b.job.requestedAt.getTime() ||
  (a.job.jobId < b.job.jobId ? -1 : a.job.jobId > b.job.jobId ? 1 : 0) ||
  a.run.seedIndex - b.run.seedIndex ||
  (a.run.runId < b.run.runId ? -1 : a.run.runId > b.run.runId ? 1 : 0);

/** Runs that wait for a slot, in the order in which they are served. */
export function queueOf(world: World): { job: WorldJob; run: WorldRun }[] {
  const jobs = new Map(world.jobs.map((job) => [job.jobId, job]));
  return world.runs
    .filter(({ state }) => state === 'waiting')
    .flatMap((run) => {
      const job = jobs.get(run.jobId);
      return job !== undefined && runningStates.includes(job.state) ? [{ job, run }] : [];
    })
    .sort(byAge);
}

/** One pass over the waiting runs. `now` is the only clock. */
export function decide(world: World, now: Date): Decision {
  const actions: Action[] = [];
  const refusals: Refusal[] = [];
  const holders = new Map<string, string>();
  for (const { holder, runId } of world.runs) {
    if (holder) holders.set(slotKey(holder.nodeId, holder.slot), runId);
  }
  const standings = new Map<string, Standing[]>();
  const answers = new Map<string, Pick<Refusal, 'reason' | 'slots'>>();
  for (const { job, run } of queueOf(world)) {
    if (run.notBefore !== null && run.notBefore > now) {
      const seconds = (run.notBefore.getTime() - now.getTime()) / 1_000;
      refusals.push({
        runId: run.runId,
        jobId: job.jobId,
        reason: `given back; tried again in ${displayDuration(seconds)}`,
        slots: [],
      });
      continue;
    }
    const key = JSON.stringify(job.demand);
    const standing = standings.get(key) ?? standingOf(world, now, job.demand);
    standings.set(key, standing);
    const candidates = candidatesFor(run, standing);
    const free = candidates.filter(({ node, slot }) => !holders.has(slotKey(node.nodeId, slot.slot)));
    const best = free.sort(bySuitability)[0];
    if (best === undefined) {
      // Runs of equal demand that failed on the same nodes get one answer, until a placement changes it.
      const answerKey = `${key} ${run.failedOn.join(' ')} ${actions.length}`;
      const answer = answers.get(answerKey) ?? refusalOf(standing, candidates, holders);
      answers.set(answerKey, answer);
      refusals.push({ runId: run.runId, jobId: job.jobId, ...answer });
      continue;
    }
    holders.set(slotKey(best.node.nodeId, best.slot.slot), run.runId);
    actions.push({
      kind: 'place',
      runId: run.runId,
      jobId: job.jobId,
      nodeId: best.node.nodeId,
      slot: best.slot.slot,
      reason: `${best.node.name} slot ${best.slot.slot}: free, ${best.results.map(({ reason }) => reason).join(', ')}`,
    });
  }
  return { actions, refusals };
}

/** Eligible slots, without the nodes that failed this run while another node could take it. */
function candidatesFor(run: WorldRun, standing: readonly Standing[]): Standing[] {
  const eligible = standing.filter((one) => one.eligible);
  const elsewhere = eligible.filter(({ node }) => !run.failedOn.includes(node.nodeId));
  return elsewhere.length > 0 ? elsewhere : eligible;
}

/** The better alternative first; then the slot with the fewest devices, so that CPU work leaves GPUs alone. */
const bySuitability = (a: Standing, b: Standing): number =>
  a.alternative - b.alternative ||
  a.slot.accelerators.length - b.slot.accelerators.length ||
  (a.node.nodeId < b.node.nodeId ? -1 : a.node.nodeId > b.node.nodeId ? 1 : 0) ||
  a.slot.slot - b.slot.slot;

function refusalOf(
  standing: readonly Standing[],
  candidates: readonly Standing[],
  holders: ReadonlyMap<string, string>,
): Pick<Refusal, 'reason' | 'slots'> {
  const slots = standing.map((one): SlotAnswer => {
    const { node, slot, results, eligible } = one;
    const isAvoided = eligible && !candidates.includes(one);
    const holder = holders.get(slotKey(node.nodeId, slot.slot));
    return {
      nodeId: node.nodeId,
      nodeName: node.name,
      slot: slot.slot,
      clauses: [
        ...results,
        {
          clause: 'elsewhere',
          passes: !isAvoided,
          reason: isAvoided
            ? 'failed this run before; another node is tried first'
            : 'has not failed this run, or is the only one',
        },
        {
          clause: 'free',
          passes: holder === undefined,
          reason: holder === undefined ? 'free' : `busy with run ${holder}`,
        },
      ],
    };
  });
  return { reason: nearestMiss(slots), slots };
}

/** One sentence: the slot that lacks least, and what it lacks. */
function nearestMiss(slots: readonly SlotAnswer[]): string {
  if (slots.length === 0) return 'no node is registered';
  const failures = slots.map((answer) => ({
    answer,
    failed: answer.clauses.filter(({ passes }) => !passes),
  }));
  const busy = failures.filter(({ failed }) => failed.length === 1 && failed[0]!.clause === 'free');
  if (busy.length > 0) return `every slot that fits is busy (${busy.length} of ${slots.length})`;
  const last = (failed: readonly ClauseResult[]): number => clauses.indexOf(failed[0]!.clause);
  const [nearest] = [...failures].sort(
    (a, b) => a.failed.length - b.failed.length || last(b.failed) - last(a.failed),
  );
  const { answer, failed } = nearest!;
  return `no slot fits; nearest is ${answer.nodeName} slot ${answer.slot}: ${failed.map(({ reason }) => reason).join('; ')}`;
}
