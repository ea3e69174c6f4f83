// Whether a simulation sees that somebody waits for ever: one slot, short jobs that fill it, and a long one that is outranked by
// each of them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultPolicy, demandOfStored, slotsOfNode } from '../policy/world.ts';
import { defaultSettings, type SimulationInput } from './settings.ts';
import { simulateFleet } from './simulation.ts';
import { type SimulatedJob, settledAfter } from './workload.ts';

const hour = 3_600;

const job = (source: string, requestedAtSeconds: number, hours: number): SimulatedJob => ({
  ...{ source, requestedAtSeconds, version: '1', suite: 'sid', requestedBy: 'intake', releaseId: null },
  ...{ priority: 0, section: '', archivePriority: '', datasetDigests: [], cancelledAfterSeconds: null },
  demand: demandOfStored({ estimateSeconds: hours * hour }),
  ...{ fetchSeconds: 1, trainSeconds: hours * hour, fate: 'works', checkpoints: false, neededDeviceBytes: 0 },
  ...settledAfter(1),
});

// Each short job is a retrain and a run on shortened data: a little less than two hours in all.
const short = Array.from({ length: 130 }, (_, index) => job(`short-${index}`, index * 1.9 * hour, 1));
const jobs = [...short, job('long', 2 * hour, 12)].sort(
  (a, b) => a.requestedAtSeconds - b.requestedAtSeconds,
);

const input = (change: Partial<SimulationInput>): SimulationInput => ({
  ...defaultSettings,
  ...{ seed: 's', faults: 'none', policy: defaultPolicy, jobs, arrivalSeconds: 130 * 1.9 * hour },
  nodes: [
    {
      ...{ name: 'only', class: 'amd64', slots: slotsOfNode(1, []), tags: [] },
      ...{ memoryBytes: null, diskFreeBytes: null, longestRunSeconds: 0 },
    },
  ],
  ...change,
});

test('with ageing the long job waits its days, and nobody starves', () => {
  const report = simulateFleet(input({}));
  assert.deepEqual(report.starvation, { overDays: 7, jobs: 0, worst: [] });
  assert.ok(report.utilisation.cpuSlots > 0.9, 'the farm is full');
});

test('with ageing off the long job starves, and the report says which and how long', () => {
  const { starvation } = simulateFleet(input({ policy: { ...defaultPolicy, ageing: null } }));
  assert.ok(starvation.jobs >= 1);
  assert.ok(starvation.worst[0]!.waitDays > 7);
  assert.match(starvation.worst[0]!.jobId, /job-0000[1-3]/);
});

test('a job that no node can take does not starve: it is auto-not-for-us', () => {
  const impossible = { ...job('impossible', 0, 1), demand: demandOfStored({ machines: ['arm64'] }) };
  const report = simulateFleet(input({ jobs: [impossible] }));
  assert.deepEqual(report.jobs.byState, { 'auto-not-for-us': 1 });
  assert.equal(report.starvation.jobs, 0);
});
