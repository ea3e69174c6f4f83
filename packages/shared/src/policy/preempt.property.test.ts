// What holds of every preemption, on crowded farms: all slots are held, and others wait.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { a100, ago, demand, gib, job, node, now, run, world } from '../../../../tests/support/world.ts';
import { type Action, decide } from './decide.ts';
import type { PreemptAction } from './preempt.ts';
import { defaultPolicy, slotsOfNode, type World, type WorldRun } from './world.ts';

const rule = { points: 2, leastHeldSeconds: 60, mostAtOnce: 3, mostTimes: 2, neverAbove: 0.6 };

const anyWork = fc.record({
  wishes: fc.constantFrom('none', 'none', 'cuda', 'cuda | none'),
  memory: fc.constantFrom(0, 0, 2, 6),
  estimateSeconds: fc.constantFrom(0, 3_600, 40_000),
  requestedBy: fc.constantFrom('ada', 'bob', 'eve'),
  suite: fc.constantFrom('sid', 'forky'),
  priority: fc.constantFrom(-20, 0, 5, 20),
  age: fc.constantFrom(10, 100_000, 300_000),
  heldSeconds: fc.constantFrom(30, 1_200, 3_000),
  keptAt: fc.constantFrom(null, null, ago(20)),
  leaving: fc.constantFrom(null, null, null, null, 'its worker stops'),
  preemptions: fc.constantFrom(0, 0, 1, 2),
});

/** Work in order: what is first holds a slot, the rest waits. `spare` slots stay free. */
const crowded: fc.Arbitrary<World> = fc
  .record({
    work: fc.array(anyWork, { minLength: 4, maxLength: 14 }),
    nodes: fc.array(
      fc.record({
        slots: fc.integer({ min: 1, max: 3 }),
        gpus: fc.integer({ min: 0, max: 2 }),
        memory: fc.constantFrom(null, 8),
      }),
      { minLength: 1, maxLength: 3 },
    ),
    spare: fc.constantFrom(0, 0, 0, 1),
    fairSharePoints: fc.constantFrom(0, 10, 100, -50),
  })
  .map(({ work, nodes, spare, fairSharePoints }) => {
    const farm = nodes.map(({ slots, gpus, memory }, i) =>
      node(`n${i}`, {
        slots: slotsOfNode(
          slots,
          Array.from({ length: gpus }, () => a100),
        ),
        memoryBytes: memory && memory * gib,
      }),
    );
    const slots = farm
      .flatMap(({ nodeId, slots: of }) => of.map(({ slot }) => ({ nodeId, slot })))
      .slice(spare);
    return world({
      nodes: farm,
      jobs: work.map(({ wishes, memory, estimateSeconds, age, requestedBy, suite, priority }, i) =>
        job(`j${i}`, age, 'none', {
          demand: demand(wishes, { memoryBytes: memory * gib, estimateSeconds }),
          ...{ requestedBy, suite, priority },
        }),
      ),
      runs: work.map(({ heldSeconds, keptAt, leaving, preemptions }, i) => {
        const holder = slots[i];
        if (holder === undefined) return run(`r${i}`, `j${i}`);
        const tenure = { leaseEpoch: preemptions + 1, keptAt, leaving, preemptions, earlierSeconds: 0 };
        return run(`r${i}`, `j${i}`, { state: 'leased', holder, leasedAt: ago(heldSeconds), tenure });
      }),
      policy: { ...defaultPolicy, fairSharePoints, preemption: rule },
    });
  });

const preemptsOf = (actions: readonly Action[]): PreemptAction[] =>
  actions.filter((action) => action.kind === 'preempt');

const left = { state: 'waiting', holder: null, leasedAt: null, tenure: null } as const;

test('a run leaves only for another requester’s, which nothing else serves, and within the policy', () => {
  let seen = 0;
  fc.assert(
    fc.property(crowded, (one) => {
      const { actions } = decide(one, now);
      assert.deepEqual(decide(one, now).actions, actions);
      const preempts = preemptsOf(actions);
      seen += preempts.length;
      const runOf = (id: string) => one.runs.find(({ runId }) => runId === id)!;
      const jobOf = (id: string) => one.jobs.find(({ jobId }) => jobId === runOf(id).jobId)!;
      for (const { runId, forRunId, leaseEpoch, nodeId, slot } of preempts) {
        const { holder, tenure, leasedAt } = runOf(runId);
        assert.deepEqual(holder, { nodeId, slot });
        assert.deepEqual([tenure!.leaseEpoch, tenure!.leaving], [leaseEpoch, null]);
        assert.ok(tenure!.preemptions < rule.mostTimes);
        assert.ok(now.getTime() - leasedAt!.getTime() >= rule.leastHeldSeconds * 1_000);
        assert.equal(runOf(forRunId).state, 'waiting');
        assert.notEqual(jobOf(runId).requestedBy, jobOf(forRunId).requestedBy);
        assert.ok(actions.every((action) => action.kind !== 'place' || action.runId !== forRunId));
        // Alone with what holds a slot by then, it is placed nowhere: nothing that is free serves it.
        const runs = one.runs.flatMap((each) => {
          const place = actions.find((action) => action.kind === 'place' && action.runId === each.runId);
          if (place?.kind === 'place') {
            const { nodeId: to, slot: at } = place;
            return [{ ...each, state: 'leased' as const, holder: { nodeId: to, slot: at }, leasedAt: now }];
          }
          return each.holder !== null || each.runId === forRunId ? [each] : [];
        });
        assert.ok(decide({ ...one, runs }, now).actions.every(({ kind }) => kind !== 'place'));
      }
      for (const key of ['runId', 'forRunId'] as const) {
        assert.equal(new Set(preempts.map((action) => action[key])).size, preempts.length);
      }
      assert.ok(preempts.length <= rule.mostAtOnce);
      const off = { ...one, policy: { ...one.policy, preemption: null } };
      assert.deepEqual(
        decide(off, now).actions,
        actions.filter(({ kind }) => kind !== 'preempt'),
        'it changes nothing else',
      );
    }),
    { numRuns: 600 },
  );
  assert.ok(seen > 50, `${seen} preemptions`);
});

test('a slot that was left is given to the run that it was left for, whoever else waits', () => {
  let seen = 0;
  fc.assert(
    fc.property(crowded, (one) => {
      const [first] = preemptsOf(decide(one, now).actions);
      if (first === undefined) return;
      seen++;
      const { runId, forRunId, nodeId, slot } = first;
      const promise = { nodeId, slot, until: new Date(now.getTime() + 60_000) };
      const runs = one.runs.map((each): WorldRun => {
        if (each.runId === runId) return { ...each, ...left };
        return each.runId === forRunId ? { ...each, promise } : each;
      });
      const given = decide({ ...one, runs }, now).actions.find(
        (action) => action.kind === 'place' && action.runId === forRunId,
      );
      assert.ok(given?.kind === 'place' && given.nodeId === nodeId && given.slot === slot);
    }),
    { numRuns: 600 },
  );
  assert.ok(seen > 50, `${seen} preemptions`);
});

test('nothing goes in circles: where time stands still, exchanges end by themselves, however often a run may leave', () => {
  let most = 0;
  fc.assert(
    fc.property(crowded, (start) => {
      let one = start;
      let exchanges = 0;
      for (;;) {
        const actions = decide(one, now).actions;
        if (actions.every(({ kind }) => kind === 'move')) break;
        const changes = new Map<string, Partial<WorldRun>>();
        for (const action of actions) {
          if (action.kind === 'move') continue;
          const { nodeId, slot } = action;
          // As if all had held their slots long enough, and nobody counted how often they left.
          const tenure = { leaseEpoch: 1, keptAt: null, leaving: null, preemptions: 0, earlierSeconds: 0 };
          const holds = { state: 'leased', holder: { nodeId, slot }, leasedAt: ago(1_200), tenure } as const;
          if (action.kind === 'preempt') {
            exchanges++;
            changes.set(action.runId, left);
            changes.set(action.forRunId, holds);
          } else {
            changes.set(action.runId, holds);
          }
        }
        one = { ...one, runs: one.runs.map((each) => ({ ...each, ...changes.get(each.runId) })) };
        assert.ok(exchanges <= 200, 'it goes on and on');
      }
      most = Math.max(most, exchanges);
    }),
    { numRuns: 400 },
  );
  assert.ok(most >= 3, `${most} exchanges at most`);
});
