import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Problem } from '../wire/problems.ts';
import { readPolicy } from './policy-file.ts';
import { defaultPolicy } from './world.ts';

const refused = (pattern: RegExp) => (error: unknown) =>
  error instanceof Problem && error.code === 'invalid-request' && pattern.test(error.detail);

test('a policy says what differs from the default', () => {
  const policy = readPolicy('{"ageing": null, "backfill": false}', 'p.json');
  assert.deepEqual(policy, { ...defaultPolicy, ageing: null, backfill: false });
});

const preemption = { points: 20, leastHeldSeconds: 900, mostAtOnce: 2, mostTimes: 2, neverAbove: 0.5 };

test('preemption is off unless a policy says all of it', () => {
  assert.equal(readPolicy('{}', 'p.json').preemption, null);
  assert.deepEqual(readPolicy(JSON.stringify({ preemption }), 'p.json').preemption, preemption);
});

test('a policy with a fault is refused with its place', () => {
  for (const [json, place] of [
    ['{"aging": null}', /p\.json: \/aging is not known/],
    ['{"ageing": {"pointsPerDay": 2}}', /\/ageing/],
    ['{"length": {"pointsPerHour": "1", "capHours": 2}}', /\/length\/pointsPerHour/],
    ['{"shares": {"suite:sid": -1}}', /\/shares/],
    ['{"preemption": {"points": 20}}', /\/preemption/],
    [JSON.stringify({ preemption: { ...preemption, points: 0 } }), /\/preemption/],
    [JSON.stringify({ preemption: { ...preemption, neverAbove: 2 } }), /\/preemption/],
    ['[', /is no JSON/],
    ['3', /object/],
  ] as const) {
    assert.throws(() => readPolicy(json, 'p.json'), refused(place), json);
  }
});
