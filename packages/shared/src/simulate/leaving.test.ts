// What a lost lease costs with checkpoints and without, who leaves for whom, and jobs that wait for money: on farms so small that
// the numbers can be said beforehand.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultPolicy, demandOfStored, slotsOfNode } from '../policy/world.ts';
import { drawFleet } from './fleet.ts';
import { defaultSettings, type SimulationInput } from './settings.ts';
import { simulateFleet } from './simulation.ts';
import { drawWorkload, type SimulatedJob, settledAfter } from './workload.ts';

const hour = 3_600;

/** A retrain and a run on shortened data, of about so many hours each. */
const job = (source: string, atHours: number, hours: number, change: Partial<SimulatedJob> = {}) => ({
  ...{ source, requestedAtSeconds: atHours * hour, version: '1', suite: 'sid', requestedBy: 'ada' },
  ...{ releaseId: null, priority: 0, section: '', archivePriority: '', datasetDigests: [] },
  demand: demandOfStored({ estimateSeconds: hours * hour, timeLimitSeconds: 3 * hours * hour }),
  ...{ fetchSeconds: 1, trainSeconds: hours * hour, fate: 'works' as const, checkpoints: true },
  ...{ neededDeviceBytes: 0, cancelledAfterSeconds: null, ...settledAfter(1) },
  ...change,
});

const input = (jobs: SimulatedJob[], change: Partial<SimulationInput> = {}): SimulationInput => ({
  ...defaultSettings,
  ...{ seed: 's', faults: 'none', policy: defaultPolicy, jobs, arrivalSeconds: 100 * hour },
  nodes: [
    {
      ...{ name: 'only', class: 'amd64', slots: slotsOfNode(1, []), tags: [] },
      ...{ memoryBytes: null, diskFreeBytes: null, longestRunSeconds: 0 },
    },
  ],
  ...change,
});

test('with checkpoints a lost lease wastes less, and what it had kept is useful', () => {
  const nodes = drawFleet(20);
  const drawn = drawWorkload('c', 200, nodes);
  const jobs = drawn.jobs.map((one) => ({ ...one, checkpoints: true }));
  const played = (checkpointSeconds: number) =>
    simulateFleet({ ...input(jobs), ...drawn, jobs, nodes, faults: 'heavy', checkpointSeconds });
  const [without, kept] = [played(0), played(300)];
  assert.deepEqual(without.hours.resumed, { gpu: 0, cpu: 0 });
  assert.ok(kept.hours.resumed.gpu > 0);
  const lost = ({ hours }: typeof kept) => hours.wastedByCause['lost-worker']!.gpu;
  assert.ok(lost(kept) < 0.3 * lost(without), `${lost(kept)} of ${lost(without)} GPU-hours`);
  for (const report of [without, kept]) assert.deepEqual(report.invariants.first, []);
});

const rule = { points: 10, leastHeldSeconds: 600, mostAtOnce: 1, mostTimes: 2, neverAbove: 0.9 };
const preempting = { ...defaultPolicy, fairSharePoints: 0, preemption: rule };

test('a run leaves for one that outranks it, goes on from its checkpoint, and is of use to its end', () => {
  const jobs = [job('low', 0, 10), job('high', 3.02, 1, { requestedBy: 'bob', priority: 30 })];
  const usual = simulateFleet(input(jobs));
  const report = simulateFleet(input(jobs, { policy: preempting }));
  assert.equal(usual.runs.leaseEnds['given-back, preempted'], undefined);
  assert.equal(report.runs.leaseEnds['given-back, preempted'], 1);
  const longest = ({ waits }: typeof report) => Math.max(...waits.map(({ maxSeconds }) => maxSeconds));
  assert.ok(longest(usual) > 6 * hour, 'it waited for the end of the other');
  assert.ok(longest(report) < 2.5 * hour, 'the other waited for it');
  const { useful, wasted, resumed } = report.hours;
  assert.ok(resumed.cpu > 2.9 && resumed.cpu < 3.2, `${resumed.cpu} h were kept`);
  assert.ok(wasted.cpu <= 0.1, `no more than the time since a checkpoint: ${wasted.cpu} h`);
  assert.ok(Math.abs(useful.cpu - usual.hours.useful.cpu) <= 0.2, 'as much work as without');
  assert.deepEqual(report.invariants.first, []);
});

test('where nothing is kept, a run that leaves begins again, and what it did is wasted', () => {
  const low = job('low', 0, 10, { checkpoints: false });
  const jobs = [low, job('high', 3.02, 1, { requestedBy: 'bob', priority: 30 })];
  const { hours } = simulateFleet(input(jobs, { policy: preempting }));
  assert.ok(hours.wastedByCause.preempted!.cpu > 2.9);
  assert.deepEqual(hours.resumed, { gpu: 0, cpu: 0 });
});

const budget = { account: 'requester:ada' as const, unit: 'cpu' as const, limitHours: 5, renewDays: null };
const many = Array.from({ length: 6 }, (_, i) => job(`small-${i}`, i, 1));

test('jobs wait for their budget, and come back when it is renewed; others are not kept from their slots', () => {
  const jobs = [...many, job('free', 7, 1, { requestedBy: 'bob' })];
  const report = simulateFleet(input(jobs, { budgets: [{ ...budget, renewDays: 2 }] }));
  assert.deepEqual(report.jobs.byState, { judged: 7 });
  assert.ok(report.budgetWaits >= 2, `${report.budgetWaits} waits`);
  assert.ok(report.virtualDays > 4, 'twelve hours of work at five in two days');
  const usual = simulateFleet(input(jobs));
  assert.equal(usual.budgetWaits, 0);
  assert.ok(usual.virtualDays < 1);
  for (const one of [report, usual]) assert.deepEqual(one.invariants.first, []);
});

test('a budget that nobody renews ends the story with jobs that wait for it, and is not overspent', () => {
  const report = simulateFleet(input(many, { budgets: [budget] }));
  assert.ok(report.jobs.byState['budget-wait']! >= 3);
  assert.ok(report.virtualDays < 1);
  const [{ spentHours } = { spentHours: 0 }] = report.budgets;
  assert.ok(spentHours > 3 && spentHours <= 5.2, `${spentHours} of 5 hours`);
  assert.deepEqual(report.invariants.first, []);
});

test('a run that takes longer than was set aside for it leaves when its budget is spent, and goes on later', () => {
  // Two hours were foreseen, and the budget has no more.
  const long = job('long', 0, 6, { demand: demandOfStored({ estimateSeconds: 2 * hour }) });
  const budgets = [{ ...budget, limitHours: 2.5, renewDays: 1 }];
  const report = simulateFleet(input([long], { budgets }));
  assert.deepEqual(report.jobs.byState, { judged: 1 });
  assert.ok(report.runs.leaseEnds['given-back, preempted']! >= 2);
  assert.ok(report.hours.resumed.cpu > 4);
  assert.ok(report.hours.wastedByCause.budget!.cpu < 1);
});
