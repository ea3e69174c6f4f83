// Which running run leaves its slot for one that waits (SchedulingPolicy.preemption; off by default). Looked at after all has been
// placed that can be, so that nobody leaves for a run which could go elsewhere.
//
//   waits   due, affordable, its kind fits no open slot and none that is being left to nobody
//     ▲     by `points` ahead of the other, as shares are and as they would be after the exchange
//   leaves  of another requester; not overdue; long enough on its slot, not too near its end, not preempted too often;
//           loses less than it still has to do; of all these the one that loses least
//
// Nothing goes in circles. The points of all runs that hold a slot, less what the squares of the accounts' shares cost, grow with each
// exchange by the mean of the lead before and after it, thus by `points` at least; where time stands still exchanges end by
// themselves. As time passes ranks change: a run is preempted `mostTimes` at most, and never within `leastHeldSeconds`.

import { displayDuration } from '../units/duration.ts';
import type { SlotView } from './fleet.ts';
import { type Moment, rankOf } from './moment.ts';
import { fitHere, type Open, openSlots } from './open-slots.ts';
import { isCheck, payersOf } from './payers.ts';
import { expectedSeconds, isOverdue, pointsAt, standingPoints } from './priority.ts';
import { byAge, type Entry, type Kind, type Lane } from './queue.ts';
import type { Preemption, Tenure } from './world.ts';

/** The run that is asked to leave, under the lease that was looked at, and the one that its slot is promised to. */
export interface PreemptAction {
  kind: 'preempt';
  runId: string;
  jobId: string;
  leaseEpoch: number;
  nodeId: string;
  slot: number;
  forRunId: string;
  /** One sentence. */
  reason: string;
}

/** A slot that was left stays promised for so long: a target's grace, and a checkpoint that takes its time to be kept. */
export const promiseSeconds = 900;

interface Victim {
  view: SlotView;
  entry: Entry;
  tenure: Tenure;
  points: number;
  lostSeconds: number;
  /** Device-seconds (slot-seconds without a device) that are lost. */
  loss: number;
}

interface Waiting {
  lane: Lane;
  entry: Entry;
  points: number;
}

/** Asks runs to leave, and notes in the moment what is promised to whom. `leaving`: jobs that leave the queue in this decision. */
export function preemptions(moment: Moment, leaving: ReadonlySet<string>): PreemptAction[] {
  const rule = moment.queue.policy.preemption;
  if (rule === null) return [];
  let left = rule.mostAtOnce - moment.promised.size;
  if (left <= 0) return [];
  const victims = new Set(victimsOf(moment, rule));
  const actions: PreemptAction[] = [];
  const tried = new Set<string>();
  for (const waiting of waitingOnes(moment, leaving, [...victims])) {
    if (left === 0) break;
    const { lane, entry, points } = waiting;
    // The others of its kind and requester have no better chance.
    const key = `${lane.requester} ${lane.kind.key}`;
    if (tried.has(key)) continue;
    tried.add(key);
    const victim = cheapest(moment, waiting, victims, rule);
    if (victim === null) continue;
    victims.delete(victim);
    left--;
    moment.promise(entry, lane, victim.view, victim.entry);
    const { run, job } = victim.entry;
    const ahead = `${points.toFixed(1)} points, ${(points - victim.points).toFixed(1)} more than this run`;
    actions.push({
      kind: 'preempt',
      runId: run.runId,
      jobId: job.jobId,
      leaseEpoch: victim.tenure.leaseEpoch,
      nodeId: victim.view.node.nodeId,
      slot: victim.view.slot.slot,
      forRunId: entry.run.runId,
      reason: `preempted for run ${entry.run.runId} of ${entry.job.source} (asked by ${entry.job.requestedBy} for ${entry.job.suite}), which waits with ${ahead} and fits no other slot; ${lossOf(victim)}`,
    });
  }
  return actions;
}

const lossOf = ({ tenure, lostSeconds }: Victim): string =>
  tenure.keptAt === null
    ? `no checkpoint is known, so up to ${displayDuration(lostSeconds)} of work may be lost`
    : `its last known checkpoint is ${displayDuration(lostSeconds)} old`;

/** Runs that may be asked to leave, whoever wants their slot. */
function* victimsOf(moment: Moment, rule: Preemption): Generator<Victim> {
  const { queue, now } = moment;
  for (const view of moment.serving) {
    const { job, run } = queue.held.get(view.key) ?? {};
    if (job === undefined || !run?.tenure || run.leasedAt === null) continue;
    const { tenure, leasedAt } = run;
    if (tenure.leaving !== null || tenure.preemptions >= rule.mostTimes) continue;
    // It would be first in the order again.
    if (isOverdue(job.requestedAt, now, queue.policy)) continue;
    const heldSeconds = (now.getTime() - leasedAt.getTime()) / 1_000;
    const wholeSeconds = expectedSeconds(job.demand);
    const doneSeconds = tenure.earlierSeconds + heldSeconds;
    if (heldSeconds < rule.leastHeldSeconds || doneSeconds > rule.neverAbove * wholeSeconds) continue;
    const keptAt = Math.max(leasedAt.getTime(), tenure.keptAt?.getTime() ?? 0);
    const lostSeconds = Math.max(0, (now.getTime() - keptAt) / 1_000);
    // Waiting for its end costs the other one less than leaving costs it.
    if (lostSeconds > wholeSeconds - doneSeconds) continue;
    const shares = moment.sharePoints(payersOf(job, isCheck(run)));
    yield {
      ...{ view, entry: { job, run }, tenure, lostSeconds },
      points: pointsAt(standingPoints(job, queue.policy), job.requestedAt, now, queue.policy) - shares,
      loss: lostSeconds * (view.slot.accelerators.length > 0 ? job.demand.gpus : 1),
    };
  }
}

/** The first run of each lane that waits and could use a victim's slot, the greatest points first. */
function waitingOnes(moment: Moment, leaving: ReadonlySet<string>, victims: readonly Victim[]): Waiting[] {
  const { queue, now } = moment;
  const waiting: Waiting[] = [];
  for (const kind of queue.kinds.values()) {
    // Nobody leaves for a check of a node.
    if (kind.ask.isCheck || !victims.some(({ view }) => queue.fleet.fit(kind, view) !== null)) continue;
    for (const lane of kind.lanes.values()) {
      for (const entry of lane.entries) {
        const { run, job } = entry;
        if (run.notBefore !== null && run.notBefore > now) continue;
        if (leaving.has(job.jobId) || moment.wasGiven(run.runId) || moment.promiseTo(run.runId) !== null)
          continue;
        waiting.push({ lane, entry, points: rankOf(moment, lane, entry) });
        break;
      }
    }
  }
  return waiting.sort((a, b) => b.points - a.points || byAge(a.entry, b.entry));
}

/** Who loses least by making room for a run; null where nobody has to, or nobody is to. */
function cheapest(
  moment: Moment,
  { lane, entry, points }: Waiting,
  victims: ReadonlySet<Victim>,
  rule: Preemption,
): Victim | null {
  const { kind } = lane;
  const avoided = moment.avoidedBy(kind);
  if (openSlots(moment, kind, avoided).length > 0 || isLeftToNobody(moment, kind, avoided)) return null;
  const { demand } = entry.job;
  let best: Victim | null = null;
  for (const victim of victims) {
    const { view } = victim;
    const lead = points - victim.points;
    const owner = victim.entry.job;
    if (owner.requestedBy === entry.job.requestedBy) continue;
    const after = lead - moment.exchangePoints(owner.suite === entry.job.suite);
    if (Math.min(lead, after) < rule.points) continue;
    const fit: Open['fit'] | null = fitHere(moment, kind, view, avoided);
    if (fit === null || moment.overspent(lane, demand, fit.devices.length) !== null) continue;
    if (!moment.hasRoom(kind, view, view.slot.slot) || !moment.permits(entry, view)) continue;
    if (best === null || order(victim, best) < 0) best = victim;
  }
  return best;
}

const order = (a: Victim, b: Victim): number =>
  a.loss - b.loss || a.points - b.points || (a.view.key < b.view.key ? -1 : 1);

/** A slot that fits and whose run leaves for somebody else's reason: it comes free by itself. */
const isLeftToNobody = (moment: Moment, kind: Kind, avoided: ReadonlySet<string>): boolean =>
  moment.serving.some(
    (view) =>
      (moment.queue.held.get(view.key)?.run.tenure?.leaving ?? null) !== null &&
      !moment.promised.has(view.key) &&
      fitHere(moment, kind, view, avoided) !== null,
  );
