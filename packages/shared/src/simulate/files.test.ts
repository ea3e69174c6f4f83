import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Problem } from '../wire/problems.ts';
import { readBudgets, readJobs, readNodes } from './files.ts';

const refused = (pattern: RegExp) => (error: unknown) =>
  error instanceof Problem && error.code === 'invalid-request' && pattern.test(error.detail);

const node = { name: 'n', class: 'amd64+sm80', slots: 2, accelerators: [] as object[] };

test('nodes come as an array or as the farm lists them', () => {
  const device = { kind: 'cuda', capability: 80, name: 'A100', memoryBytes: 2 ** 35 };
  const nodes = [{ ...node, accelerators: [device, device] }];
  const seen = { ...nodes[0], nodeId: 'ab', state: 'approved', seenAt: null };
  for (const json of [JSON.stringify(nodes), JSON.stringify({ nodes: [seen] })]) {
    const [read] = readNodes(json, 'n.json');
    assert.deepEqual(
      read!.slots.map(({ accelerators }) => accelerators.length),
      [1, 1],
    );
  }
});

test('nodes with faults are refused', () => {
  for (const [change, place] of [
    [{ memoryBytes: -1 }, /\/0\/memoryBytes/],
    [{ slots: 0 }, /\/0\/slots/],
    [{ accelerators: [{ kind: 'abacus' }] }, /\/0\/accelerators/],
    [{ name: 'a\nb' }, /\/0\/name/],
  ] as const) {
    assert.throws(() => readNodes(JSON.stringify([{ ...node, ...change }]), 'n.json'), refused(place));
  }
  assert.throws(() => readNodes('[]', 'n.json'), refused(/fewer than 1/));
});

test('budgets come as the farm lists them, a limit of each unit apart', () => {
  const listed = { account: 'suite:sid', gpuHours: 10, cpuHours: null, spentGpuHours: 3, setBy: 'ada' };
  const own = { account: 'requester:bob', cpuHours: 5, renewDays: 30 };
  assert.deepEqual(readBudgets(JSON.stringify({ budgets: [listed, own] }), 'b.json'), [
    { account: 'suite:sid', unit: 'gpu', limitHours: 10, renewDays: null },
    { account: 'requester:bob', unit: 'cpu', limitHours: 5, renewDays: 30 },
  ]);
  for (const [change, place] of [
    [{ account: 'ada' }, /\/1\/account/],
    [{ account: 'suite:sid' }, /\/1\/account suite:sid is there twice/],
    [{ cpuHours: -1 }, /\/1\/cpuHours/],
    [{ renewDays: 0 }, /\/1\/renewDays/],
  ] as const) {
    assert.throws(() => readBudgets(JSON.stringify([listed, { ...own, ...change }]), 'b'), refused(place));
  }
});

test('jobs are put in order, and their wishes are read', () => {
  const job = { source: 'a', requestedAtSeconds: 60, accelerators: 'cuda:sm_80 | none', trainSeconds: 600 };
  const jobs = readJobs(
    JSON.stringify([job, { ...job, source: 'b', requestedAtSeconds: 0, retrains: 1 }]),
    'j',
  );
  assert.deepEqual(
    jobs.map(({ source, settledAt }) => [source, settledAt]),
    [
      ['b', 1],
      ['a', 5],
    ],
  );
  assert.equal(jobs[0]!.demand.accelerators.length, 2);
  for (const [change, place] of [
    [{ accelerators: 'abacus' }, /\/0\/accelerators/],
    [{ trainSeconds: 0 }, /\/0\/trainSeconds/],
    [{ requestedAtSeconds: 1e300 }, /\/0\/requestedAtSeconds/],
    [{ colour: 'red' }, /\/0\/colour is not known/],
  ] as const) {
    assert.throws(() => readJobs(JSON.stringify([{ ...job, ...change }]), 'j'), refused(place));
  }
});
