import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  a100,
  ago,
  demand,
  gib,
  heldRun,
  job,
  node,
  now,
  run,
  world,
  worldOf,
} from '../../../../tests/support/world.ts';
import type { Accelerator } from '../gpu/accelerator.ts';
import { decide, type MoveAction } from './decide.ts';
import {
  type Budget,
  defaultPolicy,
  demandOfStored,
  demandOfTag,
  slotsOfNode,
  type World,
  type WorldJob,
  type WorldNode,
} from './world.ts';

const day = 86_400;
const hour = 3_600;

const placed = (one: World): string[] =>
  decide(one, now).actions.flatMap((action) =>
    action.kind === 'place' ? [`${action.runId}@${action.nodeId}/${action.slot}`] : [],
  );
const moved = (one: World): MoveAction[] =>
  decide(one, now).actions.filter((action) => action.kind === 'move');
const gpuNode = (nodeId: string, change = {}) =>
  node(nodeId, { class: 'amd64+sm80', slots: slotsOfNode(1, [a100]), ...change });
const lasting = (seconds: number, change = {}) => ({
  demand: demand('none', { estimateSeconds: seconds }),
  ...change,
});

test('the oldest job is served first, its seeds in order', () => {
  const jobs = [job('young', 10), job('old', 100)];
  const runs = [run('y1', 'young'), run('o2', 'old', { seedIndex: 2 }), run('o1', 'old')];
  assert.deepEqual(placed(world({ jobs, runs, nodes: [node('a', { slots: slotsOfNode(2, []) })] })), [
    'o1@a/0',
    'o2@a/1',
  ]);
});

test('a blocked head does not block the queue', () => {
  assert.deepEqual(placed(worldOf([job('g', 100, 'cuda:sm_80'), job('c', 10)], [node('a')])), ['rc@a/0']);
});

test('a node that does not serve gets nothing', () => {
  for (const change of [
    { approved: false },
    { drainReason: 'dust' },
    { quarantinedAt: ago(5) },
    { retired: true },
    { seenAt: ago(31) },
    { seenAt: null },
  ]) {
    assert.deepEqual(placed(worldOf([job('j', 1)], [node('a', change)])), [], JSON.stringify(change));
  }
  assert.deepEqual(placed(worldOf([job('j', 1)], [node('a')])), ['rj@a/0']);
});

test('a run that was given back waits for its time', () => {
  const later = run('r', 'j', { notBefore: new Date(now.getTime() + 1_000) });
  const one = (notBefore: Date) =>
    world({ jobs: [job('j', 5)], runs: [{ ...later, notBefore }], nodes: [node('a')] });
  assert.deepEqual(placed(one(later.notBefore!)), []);
  assert.deepEqual(placed(one(now)), ['r@a/0']);
});

test('machine, tags, memory, time, class and exclusion are asked', () => {
  const wants = (change: Parameters<typeof demand>[1]) => ({ demand: demand('none', change) });
  for (const [jobChange, nodeChange, fits] of [
    [wants({ machines: ['arm64'] }), {}, false],
    [wants({ machines: ['arm64', 'amd64'] }), {}, true],
    [wants({ tags: ['big'] }), {}, false],
    [wants({ tags: ['big'] }), { tags: [{ tag: 'big', mandatory: true }] }, true],
    [wants({}), { tags: [{ tag: 'big', mandatory: true }] }, false],
    [wants({}), { tags: [{ tag: 'big', mandatory: false }] }, true],
    [wants({ memoryBytes: 8 * gib }), { memoryBytes: 7 * gib }, false],
    [wants({ memoryBytes: 8 * gib }), { memoryBytes: 8 * gib }, true],
    [wants({ memoryBytes: 8 * gib }), { memoryBytes: null }, true],
    [wants({ diskBytes: 8 * gib }), { diskFreeBytes: 7 * gib }, false],
    [wants({ timeLimitSeconds: 2 * hour }), { longestRunSeconds: hour }, false],
    [wants({ timeLimitSeconds: 0 }), { longestRunSeconds: hour }, false],
    [wants({ timeLimitSeconds: hour }), { longestRunSeconds: hour }, true],
  ] as const) {
    const one = worldOf(
      [job('j', 1, 'none', jobChange as Partial<WorldJob>)],
      [node('a', nodeChange as object)],
    );
    assert.equal(placed(one).length === 1, fits, JSON.stringify([jobChange, nodeChange]));
  }
  const of = (change: object) =>
    world({
      jobs: [job('j', 1, 'cuda | none')],
      runs: [run('r', 'j', change)],
      nodes: [gpuNode('a'), node('b')],
    });
  assert.deepEqual(placed(of({ class: null })), ['r@a/0']);
  assert.deepEqual(placed(of({ class: 'amd64+sm80' })), ['r@a/0']);
  assert.deepEqual(placed(of({ class: 'amd64' })), ['r@b/0'], 'compared with a run on a CPU');
  assert.deepEqual(placed(of({ class: 'amd64+sm90' })), []);
  assert.deepEqual(placed(of({ excludedNodes: [{ nodeId: 'a', reason: 'ECC error' }] })), ['r@b/0']);
});

test('the better alternative is taken, CPU work leaves GPUs alone, and no CPU is taken for a GPU', () => {
  const nodes = [gpuNode('a'), node('b')];
  assert.deepEqual(placed(worldOf([job('cpu', 100), job('either', 50, 'cuda:sm_80 | none')], nodes)), [
    'rcpu@b/0',
    'reither@a/0',
  ]);
  assert.deepEqual(placed(worldOf([job('g', 1, 'cuda')], [node('b')])), []);
});

test('after a run was out of device memory, only a larger device will do', () => {
  const larger: Accelerator = { ...a100, memoryBytes: 80 * gib };
  const nodes = [gpuNode('a'), gpuNode('b', { slots: slotsOfNode(1, [larger]) })];
  assert.deepEqual(placed(worldOf([job('j', 1, 'cuda')], nodes)), ['rj@a/0'], 'the smallest that does');
  const again = job('j', 1, 'cuda', { leastDeviceMemoryBytes: 41 * gib });
  assert.deepEqual(placed(worldOf([again], nodes)), ['rj@b/0']);
});

test('a node that has the data is preferred, and not waited for', () => {
  const reads = job('j', 1, 'none', { datasetDigests: ['d1', 'd2'] });
  const has = node('c', { datasetDigests: ['d2'] });
  assert.deepEqual(placed(worldOf([reads], [node('a'), node('b'), has])), ['rj@c/0']);
  const busy = world({
    jobs: [reads, job('k', 1)],
    runs: [run('rj', 'j'), heldRun('x', 'k', 'c')],
    nodes: [node('a'), has],
  });
  assert.deepEqual(placed(busy), ['rj@a/0']);
});

test('a run goes elsewhere after a node failed it, and back where it is the only one', () => {
  const jobs = [job('j', 1), job('k', 0)];
  const runs = [run('r', 'j', { failedOn: ['a'] })];
  assert.deepEqual(placed(world({ jobs, runs, nodes: [node('a'), node('b')] })), ['r@b/0']);
  assert.deepEqual(placed(world({ jobs, runs, nodes: [node('a')] })), ['r@a/0']);
  const busy = [...runs, heldRun('x', 'k', 'b')];
  assert.deepEqual(placed(world({ jobs, runs: busy, nodes: [node('a'), node('b')] })), []);
});

test('a slot whose worker did not answer is asked for nothing for a while, the others go on', () => {
  const silent = (seconds: number) => {
    const [first, second] = slotsOfNode(2, []);
    return node('a', { slots: [{ ...first!, silentUntil: ago(-seconds) }, second!] });
  };
  const jobs = [job('j', 2), job('k', 1)];
  assert.deepEqual(placed(worldOf(jobs, [silent(5)])), ['rj@a/1']);
  assert.deepEqual(placed(worldOf(jobs, [silent(-1)])), ['rj@a/0', 'rk@a/1']);
  const alone = node('a', { slots: [{ ...slotsOfNode(1, [])[0]!, silentUntil: ago(-5) }] });
  assert.deepEqual(placed(worldOf([job('j', 1)], [alone])), []);
});

test('points: weights, waiting and length; who is overdue comes first whatever the weights', () => {
  const first = (...jobs: WorldJob[]): string => placed(worldOf(jobs, [node('a')]))[0]!.replace(/@.*/, '');
  assert.equal(first(job('low', 100), job('high', 1, 'none', { priority: 1 })), 'rhigh');
  assert.equal(first(job('old', day), job('new', 1, 'none', { priority: 1 })), 'rold', '2 points a day');
  assert.equal(first(job('long', 60, 'none', lasting(3 * hour)), job('short', 1)), 'rshort');
  assert.equal(first(job('long', 2 * day, 'none', lasting(3 * hour)), job('short', 1)), 'rlong');
  const standard = { archivePriority: 'standard' };
  assert.equal(
    first(job('extra', 60, 'none', { archivePriority: 'extra' }), job('std', 1, 'none', standard)),
    'rstd',
  );
  const eager = job('eager', 1, 'none', { priority: 1_000 });
  assert.equal(first(job('tired', 3 * day, 'none', lasting(15 * hour, { priority: -99 })), eager), 'rtired');
  assert.equal(first(job('waits', 2.9 * day, 'none', lasting(15 * hour)), eager), 'reager');
});

test('whoever holds more than a fair share lets others pass', () => {
  const mine = Array.from({ length: 4 }, (_, i) => job(`a${i}`, day));
  const theirs = Array.from({ length: 2 }, (_, i) => job(`b${i}`, 10, 'none', { requestedBy: 'bob' }));
  const nodes = [node('n', { slots: slotsOfNode(4, []) })];
  const one = worldOf([...mine, ...theirs], nodes);
  assert.deepEqual(
    placed(one)
      .map((text) => text[1]!)
      .sort(),
    ['a', 'a', 'b', 'b'],
    'half of the slots each',
  );
  const policy = { ...defaultPolicy, shares: { 'requester:ada': 3 } };
  assert.deepEqual(
    placed({ ...one, policy })
      .map((text) => text[1]!)
      .sort(),
    ['a', 'a', 'a', 'b'],
    'three shares against one',
  );
  const unfair = { ...defaultPolicy, fairSharePoints: 0 };
  assert.ok(placed({ ...one, policy: unfair }).every((text) => text[1] === 'a'));
});

const large = (ageSeconds: number): WorldJob =>
  job('large', ageSeconds, 'none', {
    demand: demand('none', { memoryBytes: 10 * gib, estimateSeconds: hour }),
  });
const small = (jobId: string, seconds: number): WorldJob =>
  job(jobId, 5, 'none', {
    demand: demand('none', { memoryBytes: 2 * gib, estimateSeconds: seconds, timeLimitSeconds: 2 * seconds }),
  });
/** A node of 12 GiB on which a run of 4 GiB ends in about an hour. */
const crowded = (jobs: WorldJob[], change: Partial<World> = {}): World => {
  const tenant = job('tenant', 9_999, 'none', {
    demand: demand('none', { memoryBytes: 4 * gib, timeLimitSeconds: hour }),
  });
  const one = worldOf(jobs, [node('n', { memoryBytes: 12 * gib, slots: slotsOfNode(4, []) })], change);
  return { ...one, jobs: [...jobs, tenant], runs: [...one.runs, heldRun('x', 'tenant', 'n', 3)] };
};

test('beside room that is kept for a large run, smaller ones start that end before', () => {
  assert.deepEqual(placed(crowded([large(day), small('quick', 1_800)])), ['rquick@n/0']);
  assert.deepEqual(
    placed(crowded([large(day), small('slow', 2 * hour)])),
    ['rslow@n/1'],
    'it leaves 10 of 12 GiB and the slot that is expected for the large one',
  );
  assert.deepEqual(
    placed(crowded([large(day), small('slow', 2 * hour), small('other', 3 * hour)])).length,
    1,
  );
  const policy = { ...defaultPolicy, backfill: false };
  assert.deepEqual(placed(crowded([large(day), small('quick', 60)], { policy })), []);
});

test('an overdue run is not delayed by estimates: others count by their limit', () => {
  // 40 minutes by estimate, 80 by limit; the room comes free in 59.
  const fill = small('fill', 3 * hour);
  assert.ok(placed(crowded([large(day), fill, small('guess', 2_400)])).includes('rguess@n/0'));
  assert.deepEqual(
    placed(crowded([large(4 * day), fill, small('guess', 2_400)])),
    ['rguess@n/1'],
    'which leaves the room; the other one would not',
  );
});

const budget = (change: Partial<Budget>): Budget => ({
  account: 'suite:sid',
  unit: 'gpu',
  limitSeconds: 10 * hour,
  spentSeconds: 0,
  reservedSeconds: 0,
  ...change,
});
const onGpu = (jobId: string, wishes = 'cuda', change: Partial<WorldJob> = {}): WorldJob =>
  job(jobId, 10, wishes, { demand: demand(wishes, { estimateSeconds: 4 * hour }), ...change });

test('a job whose budget is spent waits for it, with the sum', () => {
  const spent = [budget({ spentSeconds: 5 * hour, reservedSeconds: 2 * hour })];
  const one = worldOf([onGpu('j')], [gpuNode('a')], { budgets: spent });
  assert.deepEqual(placed(one), []);
  const [move] = moved(one);
  assert.deepEqual([move?.jobId, move?.to], ['j', 'budget-wait']);
  assert.match(
    move!.reason,
    /suite sid has 10\.00 GPU-hours, of which 5\.00 are spent and 2\.00 promised; this run takes 4\.00/,
  );
  const other = [budget({ account: 'requester:bob', limitSeconds: 0 })];
  assert.deepEqual(placed(worldOf([onGpu('j')], [gpuNode('a')], { budgets: other })), ['rj@a/0']);
});

test('one decision does not promise the same GPU-hours twice', () => {
  const nodes = [gpuNode('a'), gpuNode('b'), gpuNode('c')];
  const one = worldOf([onGpu('i'), onGpu('j'), onGpu('k')], nodes, { budgets: [budget({})] });
  assert.equal(placed(one).length, 2);
  assert.deepEqual(
    moved(one).map(({ jobId, to }) => [jobId, to]),
    [['k', 'budget-wait']],
  );
});

test('where the recipe does without, a spent budget leaves it the CPU', () => {
  const budgets = [budget({ limitSeconds: 0 })];
  const jobs = [onGpu('j', 'cuda | none')];
  assert.deepEqual(placed(worldOf(jobs, [gpuNode('a'), node('b')], { budgets })), ['rj@b/0']);
  const busy = worldOf(jobs, [gpuNode('a')], { budgets });
  assert.deepEqual(decide(busy, now).actions, []);
});

test('work without a device is billed in CPU-hours', () => {
  const cpu = [budget({ unit: 'cpu', limitSeconds: 5 * hour })];
  const jobs = [job('i', 2, 'none', lasting(4 * hour)), job('j', 1, 'none', lasting(4 * hour))];
  const one = worldOf(jobs, [node('a'), node('b')], { budgets: cpu });
  assert.deepEqual(placed(one), ['ri@a/0']);
  assert.match(moved(one)[0]!.reason, /suite sid has 5\.00 CPU-hours/);
  assert.deepEqual(placed({ ...one, budgets: [budget({ limitSeconds: 0 })] }), ['ri@a/0', 'rj@b/0']);
});

test('nothing of a paused release is placed', () => {
  const paused = job('j', 1, 'none', { releasePaused: 'the release of sid is paused: freeze' });
  assert.deepEqual(placed(worldOf([paused, job('k', 0)], [node('a'), node('b')])), ['rk@a/0']);
});

test('jobs come back when their budget has room, as many as it has room for', () => {
  const waits = (jobId: string, age: number) =>
    job(jobId, age, 'cuda', { ...onGpu(jobId), requestedAt: ago(age), state: 'budget-wait' });
  const jobs = [waits('new', 1), waits('old', 9), waits('mid', 5)];
  const of = (limitHours: number) =>
    moved(worldOf(jobs, [], { budgets: [budget({ limitSeconds: limitHours * hour })] }));
  assert.deepEqual(
    of(9).map(({ jobId, to }) => [jobId, to]),
    [
      ['mid', 'needs-retrain'],
      ['old', 'needs-retrain'],
    ],
  );
  assert.deepEqual(of(3), []);
});

test('what no machine can serve is auto-not-for-us at once; what no node serves yet, after its days', () => {
  const far = { demand: demand('cuda', { gpuMemoryBytes: 2 ** 41 }) };
  const [move] = moved(worldOf([job('j', 1, 'cuda', far)], [gpuNode('a')]));
  assert.deepEqual(
    [move?.to, move?.reason],
    ['auto-not-for-us', 'No farm can serve it: no device has 2.00 TiB of memory.'],
  );
  const young = worldOf([job('j', 29 * day, 'cuda:sm_90')], [gpuNode('a')]);
  assert.deepEqual(moved(young), []);
  const old = worldOf([job('j', 31 * day, 'cuda:sm_90')], [gpuNode('a')]);
  assert.equal(moved(old)[0]?.to, 'auto-not-for-us');
  const h100: Accelerator = { ...a100, capability: 90 };
  for (const change of [{ drainReason: 'moved' }, { approved: false }, { seenAt: null }]) {
    const nodes: WorldNode[] = [gpuNode('a'), gpuNode('b', { slots: slotsOfNode(1, [h100]), ...change })];
    assert.deepEqual(moved({ ...old, nodes }), [], 'a node that may come back');
  }
  const retired = gpuNode('b', { slots: slotsOfNode(1, [h100]), retired: true });
  assert.equal(moved({ ...old, nodes: [gpuNode('a'), retired] }).length, 1);
  assert.deepEqual(moved({ ...old, policy: { ...defaultPolicy, hopelessDays: 0 } }), []);
  const excludedNodes = [{ nodeId: 'a', reason: 'its device failed' }];
  const waits = worldOf([job('j', 31 * day, 'cuda')], [gpuNode('a')]);
  assert.deepEqual(moved(waits), []);
  const [run] = waits.runs;
  const excluded = { ...waits, runs: [{ ...run!, excludedNodes }] };
  assert.equal(moved(excluded)[0]?.to, 'auto-not-for-us', 'the only node that fits is excluded');
  assert.deepEqual(moved({ ...excluded, nodes: [gpuNode('a'), gpuNode('b')] }), []);
});

test('a demand that an older version stored reads with what it did not know yet', () => {
  const stored = { accelerators: demand('cuda').accelerators, gpus: 2, gpuMemoryBytes: 5 };
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
