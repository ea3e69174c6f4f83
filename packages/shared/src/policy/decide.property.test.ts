// What holds of every decision, whatever the world.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { a100, ago, demand, gib, job, node, now, run, world } from '../../../../tests/support/world.ts';
import { decide, decideQueue } from './decide.ts';
import { explainQueued } from './explain.ts';
import { Queue } from './queue.ts';
import {
  defaultPolicy,
  type NodeTag,
  type Preemption,
  slotsOfNode,
  type World,
  type WorldJob,
  type WorldNode,
  type WorldRun,
} from './world.ts';

const seconds = fc.constantFrom(0, 60, 3_600, 40_000);
const anyDemand = fc
  .record({
    wishes: fc.constantFrom('none', 'none', 'cuda', 'cuda:sm_90 | none', 'cuda:sm_80 | none', 'vulkan'),
    memory: fc.constantFrom(0, 2, 6),
    disk: fc.constantFrom(0, 3),
    estimateSeconds: seconds,
    timeLimitSeconds: seconds,
    tags: fc.constantFrom<string[]>([], [], ['big']),
  })
  .map(({ wishes, memory, disk, ...rest }) =>
    demand(wishes, { memoryBytes: memory * gib, diskBytes: disk * gib, ...rest }),
  );

const anyJob = (jobId: string): fc.Arbitrary<WorldJob> =>
  fc
    .record({
      demand: anyDemand,
      age: fc.constantFrom(0, 5, 5, 100_000, 400_000, 4_000_000),
      state: fc.constantFrom<WorldJob['state']>(
        'needs-retrain',
        'retraining',
        'retraining',
        'held',
        'budget-wait',
        'judged',
      ),
      requestedBy: fc.constantFrom('ada', 'bob', 'eve'),
      suite: fc.constantFrom('sid', 'forky'),
      priority: fc.constantFrom(0, 0, 7, -50),
      leastDeviceMemoryBytes: fc.constantFrom(0, 0, 50 * gib),
    })
    .map(({ age, ...rest }) => job(jobId, age, 'none', rest));

const anyNode = (nodeId: string): fc.Arbitrary<WorldNode> =>
  fc
    .record({
      slots: fc.integer({ min: 1, max: 3 }),
      gpus: fc.integer({ min: 0, max: 2 }),
      memory: fc.constantFrom(null, 4, 8),
      disk: fc.constantFrom(null, 4, 8),
      serves: fc.constantFrom({}, {}, {}, { approved: false }, { drainReason: 'x' }, { seenAt: ago(99) }),
      tags: fc.constantFrom<NodeTag[]>([], [], [{ tag: 'big', mandatory: true }]),
      longestRunSeconds: fc.constantFrom(0, 0, 3_600),
    })
    .map(({ slots, gpus, memory, disk, serves, ...rest }) =>
      node(nodeId, {
        slots: slotsOfNode(
          slots,
          Array.from({ length: gpus }, () => a100),
        ),
        memoryBytes: memory && memory * gib,
        diskFreeBytes: disk && disk * gib,
        ...rest,
        ...serves,
      }),
    );

const anyRun = fc.record({
  count: fc.integer({ min: 0, max: 4 }),
  failedOn: fc.constantFrom<string[]>([], [], ['n0'], ['n0', 'n1']),
  excluded: fc.constantFrom<string[]>([], [], ['n1']),
  class: fc.constantFrom(null, null, 'amd64', 'amd64+sm80'),
  check: fc.constantFrom(null, null, null, 'checks a node'),
  late: fc.constantFrom(null, null, ago(1), new Date(now.getTime() + 9_000)),
  heldSeconds: fc.constantFrom(30, 300, 3_000),
  keptAt: fc.constantFrom(null, null, ago(20)),
  leaving: fc.constantFrom(null, null, null, 'for another'),
  preemptions: fc.constantFrom(0, 0, 1, 2),
  promise: fc.constantFrom(
    null,
    null,
    { nodeId: 'n0', slot: 0, until: new Date(now.getTime() + 9_000) },
    { nodeId: 'n1', slot: 0, until: new Date(now.getTime() + 9_000) },
    { nodeId: 'n0', slot: 0, until: ago(1) },
  ),
});

/** Small numbers, so that the worlds of a test meet them. */
const eager: Preemption = {
  points: 1,
  leastHeldSeconds: 60,
  mostAtOnce: 2,
  mostTimes: 2,
  neverAbove: 0.5,
};

/** Runs of each job, of which the first ones hold the first free slots. */
const anyWorld: fc.Arbitrary<World> = fc
  .record({
    nodes: fc
      .integer({ min: 0, max: 4 })
      .chain((n) => fc.tuple(...Array.from({ length: n }, (_, i) => anyNode(`n${i}`)))),
    jobs: fc
      .integer({ min: 0, max: 9 })
      .chain((n) => fc.tuple(...Array.from({ length: n }, (_, i) => anyJob(`j${i}`)))),
    runs: fc.array(anyRun, { minLength: 9, maxLength: 9 }),
    held: fc.integer({ min: 0, max: 5 }),
    backfill: fc.boolean(),
    ageing: fc.boolean(),
    preemption: fc.constantFrom(null, eager, eager),
    limit: fc.constantFrom(null, 0, 100_000),
  })
  .map(({ nodes, jobs, runs, held, backfill, ageing, preemption, limit }) => {
    const slots = nodes.flatMap(({ nodeId, slots: of }) => of.map(({ slot }) => ({ nodeId, slot })));
    let given = 0;
    const all = jobs.flatMap(({ jobId }, i): WorldRun[] => {
      const { count, failedOn, excluded, late, heldSeconds, promise, ...told } = runs[i]!;
      const { keptAt, leaving, preemptions, ...rest } = told;
      const tenure = { leaseEpoch: preemptions + 1, keptAt, leaving, preemptions, earlierSeconds: 0 };
      return Array.from({ length: count }, (_, k) => {
        const holder = k === 0 && given < held ? (slots[given++] ?? null) : null;
        return run(`${jobId}r${k}`, jobId, {
          seedIndex: k + 1,
          failedOn,
          excludedNodes: excluded.map((nodeId) => ({ nodeId, reason: 'ECC' })),
          notBefore: late,
          // The last of a job that waits: its siblings are promised nothing.
          ...(k === count - 1 && holder === null && { promise }),
          ...(holder && {
            ...{ state: 'leased' as const, holder, leasedAt: ago(heldSeconds), notBefore: null, tenure },
          }),
          ...rest,
        });
      });
    });
    const budget = {
      account: 'suite:sid' as const,
      unit: 'gpu' as const,
      spentSeconds: 0,
      reservedSeconds: 0,
    };
    return world({
      nodes,
      jobs,
      runs: all,
      budgets: limit === null ? [] : [{ ...budget, limitSeconds: limit }],
      policy: { ...defaultPolicy, backfill, preemption, ageing: ageing ? defaultPolicy.ageing : null },
    });
  });

const shuffled = (one: World, random: (n: number) => number): World => {
  const mix = <T>(list: readonly T[]): T[] =>
    list
      .map((value) => ({ value, at: random(1_000_000) }))
      .sort((a, b) => a.at - b.at)
      .map(({ value }) => value);
  return { ...one, jobs: mix(one.jobs), runs: mix(one.runs), nodes: mix(one.nodes) };
};

test('no slot gets two runs, no run two slots, nothing that does not wait is placed, no budget is overspent', () => {
  fc.assert(
    fc.property(anyWorld, (one) => {
      const places = decide(one, now).actions.filter((action) => action.kind === 'place');
      const taken = [
        ...places.map(({ nodeId, slot }) => `${nodeId}/${slot}`),
        ...one.runs.flatMap(({ holder }) => (holder ? [`${holder.nodeId}/${holder.slot}`] : [])),
      ];
      assert.equal(new Set(taken).size, taken.length);
      assert.equal(new Set(places.map(({ runId }) => runId)).size, places.length);
      for (const { runId, jobId } of places) {
        const { state: runState, check } = one.runs.find((each) => each.runId === runId)!;
        assert.equal(runState, 'waiting');
        const { state } = one.jobs.find((each) => each.jobId === jobId)!;
        const mayRun = state === 'needs-retrain' || state === 'retraining';
        assert.ok(mayRun || (state === 'judged' && check !== null));
      }
    }),
    { numRuns: 400 },
  );
});

test('the order in which the world is told does not matter', () => {
  fc.assert(
    fc.property(anyWorld, fc.infiniteStream(fc.nat()), (one, random) => {
      const mixed = shuffled(one, (n) => random.next().value % n);
      assert.deepEqual(decide(mixed, now), decide(one, now));
    }),
    { numRuns: 300 },
  );
});

test('a queue kept up change by change decides as one made of the whole world', () => {
  fc.assert(
    fc.property(anyWorld, anyWorld, fc.infiniteStream(fc.nat()), (before, after, random) => {
      const policy = after.policy;
      const queue = Queue.of({ ...before, policy });
      decideQueue(queue, now);
      queue.budgets = after.budgets;
      const next = shuffled(after, (n) => random.next().value % n);
      const gone = <T>(old: readonly T[], kept: readonly T[], id: (of: T) => string): string[] => {
        const ids = new Set(kept.map(id));
        return old.map(id).filter((each) => !ids.has(each));
      };
      for (const id of gone(before.nodes, next.nodes, ({ nodeId }) => nodeId)) queue.fleet.dropNode(id);
      for (const id of gone(before.runs, next.runs, ({ runId }) => runId)) queue.dropRun(id);
      for (const one of next.nodes) queue.fleet.putNode(one);
      for (const one of next.runs) queue.putRun(one);
      for (const one of next.jobs) {
        queue.putJob(one);
        queue.putJob({ ...one, priority: one.priority + 7 });
        assert.equal(queue.moveJob(one), true);
      }
      for (const id of gone(before.jobs, next.jobs, ({ jobId }) => jobId)) queue.dropJob(id);
      const whole = Queue.of(after);
      assert.deepEqual(decideQueue(queue, now), decideQueue(whole, now));
      const jobIds = (of: Queue) => [...of.idleJobIds].sort();
      assert.deepEqual(jobIds(queue), jobIds(whole));
      for (const one of ['jobsByState', 'runsByState', 'heldByAccount', 'activeByAccount'] as const) {
        assert.deepEqual(new Map([...queue[one]].sort()), new Map([...whole[one]].sort()), one);
      }
      assert.deepEqual([...queue.kinds.keys()].sort(), [...whole.kinds.keys()].sort());
      const promised = (of: Queue) => [...of.promised.values()].map(({ run }) => run.runId).sort();
      assert.deepEqual(promised(queue), promised(whole));
    }),
    { numRuns: 300 },
  );
});

test('explain agrees: what is placed is told so, and what is not placed fails a clause on every slot', () => {
  fc.assert(
    fc.property(anyWorld, (one) => {
      const queue = Queue.of(one);
      const { actions } = decideQueue(queue, now);
      const slotCount = one.nodes.reduce((sum, { slots }) => sum + slots.length, 0);
      const placed = new Set(actions.flatMap((action) => (action.kind === 'place' ? [action.runId] : [])));
      const leaving = new Set(actions.flatMap((action) => (action.kind === 'move' ? [action.jobId] : [])));
      for (const { jobId, state } of one.jobs) {
        const told = explainQueued(queue, now, jobId)!;
        const asks = state === 'needs-retrain' || state === 'retraining';
        for (const each of told.runs) {
          assert.equal(each.sentence.startsWith('is about to be placed'), placed.has(each.runId));
          const { notBefore } = one.runs.find(({ runId }) => runId === each.runId)!;
          const isDue = notBefore === null || notBefore <= now;
          if (each.state === 'leased' || placed.has(each.runId) || !isDue || !asks) continue;
          assert.equal(each.slots.length, slotCount);
          if (leaving.has(jobId)) continue;
          // No slot stands idle while a run passes every clause.
          for (const { clauses } of each.slots)
            assert.ok(
              clauses.some(({ passes }) => !passes),
              told.sentence,
            );
          assert.ok(each.sentence.length > 0);
        }
      }
    }),
    { numRuns: 400 },
  );
});

test('places in the queue are 1 to the number of runs that wait', () => {
  fc.assert(
    fc.property(anyWorld, (one) => {
      const queue = Queue.of(one);
      const places = one.jobs
        .flatMap(({ jobId }) => explainQueued(queue, now, jobId)!.runs)
        .flatMap(({ place }) => place ?? []);
      assert.deepEqual(
        places.sort((a, b) => a - b),
        Array.from({ length: places.length }, (_, i) => i + 1),
      );
    }),
    { numRuns: 100 },
  );
});

/**
 * A farm of one slot (or one node of little memory) on which one run that is `outranked` waits beside a stream of fresh ones that it can
 * never outrank by its points: hours until it is placed, up to `limitHours`.
 */
function hoursUntilPlaced(limitHours: number, ageing: boolean, kind: 'long' | 'large'): number {
  const policy = { ...defaultPolicy, ageing: ageing ? defaultPolicy.ageing : null };
  const wanted = {
    estimateSeconds: 15 * 3_600,
    timeLimitSeconds: 20 * 3_600,
    memoryBytes: kind === 'large' ? 8 * gib : 0,
  };
  const one: WorldJob = { ...job('j', 0), requestedAt: now, demand: demand('none', wanted) };
  const slots = kind === 'large' ? 4 : 1;
  const farm = node('a', { slots: slotsOfNode(slots, []), memoryBytes: 8 * gib });
  const fresh = { estimateSeconds: 3_600, timeLimitSeconds: 7_200, memoryBytes: 2 * gib };
  let leased: WorldRun[] = [];
  for (let hour = 0; hour < limitHours; hour += 1) {
    const at = new Date(now.getTime() + hour * 3_600_000);
    leased = leased.filter(
      ({ leasedAt }) =>
        at.getTime() - leasedAt!.getTime() < (1 + (Number(leasedAt) % 7_200_000 ? 1 : 0)) * 3_600_000,
    );
    const others = Array.from({ length: 6 }, (_, i) => ({
      ...job(`f${hour}x${i}`, 0, 'none', { demand: demand('none', fresh) }),
      requestedAt: at,
    }));
    const held = leased.map(({ jobId }) => ({
      ...job(jobId, 0, 'none', { demand: demand('none', fresh) }),
      requestedAt: at,
    }));
    const { actions } = decide(
      world({
        jobs: [one, ...others, ...held],
        runs: [run('r', 'j'), ...others.map(({ jobId }) => run(`r${jobId}`, jobId)), ...leased],
        nodes: [{ ...farm, seenAt: at }],
        policy,
      }),
      at,
    );
    for (const action of actions) {
      if (action.kind !== 'place') continue;
      if (action.runId === 'r') return hour;
      const holder = { nodeId: action.nodeId, slot: action.slot };
      leased.push(run(action.runId, action.jobId, { state: 'leased', holder, leasedAt: at }));
    }
  }
  return limitHours;
}

test('ageing ends every wait, also that of a long run or a large one among fresh small ones; without it they starve', () => {
  for (const kind of ['long', 'large'] as const) {
    assert.ok(hoursUntilPlaced(24 * 8, true, kind) < 24 * 4, kind);
    assert.equal(hoursUntilPlaced(24 * 8, false, kind), 24 * 8, kind);
  }
});
