import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { defaultPolicy } from '../policy/world.ts';
import { drawFleet } from './fleet.ts';
import { defaultSettings, type SimulationInput } from './settings.ts';
import { simulateFleet } from './simulation.ts';
import { drawWorkload } from './workload.ts';

const input = (change: Partial<SimulationInput> = {}): SimulationInput => {
  const nodes = drawFleet(20);
  const seed = change.seed ?? 'test';
  const base = { ...defaultSettings, ...drawWorkload(seed, 150, nodes), policy: defaultPolicy };
  return { ...base, faults: 'heavy', nodes, seed, ...change };
};

test('the same seed tells the same story, another seed another', () => {
  const [one, two, other] = [
    simulateFleet(input()),
    simulateFleet(input()),
    simulateFleet(input({ seed: 'b' })),
  ];
  assert.equal(one.digest, two.digest);
  assert.deepEqual(one, two);
  assert.notEqual(one.digest, other.digest);
});

test('under heavy faults every job ends, no result is recorded twice, and late writes are refused', () => {
  const trace = createHash('sha256');
  const report = simulateFleet(input({ onTrace: (text) => trace.update(text) }));
  assert.deepEqual(report.invariants.first, []);
  assert.ok(report.invariants.checks > 500);
  assert.equal(report.digest, trace.digest('hex'));
  assert.equal(report.fencing.doubledResults, 0);
  assert.ok(report.fencing.refusedWrites.heartbeat > 0);
  assert.equal(report.jobs.total, 150);
  for (const kind of ['lost-worker', 'stopped-worker', 'split-network', 'ecc', 'clock-skew', 'slow-disk']) {
    assert.ok(report.faults[kind]! > 0, `${kind} happened`);
  }
  assert.ok(report.hours.wastedByCause['lost-worker']!.gpu > 0);
  assert.ok(report.hours.useful.gpu > report.hours.wasted.gpu);
  assert.equal(report.starvation.jobs, 0);
});

test('without faults nothing is lost, and only recipes and people waste time', () => {
  const report = simulateFleet(input({ faults: 'none' }));
  assert.deepEqual(report.invariants.first, []);
  assert.deepEqual(report.faults, {});
  assert.deepEqual(
    Object.keys(report.runs.leaseEnds).filter((end) => end.startsWith('lost')),
    [],
  );
  const causes = Object.keys(report.hours.wastedByCause);
  const own = ['data', 'out-of-memory', 'recipe', 'tempfail', 'unwanted'];
  assert.deepEqual(
    causes.filter((cause) => !own.includes(cause)),
    [],
  );
});

test('a simulation can see what fencing is good for: without it results are recorded twice', () => {
  const report = simulateFleet(input({ fencing: false }));
  assert.ok(report.fencing.doubledResults > 0);
  assert.match(report.invariants.first.join('\n'), /2 results of run .* were recorded|under epoch/);
});
