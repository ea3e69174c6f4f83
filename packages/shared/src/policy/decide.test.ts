import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Accelerator } from '../gpu/accelerator.ts';
import { parseWishes } from '../gpu/wish.ts';
import { decide } from './decide.ts';
import { explainJob } from './explain.ts';
import {
  defaultPolicy,
  demandOfStored,
  demandOfTag,
  slotsOfNode,
  type World,
  type WorldJob,
  type WorldNode,
  type WorldRun,
} from './world.ts';

const now = new Date('2026-11-22T12:00:00Z');
const ago = (seconds: number): Date => new Date(now.getTime() - seconds * 1_000);
const gpu: Accelerator = { kind: 'cuda', capability: 80, name: 'A100', memoryBytes: 2 ** 35 };

const node = (nodeId: string, change: Partial<WorldNode> = {}): WorldNode => ({
  nodeId,
  name: `node ${nodeId}`,
  class: 'amd64',
  machine: 'amd64',
  approved: true,
  drainReason: null,
  quarantinedAt: null,
  retired: false,
  tags: [],
  memoryBytes: null,
  diskFreeBytes: null,
  longestRunSeconds: 0,
  datasetDigests: [],
  seenAt: ago(1),
  slots: slotsOfNode(1, []),
  ...change,
});
const job = (
  jobId: string,
  ageSeconds: number,
  wishes = 'none',
  change: Partial<WorldJob> = {},
): WorldJob => ({
  jobId,
  source: jobId,
  version: '1',
  suite: 'sid',
  state: 'needs-retrain',
  reason: null,
  demand: demandOfTag(parseWishes(wishes).wishes),
  requestedAt: ago(ageSeconds),
  requestedBy: 'ada',
  priority: 0,
  section: '',
  archivePriority: '',
  datasetDigests: [],
  releaseId: null,
  leastDeviceMemoryBytes: 0,
  ...change,
});
const run = (runId: string, jobId: string, change: Partial<WorldRun> = {}): WorldRun => ({
  runId,
  jobId,
  seedIndex: 1,
  state: 'waiting',
  holder: null,
  leasedAt: null,
  notBefore: null,
  failedOn: [],
  excludedNodes: [],
  class: null,
  ...change,
});
const world = (change: Partial<World>): World => ({
  jobs: [],
  runs: [],
  nodes: [],
  budgets: [],
  policy: defaultPolicy,
  nodeSilenceSeconds: 30,
  ...change,
});
const placed = (one: World): string[] =>
  decide(one, now).actions.map(({ runId, nodeId, slot }) => `${runId}@${nodeId}/${slot}`);

test('the oldest job is served first, its seeds in order', () => {
  const jobs = [job('young', 10), job('old', 100)];
  const runs = [run('y1', 'young'), run('o2', 'old', { seedIndex: 2 }), run('o1', 'old')];
  assert.deepEqual(placed(world({ jobs, runs, nodes: [node('a', { slots: slotsOfNode(2, []) })] })), [
    'o1@a/0',
    'o2@a/1',
  ]);
});

test('a blocked head does not block the queue', () => {
  const jobs = [job('needs-gpu', 100, 'cuda:sm_80'), job('cpu', 10)];
  const runs = [run('g', 'needs-gpu'), run('c', 'cpu')];
  const { actions, refusals } = decide(world({ jobs, runs, nodes: [node('a')] }), now);
  assert.deepEqual(
    actions.map(({ runId }) => runId),
    ['c'],
  );
  assert.match(
    refusals[0]!.reason,
    /no slot fits; nearest is node a slot 0: wants cuda:sm_80; the slot has no accelerator/,
  );
});

test('each clause refuses with its reason', () => {
  for (const [change, runChange, clause, reason] of [
    [{ approved: false }, {}, 'approved', /not approved/],
    [{ drainReason: 'dust' }, {}, 'approved', /drained: dust/],
    [{ seenAt: ago(31) }, {}, 'seen', /seen 31 s ago/],
    [{ seenAt: null }, {}, 'seen', /never seen/],
  ] as const) {
    const one = world({ jobs: [job('j', 1)], runs: [run('r', 'j', runChange)], nodes: [node('a', change)] });
    const { actions, refusals } = decide(one, now);
    assert.deepEqual(actions, []);
    const failed = refusals[0]!.slots[0]!.clauses.filter(({ passes }) => !passes);
    assert.deepEqual(
      failed.map((result) => result.clause),
      [clause],
    );
    assert.match(refusals[0]!.reason, reason);
  }
});

test('a busy slot is refused and its holder named; waiting for a time is said', () => {
  const jobs = [job('j', 5), job('k', 9)];
  const busy = run('held', 'k', { state: 'leased', holder: { nodeId: 'a', slot: 0 } });
  const one = world({ jobs, runs: [busy, run('r', 'j')], nodes: [node('a')] });
  const [refusal] = decide(one, now).refusals;
  assert.match(refusal!.reason, /every slot that fits is busy \(1 of 1\)/);
  assert.match(
    refusal!.slots[0]!.clauses.find(({ clause }) => clause === 'free')!.reason,
    /busy with run held/,
  );
  const paused = world({
    jobs,
    runs: [run('r', 'j', { notBefore: new Date(now.getTime() + 60_000) })],
    nodes: [node('a')],
  });
  assert.match(decide(paused, now).refusals[0]!.reason, /tried again in 1 min/);
  assert.match(
    decide(world({ jobs, runs: [run('r', 'j')] }), now).refusals[0]!.reason,
    /no node is registered/,
  );
});

test('the better alternative is taken, and CPU work leaves GPUs alone', () => {
  const nodes = [node('a', { slots: slotsOfNode(1, [gpu]) }), node('b')];
  const jobs = [job('cpu', 100), job('either', 50, 'cuda:sm_80 | none')];
  assert.deepEqual(placed(world({ jobs, runs: [run('c', 'cpu'), run('e', 'either')], nodes })), [
    'c@b/0',
    'e@a/0',
  ]);
});

test('a run goes elsewhere after a node failed it, and back where it is the only one', () => {
  const jobs = [job('j', 1)];
  const runs = [run('r', 'j', { failedOn: ['a'] })];
  assert.deepEqual(placed(world({ jobs, runs, nodes: [node('a'), node('b')] })), ['r@b/0']);
  assert.deepEqual(placed(world({ jobs, runs, nodes: [node('a')] })), ['r@a/0']);
  const busy = run('x', 'k', { state: 'leased', holder: { nodeId: 'b', slot: 0 } });
  const { refusals } = decide(
    world({ jobs: [...jobs, job('k', 0)], runs: [...runs, busy], nodes: [node('a'), node('b')] }),
    now,
  );
  assert.ok(refusals[0]!.slots[0]!.clauses.some(({ clause, passes }) => clause === 'elsewhere' && !passes));
});

test('jobs that wait for something are not placed, and explain says what for', () => {
  const waiting = job('j', 1, 'none', { state: 'data-wait', reason: 'dataset-x is not in the archive' });
  const one = world({ jobs: [waiting], runs: [run('r', 'j')], nodes: [node('a')] });
  assert.deepEqual(placed(one), []);
  assert.equal(
    explainJob(one, now, 'j')!.sentence,
    'The job is in data-wait: dataset-x is not in the archive.',
  );
  assert.equal(explainJob(one, now, 'unknown'), null);
});

test('explain tells place, refusal and what runs', () => {
  const jobs = [job('old', 100, 'cuda'), job('j', 65, 'cuda:sm_90')];
  const one = world({
    jobs,
    runs: [
      run('o', 'old'),
      run('r', 'j'),
      run('s', 'j', { seedIndex: 2, state: 'leased', holder: { nodeId: 'a', slot: 0 } }),
    ],
    nodes: [node('a', { slots: slotsOfNode(1, [gpu]) })],
  });
  const told = explainJob(one, now, 'j')!;
  assert.match(
    told.sentence,
    /^Asked for 1 min 5 s ago; 1 of its runs is running; run r \(place 2\) waits: no slot fits; .*capability 9\.0 wanted, 8\.0 there/,
  );
  assert.deepEqual(
    told.runs.map(({ runId, state, place }) => [runId, state, place]),
    [
      ['r', 'waiting', 2],
      ['s', 'leased', null],
    ],
  );
  assert.equal(told.runs[1]!.sentence, 'runs on node a slot 0');
});

test('a demand that an older version stored reads with what it did not know yet', () => {
  const stored = { accelerators: parseWishes('cuda').wishes, gpus: 2, gpuMemoryBytes: 5 };
  assert.deepEqual(demandOfStored(stored), { ...demandOfTag(stored.accelerators), ...stored });
  assert.equal(demandOfStored(stored).timeLimitSeconds, 0);
});

test('a device is dealt to one slot with every way to use it; one that offers nothing keeps its turn', () => {
  const of = (ordinal: number, kind: 'cuda' | 'vulkan'): Accelerator => ({
    ...(kind === 'cuda' ? { kind, capability: 80 } : { kind }),
    name: 'v',
    memoryBytes: 1,
    device: { deviceId: `GPU-${ordinal}`, ordinal },
  });
  // Device 2 is sick.
  const offered = [of(0, 'cuda'), of(0, 'vulkan'), of(1, 'cuda'), of(3, 'cuda'), of(3, 'vulkan')];
  assert.deepEqual(
    slotsOfNode(2, offered).map(({ accelerators }) =>
      accelerators.map(({ kind, device }) => `${kind} ${device!.ordinal}`),
    ),
    [
      ['cuda 0', 'vulkan 0'],
      ['cuda 1', 'cuda 3', 'vulkan 3'],
    ],
  );
});

const anyWorld = fc
  .record(
    {
      slots: fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.boolean(), fc.boolean(), fc.boolean()), {
        maxLength: 4,
      }),
      jobs: fc.array(
        fc.tuple(
          fc.nat({ max: 9 }),
          fc.constantFrom('none', 'cuda', 'cuda:sm_90 | none'),
          fc.integer({ min: 0, max: 4 }),
        ),
        {
          maxLength: 8,
        },
      ),
    },
    { noNullPrototype: true },
  )
  .map(({ slots, jobs }) =>
    world({
      nodes: slots.map(([count, approved, seen, hasGpu], i) =>
        node(`n${i}`, {
          approved,
          seenAt: seen ? ago(1) : null,
          slots: slotsOfNode(count, hasGpu && count > 0 ? [gpu] : []),
        }),
      ),
      jobs: jobs.map(([age, wishes], i) => job(`j${i}`, age, wishes)),
      runs: jobs.flatMap(([, , count], i) =>
        Array.from({ length: count }, (_, k) => run(`j${i}r${k}`, `j${i}`, { seedIndex: k + 1 })),
      ),
    }),
  );

test('every waiting run is placed or refused once; no slot is given twice; no refusal while a slot passes every clause', () => {
  fc.assert(
    fc.property(anyWorld, (one) => {
      const { actions, refusals } = decide(one, now);
      const told = [...actions, ...refusals].map(({ runId }) => runId).sort();
      assert.deepEqual(told, one.runs.map(({ runId }) => runId).sort());
      const slots = actions.map(({ nodeId, slot }) => `${nodeId}/${slot}`);
      assert.equal(new Set(slots).size, slots.length);
      for (const { slots: answers } of refusals) {
        for (const { clauses } of answers) assert.ok(clauses.some(({ passes }) => !passes));
      }
      // The same world in another order gives the same decision.
      const shuffled = {
        ...one,
        jobs: [...one.jobs].reverse(),
        runs: [...one.runs].reverse(),
        nodes: [...one.nodes].reverse(),
      };
      assert.deepEqual(decide(shuffled, now).actions, actions);
    }),
    { numRuns: 300 },
  );
});
