// Who leaves for whom, and who never does.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  a100,
  ago,
  demand,
  explained,
  gib,
  heldRun,
  job,
  node,
  now,
  run,
  world,
} from '../../../../tests/support/world.ts';
import { type Action, decide } from './decide.ts';
import type { PreemptAction } from './preempt.ts';
import { defaultPolicy, type Preemption, slotsOfNode, type World, type WorldRun } from './world.ts';

const hour = 3_600;
const day = 24 * hour;
const rule: Preemption = {
  points: 10,
  leastHeldSeconds: 600,
  mostAtOnce: 2,
  mostTimes: 2,
  neverAbove: 0.5,
};

const tenured = (runId: string, jobId: string, nodeId: string, heldSeconds: number, change: object = {}) => ({
  ...heldRun(runId, jobId, nodeId),
  leasedAt: ago(heldSeconds),
  tenure: { leaseEpoch: 3, keptAt: null, leaving: null, preemptions: 0, earlierSeconds: 0, ...change },
});

interface Scene {
  rule?: Preemption | null;
  /** Of the run that holds a slot of node `a`. */
  held?: object;
  heldSeconds?: number;
  victim?: object;
  waiting?: object;
  change?: Partial<World>;
}

/** One slot, held for an hour of ten by a run of ada's; bob's job of 30 points waits. */
const scene = ({
  rule: said = rule,
  held = {},
  heldSeconds = hour,
  victim = {},
  waiting = {},
  change = {},
}: Scene): World =>
  world({
    jobs: [
      job('v', 2 * hour, 'none', { demand: demand('none', { estimateSeconds: 10 * hour }), ...victim }),
      job('w', hour, 'none', { requestedBy: 'bob', priority: 30, ...waiting }),
    ],
    runs: [tenured('rv', 'v', 'a', heldSeconds, held), run('rw', 'w')],
    nodes: [node('a')],
    policy: { ...defaultPolicy, fairSharePoints: 0, preemption: said },
    ...change,
  });

const preempts = (one: World): PreemptAction[] =>
  decide(one, now).actions.filter((action: Action) => action.kind === 'preempt');

test('a run leaves for one that outranks it and fits nowhere else, with its lease and the reason', () => {
  const [action, ...others] = preempts(scene({}));
  assert.deepEqual(others, []);
  const { reason, ...told } = action!;
  assert.deepEqual(told, {
    ...{ kind: 'preempt', runId: 'rv', jobId: 'v', leaseEpoch: 3, nodeId: 'a', slot: 0, forRunId: 'rw' },
  });
  assert.match(reason, /preempted for run rw of w \(asked by bob for sid\), which waits with 30\.1 points/);
  assert.match(reason, /no checkpoint is known, so up to 1 h of work may be lost/);
});

test('nobody leaves where the policy does not say so, or one of its conditions does not hold', () => {
  assert.deepEqual(preempts(scene({ rule: null })), [], 'off');
  const cases: Record<string, Scene> = {
    'a gain below the margin': { rule: { ...rule, points: 41 } },
    'one requester': { waiting: { requestedBy: 'ada' } },
    'held for too short': { heldSeconds: 300 },
    'too near its end': { rule: { ...rule, neverAbove: 0.05 } },
    'too near its end with what earlier leases did': { held: { earlierSeconds: 5 * hour } },
    'preempted often enough': { held: { preemptions: 2 } },
    'asked already': { held: { leaving: 'for another' } },
    overdue: { victim: { requestedAt: ago(3 * day), priority: -30 } },
    'more is lost than is left': { heldSeconds: 6 * hour, rule: { ...rule, neverAbove: 1 } },
    'it does not fit there either': { waiting: { demand: demand('cuda') } },
    'it may not pay': {
      change: {
        budgets: [
          {
            ...{ account: 'requester:bob', unit: 'cpu', limitSeconds: 0 },
            ...{ spentSeconds: 0, reservedSeconds: 0 },
          },
        ],
      },
    },
    'a free slot': { change: { nodes: [node('a'), node('b')] } },
    'nothing is known of its lease': { change: { runs: [heldRun('rv', 'v', 'a'), run('rw', 'w')] } },
    'its time has not come': {
      change: {
        runs: [tenured('rv', 'v', 'a', hour), run('rw', 'w', { notBefore: new Date(now.getTime() + 9_000) })],
      },
    },
    'another slot is being left': {
      change: {
        nodes: [node('a'), node('b')],
        runs: [
          tenured('rv', 'v', 'a', hour),
          tenured('rx', 'v', 'b', hour, { leaving: 'its worker stops' }),
          run('rw', 'w'),
        ],
      },
    },
  };
  for (const [name, one] of Object.entries(cases)) assert.deepEqual(preempts(scene(one)), [], name);
  const late = scene({ heldSeconds: 6 * hour, rule: { ...rule, neverAbove: 1 }, held: { keptAt: ago(300) } });
  assert.match(preempts(late)[0]!.reason, /its last known checkpoint is 5 min old/);
});

test('shares count as they would be after the exchange', () => {
  // Bob is 30 points ahead by his priority, and holding ada\'s slot would cost him 100 of them.
  const policy = { ...defaultPolicy, preemption: rule };
  assert.deepEqual(preempts(scene({ change: { policy } })).length, 0);
  const wide = { policy, nodes: [node('a', { slots: slotsOfNode(20, [a100]) })] };
  const full = Array.from({ length: 19 }, (_, i) => ({
    ...run(`rx${i}`, 'v', { state: 'leased', holder: { nodeId: 'a', slot: i + 1 }, leasedAt: ago(60) }),
  }));
  const runs = [tenured('rv', 'v', 'a', hour), ...full, run('rw', 'w')];
  assert.equal(preempts(scene({ change: { ...wide, runs } })).length, 1, 'one of twenty slots');
});

test('of several the one leaves that loses least, in the time of its devices', () => {
  const gpu = (nodeId: string, devices: number) =>
    node(nodeId, {
      slots: slotsOfNode(
        1,
        Array.from({ length: devices }, () => a100),
      ),
    });
  const lasts = (gpus: number) => ({ demand: demand('cuda', { gpus, estimateSeconds: 40 * hour }) });
  const of = (kept: Record<string, Date | null>, devicesOfC = 1) =>
    preempts(
      world({
        jobs: [
          ...['b', 'c', 'd'].map((id) => job(id, day, 'cuda', lasts(id === 'c' ? devicesOfC : 1))),
          job('w', hour, 'cuda', { requestedBy: 'bob', priority: 30 }),
        ],
        runs: [
          ...Object.entries(kept).map(([id, keptAt], i) =>
            tenured(`r${id}`, id, id, (5 - i) * hour, { keptAt }),
          ),
          run('rw', 'w'),
        ],
        nodes: [gpu('b', 1), gpu('c', devicesOfC), gpu('d', 1)],
        policy: { ...defaultPolicy, fairSharePoints: 0, preemption: rule },
      }),
    ).map(({ runId }) => runId);
  assert.deepEqual(of({ b: null, c: null, d: null }), ['rd'], 'the youngest');
  assert.deepEqual(of({ b: ago(600), c: null, d: null }), ['rb'], 'whose checkpoint is young');
  assert.deepEqual(of({ b: ago(600), c: ago(400), d: null }, 4), ['rb'], 'four devices lose four times');
});

test('no more leave at once than the policy says, one for each that waits', () => {
  const many = (leaving: number, mostAtOnce: number) => {
    const ids = ['1', '2', '3', '4'];
    const until = new Date(now.getTime() + 60_000);
    return preempts(
      world({
        jobs: [
          ...ids.map((id) =>
            job(`v${id}`, 2 * hour, 'none', { demand: demand('none', { estimateSeconds: day }) }),
          ),
          ...ids.map((id) => job(`w${id}`, hour, 'none', { requestedBy: `bob${id}`, priority: 30 })),
        ],
        runs: [
          ...ids.map((id, i) =>
            tenured(`rv${id}`, `v${id}`, id, hour, { leaving: i < leaving ? 'for another' : null }),
          ),
          ...ids.map((id, i) =>
            run(`rw${id}`, `w${id}`, { promise: i < leaving ? { nodeId: id, slot: 0, until } : null }),
          ),
        ],
        nodes: ids.map((id) => node(id)),
        policy: { ...defaultPolicy, fairSharePoints: 0, preemption: { ...rule, mostAtOnce } },
      }),
    ).map(({ runId, forRunId }) => `${runId} ${forRunId}`);
  };
  assert.deepEqual(many(0, 2), ['rv1 rw1', 'rv2 rw2']);
  assert.deepEqual(many(1, 2), ['rv2 rw2']);
  assert.deepEqual(many(2, 2), []);
});

const promise = (seconds: number) => ({
  nodeId: 'a',
  slot: 0,
  until: new Date(now.getTime() + seconds * 1_000),
});

/** The slot that was left for `rw` is free; `rx` is first in the order. */
const left = (change: Partial<WorldRun>, wants: object = {}): string[] => {
  const jobs = [
    job('w', hour, 'none', { requestedBy: 'bob', ...wants }),
    job('x', hour, 'none', { requestedBy: 'eve', priority: 30 }),
  ];
  const one = world({
    ...{ jobs, runs: [run('rw', 'w', change), run('rx', 'x')] },
    nodes: [node('a', { memoryBytes: 8 * gib })],
  });
  return decide(one, now).actions.flatMap((action) => (action.kind === 'place' ? [action.runId] : []));
};

test('a slot that was left goes to the run that it was left for, and to all where that cannot be', () => {
  assert.deepEqual(left({ promise: promise(60) }), ['rw']);
  assert.deepEqual(left({}), ['rx'], 'the order, without a promise');
  assert.deepEqual(left({ promise: promise(-1) }), ['rx'], 'too late');
  assert.deepEqual(left({ promise: promise(60), notBefore: new Date(now.getTime() + 9_000) }), ['rx']);
  const large = { demand: demand('none', { memoryBytes: 9 * gib }) };
  assert.deepEqual(left({ promise: promise(60) }, large), ['rx']);
});

test('while a slot is being left, its room is not given to others for long', () => {
  const lasts = (estimateSeconds: number) => ({
    demand: demand('none', { memoryBytes: 4 * gib, estimateSeconds }),
  });
  const placed = (estimateSeconds: number) => {
    const one = world({
      jobs: [
        job('v', hour, 'none', { demand: demand('none', { memoryBytes: 4 * gib }) }),
        job('w', hour, 'none', { requestedBy: 'bob', demand: demand('none', { memoryBytes: 8 * gib }) }),
        job('x', hour, 'none', { requestedBy: 'eve', ...lasts(estimateSeconds) }),
      ],
      runs: [
        tenured('rv', 'v', 'a', hour, { leaving: 'for rw' }),
        run('rw', 'w', { promise: promise(600) }),
        run('rx', 'x'),
      ],
      nodes: [node('a', { slots: slotsOfNode(2, []), memoryBytes: 8 * gib })],
    });
    return decide(one, now).actions.length;
  };
  assert.equal(placed(hour), 0);
  assert.equal(placed(30), 1, "who ends before is in nobody's way");
});

test('both are told: the one that leaves why, the one that waits when', () => {
  const before = scene({});
  assert.match(
    explained(before, now, 'v')!.runs[0]!.sentence,
    /^runs on node a slot 0 and is about to be asked to leave its slot: preempted for run rw/,
  );
  const waits = explained(before, now, 'w')!;
  assert.match(
    waits.runs[0]!.sentence,
    /^run rv is about to be asked to leave node a slot 0 for it; expected/,
  );
  assert.equal(waits.runs[0]!.expectedAt!.getTime(), now.getTime() + 75_000);

  const runs = [
    tenured('rv', 'v', 'a', hour, { leaving: 'preempted for run rw' }),
    run('rw', 'w', { promise: promise(600) }),
  ];
  const during = scene({ change: { runs } });
  assert.match(explained(during, now, 'v')!.sentence, /run rv is leaving its slot: preempted for run rw/);
  const promised = explained(during, now, 'w')!.runs[0]!;
  assert.match(
    promised.sentence,
    /^node a slot 0 is kept for it: run rv is leaving; expected to start in about/,
  );
  assert.equal(promised.expectedAt!.getTime(), now.getTime() + 75_000);
  assert.match(
    promised.slots[0]!.clauses.find(({ clause }) => clause === 'free')!.reason,
    /busy with run rv, which is leaving it/,
  );
});
