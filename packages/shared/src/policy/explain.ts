// "Why is this not running?": the moment after the decision that would be taken now, told for one job. The same clauses, asked
// for their words.
import type { JobState } from '../job/states.ts';
import { displayDuration } from '../units/duration.ts';
import { type ClauseResult, clauses, exclusionClause, nodeResults, shapeClauses } from './clauses.ts';
import { type Action, type PlaceAction, takeMoment } from './decide.ts';
import type { SlotView } from './fleet.ts';
import { leavingSeconds, Moment, rankOf } from './moment.ts';
import { runningStates } from './payers.ts';
import type { PreemptAction } from './preempt.ts';
import { expectedSeconds } from './priority.ts';
import { byAge, type Entry, type Lane, type Queue } from './queue.ts';
import type { WorldJob, WorldRun } from './world.ts';

/** One slot's answer to one run. */
export interface SlotAnswer {
  nodeId: string;
  nodeName: string;
  slot: number;
  clauses: ClauseResult[];
}

export interface RunExplanation {
  runId: string;
  seedIndex: number;
  state: 'waiting' | 'leased';
  /** One sentence. */
  sentence: string;
  /** Place among all waiting runs, from 1; null where it does not wait. */
  place: number | null;
  /** When it is expected to start, by the expected lengths of what runs and of what is before it; null where nothing can be said. */
  expectedAt: Date | null;
  /** Every slot with every clause; empty where it does not wait for a slot. */
  slots: SlotAnswer[];
}

export interface JobExplanation {
  jobId: string;
  state: JobState;
  /** One sentence for people. */
  sentence: string;
  runs: RunExplanation[];
  /** What is not weighed yet, said aloud. */
  licence: string;
}

/** Explains a job of the queue; null where it has none of this id (it asks nothing any more). */
export function explainQueued(queue: Queue, now: Date, jobId: string): JobExplanation | null {
  const job = queue.jobOf(jobId);
  if (job === undefined) return null;
  const { actions, moment } = takeMoment(queue, now);
  const ranks = new Moment(queue, now);
  const leaving: string[] = [];
  const runs = queue.runsOf(jobId).map((run): RunExplanation => {
    const { runId, seedIndex, state } = run;
    const told = { runId, seedIndex, state, place: null, expectedAt: null, slots: [] };
    const why = run.check ? `; why: ${run.check}` : '';
    if (run.holder !== null) {
      const leaves = leavingOf(run, actions);
      if (leaves !== null) leaving.push(`run ${runId} ${leaves}`);
      return {
        ...told,
        sentence: `runs on ${placeName(queue, run.holder)}${leaves === null ? '' : ` and ${leaves}`}${why}`,
      };
    }
    const entry = { job, run };
    const lane = queue.laneOf(runId);
    if (lane === undefined)
      return { ...told, sentence: job.releasePaused ?? `waits while the job is ${job.state}` };
    const waits = explainWaiting({ queue, now, moment, ranks, actions, entry, lane });
    return { ...told, ...waits, sentence: waits.sentence + why };
  });
  const move = actions.find((action) => action.kind === 'move' && action.jobId === jobId);
  return {
    jobId,
    state: job.state,
    sentence: sentenceOf(job, runs, leaving, move ?? null, now),
    runs,
    licence: 'licence: not evaluated',
  };
}

interface Waiting {
  queue: Queue;
  now: Date;
  /** After the decision. */
  moment: Moment;
  /** Before it: the order in which it looks. */
  ranks: Moment;
  actions: readonly Action[];
  entry: Entry;
  lane: Lane;
}

type Told = Pick<RunExplanation, 'sentence' | 'place' | 'expectedAt' | 'slots'>;

function explainWaiting(waiting: Waiting): Told {
  const { now, moment, actions, entry } = waiting;
  const { run } = entry;
  const ahead = lanesAhead(waiting);
  const place = 1 + ahead.reduce((sum, { count }) => sum + count, 0);
  const action = actions.find((one): one is PlaceAction => one.kind === 'place' && one.runId === run.runId);
  if (action) {
    return { place, expectedAt: now, slots: [], sentence: `is about to be placed: ${action.reason}` };
  }
  if (run.notBefore !== null && run.notBefore > now) {
    const seconds = (run.notBefore.getTime() - now.getTime()) / 1_000;
    const sentence = `given back; tried again in ${displayDuration(seconds)}`;
    return { place, expectedAt: null, slots: [], sentence };
  }
  const slots = slotsOf(waiting);
  const promised = promiseOf(waiting);
  if (promised !== null) {
    const expectedAt = new Date(now.getTime() + leavingSeconds * 1_000);
    return {
      place,
      expectedAt,
      slots,
      sentence: `${promised}; expected to start in about ${displayDuration(leavingSeconds)}`,
    };
  }
  const expectedAt = expectedStart(waiting, ahead);
  const miss = nearestMiss(slots);
  const kept = [...moment.reservations.values()].find(({ runId }) => runId === run.runId);
  const seconds = expectedAt === null ? null : (expectedAt.getTime() - now.getTime()) / 1_000;
  const hope = seconds === null ? '' : `; expected to start in about ${displayDuration(seconds)}`;
  return { place, expectedAt, slots, sentence: `${miss}${kept ? '; room is kept for it' : ''}${hope}` };
}

const placeName = (queue: Queue, { nodeId, slot }: { nodeId: string; slot: number }): string =>
  `${queue.fleet.nodes.get(nodeId)?.node.name ?? nodeId} slot ${slot}`;

/** Why a run that holds a slot leaves it, or is about to be asked to; null where it stays. */
function leavingOf({ runId, tenure }: WorldRun, actions: readonly Action[]): string | null {
  if (tenure?.leaving) return `is leaving its slot: ${tenure.leaving}`;
  const action = actions.find((one) => one.kind === 'preempt' && one.runId === runId);
  return action ? `is about to be asked to leave its slot: ${action.reason}` : null;
}

/** Which slot is being left for a run, or about to be; null where none is. */
function promiseOf({ queue, moment, actions, entry: { run } }: Waiting): string | null {
  const action = actions.find(
    (one): one is PreemptAction => one.kind === 'preempt' && one.forRunId === run.runId,
  );
  if (action) return `run ${action.runId} is about to be asked to leave ${placeName(queue, action)} for it`;
  const key = moment.promiseTo(run.runId);
  if (key === null || !run.promise) return null;
  const holder = queue.held.get(key);
  return `${placeName(queue, run.promise)} is kept for it${holder ? `: run ${holder.run.runId} is leaving` : ''}`;
}

function slotsOf({ queue, now, moment, entry, lane }: Waiting): SlotAnswer[] {
  const { kind } = lane;
  const avoided = moment.avoidedBy(kind);
  return [...queue.fleet.nodes.values()]
    .sort((a, b) => (a.node.nodeId < b.node.nodeId ? -1 : 1))
    .flatMap(({ node, slots }) => {
      const ofNode = nodeResults(node, queue.nodeSilenceSeconds, now);
      return slots.map((view): SlotAnswer => {
        const lasting = [...shapeClauses, exclusionClause].map(
          ({ clause, holds, tell }): ClauseResult => ({
            clause,
            passes: holds(kind.ask, node, view.slot),
            reason: tell(kind.ask, node, view.slot),
          }),
        );
        const results = moment.results(entry, lane, view, avoided);
        const { nodeId, name } = node;
        return {
          nodeId,
          nodeName: name,
          slot: view.slot.slot,
          clauses: [...ofNode, ...lasting, ...results],
        };
      });
    });
}

interface Ahead {
  lane: Lane;
  count: number;
}

/** How many runs of each lane come before this one. In a lane the order is that of age, so counting ends at the first that does not. */
function lanesAhead({ queue, ranks, entry, lane }: Waiting): Ahead[] {
  const mine = rankOf(ranks, lane, entry);
  const ahead: Ahead[] = [];
  for (const kind of queue.kinds.values()) {
    for (const other of kind.lanes.values()) {
      let count = 0;
      for (const one of other.entries) {
        const points = rankOf(ranks, other, one);
        if (points < mine || (points === mine && byAge(one, entry) >= 0)) break;
        count++;
      }
      if (count > 0) ahead.push({ lane: other, count });
    }
  }
  return ahead;
}

/**
 * The work that holds the slots which fit, and that of the runs ahead which could use them too, spread evenly over these slots; never
 * before the first of them is free. An estimate: lengths are expected ones, later arrivals are not foreseen.
 */
function expectedStart({ queue, now, moment, lane }: Waiting, ahead: readonly Ahead[]): Date | null {
  const suits = (view: SlotView, of: Lane): boolean =>
    queue.fleet.fit(of.kind, view) !== null && exclusionClause.holds(of.kind.ask, view.node, view.slot);
  const slots = moment.serving.filter((view) => suits(view, lane));
  if (slots.length === 0) return null;
  const left = slots.map((view) => {
    const tenant = moment.tenantsOf(view.node.nodeId).find(({ slot }) => slot === view.slot.slot);
    return tenant === undefined ? 0 : (tenant.endsAt - now.getTime()) / 1_000;
  });
  let seconds = left.reduce((sum, one) => sum + one, 0);
  for (const { lane: other, count } of ahead) {
    if (!slots.some((view) => suits(view, other))) continue;
    const demand = { ...other.kind.ask.demand, ...other.entries.first()?.job.demand };
    seconds += count * expectedSeconds(demand);
  }
  return new Date(now.getTime() + Math.max(Math.min(...left), seconds / slots.length) * 1_000);
}

const passing: readonly string[] = ['room', 'answers', 'free', 'reservation'];

/** One sentence: the slot that lacks least, and what it lacks. */
export function nearestMiss(slots: readonly SlotAnswer[]): string {
  if (slots.length === 0) return 'no node is registered';
  const failures = slots.map((answer) => ({
    answer,
    failed: answer.clauses.filter(({ passes }) => !passes),
  }));
  const fitting = failures.filter(({ failed }) => failed.every(({ clause }) => passing.includes(clause)));
  const busy = fitting.filter(({ failed }) => failed.some(({ clause }) => clause === 'free'));
  if (busy.length > 0 && busy.length === fitting.length) {
    return `every slot that fits is busy (${busy.length} of ${slots.length})`;
  }
  const last = (failed: readonly ClauseResult[]): number => clauses.indexOf(failed[0]!.clause);
  const [nearest] = [...failures].sort(
    (a, b) => a.failed.length - b.failed.length || last(b.failed) - last(a.failed),
  );
  const { answer, failed } = nearest!;
  const head = fitting.length > 0 ? 'no slot that fits is open' : 'no slot fits';
  return `${head}; nearest is ${answer.nodeName} slot ${answer.slot}: ${failed.map(({ reason }) => reason).join('; ')}`;
}

function sentenceOf(
  job: WorldJob,
  runs: readonly RunExplanation[],
  leaving: readonly string[],
  move: Action | null,
  now: Date,
): string {
  const age = displayDuration(Math.max(0, (now.getTime() - job.requestedAt.getTime()) / 1_000));
  const why = job.reason === null ? '' : `: ${job.reason.replace(/\.$/, '')}`;
  if (!runningStates.includes(job.state)) {
    // What is left of a judged job is the farm's own.
    const checks = job.state === 'judged' ? runs : [];
    const told = checks.map(({ runId, sentence }) => ` Run ${runId} checks a node: ${sentence}.`);
    return `The job is in ${job.state}${why}.${told.join('')}`;
  }
  const running = runs.filter(({ state }: Pick<WorldRun, 'state'>) => state === 'leased').length;
  const [waiting] = runs.filter(({ state }) => state === 'waiting');
  const parts: string[] = [];
  if (running > 0) parts.push(`${running} of its runs ${running === 1 ? 'is' : 'are'} running`);
  parts.push(...leaving);
  if (move?.kind === 'move') parts.push(`about to be ${move.to}: ${move.reason.replace(/\.$/, '')}`);
  if (waiting)
    parts.push(
      waiting.place === null
        ? `run ${waiting.runId} waits: ${waiting.sentence}`
        : `run ${waiting.runId} (place ${waiting.place}) ${waiting.slots.length > 0 ? 'waits: ' : ''}${waiting.sentence}`,
    );
  if (parts.length === 0) parts.push('it has no run yet, or all are reported; the next tick goes on');
  const asked = job.reason ? ` (${job.reason.replace(/\.$/, '')})` : '';
  return `Asked for ${age} ago${asked}; ${parts.join('; ')}.`;
}
