import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faultKinds, faultRules, faultsOf } from './faults.ts';
import { drawFleet } from './fleet.ts';
import { drawWorkload } from './workload.ts';

const { jobs, arrivalSeconds } = drawWorkload('w', 3_000, drawFleet(60));

test('the shares of the workload are those that its documentation states', () => {
  const share = (holds: (job: (typeof jobs)[number]) => boolean) => jobs.filter(holds).length / jobs.length;
  const near = (value: number, expected: number, margin = 0.03) =>
    assert.ok(Math.abs(value - expected) < margin, `${value} is not near ${expected}`);
  near(
    share(({ releaseId }) => releaseId !== null),
    0.15,
  );
  near(
    share(({ requestedBy }) => requestedBy.startsWith('porter:')),
    0.05,
  );
  near(
    share(({ fate }) => fate === 'recipe-fails'),
    0.03,
    0.015,
  );
  near(
    share(({ demand }) => demand.accelerators[0]!.kind === 'none'),
    0.28,
  );
  near(
    share(({ demand }) => demand.estimateSeconds > 0),
    0.5,
  );
});

test('jobs come in order, uploads with the archive, the release all at once', () => {
  const times = jobs.map(({ requestedAtSeconds }) => requestedAtSeconds);
  assert.deepEqual(
    times,
    [...times].sort((a, b) => a - b),
  );
  const release = new Set(jobs.filter(({ releaseId }) => releaseId).map((job) => job.requestedAtSeconds));
  assert.equal(release.size, 1);
  assert.ok(times.at(-1)! <= arrivalSeconds + 86_400);
  const keys = jobs.map(({ suite, source, version }) => `${suite} ${source} ${version}`);
  assert.equal(new Set(keys).size, keys.length);
});

test('lengths are lognormal about the stated median', () => {
  const minutes = jobs
    .filter(({ demand }) => demand.gpuMemoryBytes === 16 * 2 ** 30)
    .map(({ trainSeconds }) => trainSeconds / 60)
    .sort((a, b) => a - b);
  const median = minutes[Math.floor(minutes.length / 2)]!;
  assert.ok(median > 150 && median < 215, `${median}`);
  assert.ok(minutes.at(-1)! > 5 * median);
});

test('heavy faults come as often as the table says, in order', () => {
  for (const kind of faultKinds) {
    const rule = faultRules[kind];
    const faults = faultsOf(kind, 'heavy', 's', { slot: 100, node: 30, farm: 1 });
    const first = Array.from({ length: 400 }, () => faults.next().value);
    const perDay = (400 / first.at(-1)!.atSeconds) * 86_400;
    const expected = rule.perDay.heavy * { slot: 100, node: 30, farm: 1 }[rule.of];
    assert.ok(perDay > expected * 0.8 && perDay < expected * 1.25, `${kind}: ${perDay}, not ${expected}`);
    assert.ok(first.every(({ durationSeconds }) => durationSeconds >= 0));
  }
});
