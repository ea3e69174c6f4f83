// The accounts see each thing that they are there for: a chaos test that cannot fail shows nothing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AccountedRun, faultsOf, isDoubled } from './accounts.ts';

const job = { jobId: 'job', state: 'judged', reason: '', verdicts: 1 };
const run: AccountedRun = {
  runId: 'run',
  jobId: 'job',
  place: 'retrain 1',
  state: 'reported',
  leaseEpoch: 2,
  leases: [
    { leaseEpoch: 1, outcome: 'lost' },
    { leaseEpoch: 2, outcome: 'reported' },
  ],
  models: ['tiny'],
};
const starts = [1, 2].map((leaseEpoch) => ({ runId: 'run', leaseEpoch }));
const faults = (
  changed: Partial<AccountedRun> = {},
  { jobs = [job], more = [] as AccountedRun[], begun = starts } = {},
) => faultsOf({ jobs, runs: [{ ...run, ...changed }, ...more] }, ['job'], begun);

test('a run that was lost once and recorded once is well', () => {
  assert.deepEqual(faults(), []);
  // A lease that was lost before its child began.
  assert.deepEqual(faults({}, { begun: starts.slice(1) }), []);
});

test('two results of one run, of one output and of one place are seen', () => {
  const twice = [1, 2].map((leaseEpoch) => ({ leaseEpoch, outcome: 'reported' }));
  for (const seen of [
    faults({ leases: twice }),
    faults({ models: ['tiny', 'tiny'] }),
    faults({}, { more: [{ ...run, runId: 'other' }], begun: [...starts, { runId: 'other', leaseEpoch: 2 }] }),
  ]) {
    assert.equal(seen.length, 1, seen.join('; '));
    assert.ok(isDoubled(seen[0]!), seen.join());
  }
});

test('what is lost or hangs is seen', () => {
  assert.match(faults({}, { jobs: [] })[0]!, /job job is lost/);
  assert.match(faults({}, { jobs: [{ ...job, state: 'retraining' }] })[0]!, /is retraining/);
  assert.match(faults({}, { jobs: [{ ...job, verdicts: 0 }] })[0]!, /without a verdict/);
  const open = [run.leases[0]!, { leaseEpoch: 2, outcome: null }];
  assert.deepEqual(faults({ state: 'leased', models: [], leases: open }), [
    'run run is leased for ever',
    'lease 2 of run run never ended',
  ]);
  assert.match(faults({ models: [] })[0]!, /without an output/);
  assert.match(faults({ leases: run.leases.slice(1) }).join(), /has no lease 1/);
});

test('starts are held against the leases, both ways', () => {
  const told = (begun: typeof starts) => faults({}, { begun }).join();
  assert.match(told([...starts, starts[0]!]), /lease run-1 was started 2 times/);
  assert.match(told(starts.slice(0, 1)), /run-2 was reported, but never started/);
  assert.match(told([...starts, { runId: 'run', leaseEpoch: 3 }]), /run-3, which is no lease/);
});
