import assert from 'node:assert/strict';
import { test } from 'node:test';
import { policies } from '../recipe/recipe.ts';
import { retrainDue, retryDue, supersededBy } from './retrain.ts';

test('what each policy makes of each occasion', () => {
  const due = policies.map((policy) =>
    (['new-version', 'release', 'request'] as const).map((occasion) => retrainDue(policy, occasion).due),
  );
  assert.deepEqual(Object.fromEntries(policies.map((policy, i) => [policy, due[i]])), {
    never: [false, false, true],
    'on-upload': [true, false, true],
    'per-release': [false, true, true],
    'on-demand': [false, false, true],
    'on-data-change': [true, false, true],
  });
  for (const policy of policies) assert.ok(retrainDue(policy, 'new-version').reason.length > 5);
});

test('a job that another recipe broke is due again as whoever asked for it would have it of a new version', () => {
  const due = policies.map((policy) =>
    (['policy', 'release', 'person'] as const).map((asker) => retryDue(policy, asker).due),
  );
  assert.deepEqual(Object.fromEntries(policies.map((policy, i) => [policy, due[i]])), {
    never: [false, false, true],
    'on-upload': [true, false, true],
    'per-release': [false, true, true],
    'on-demand': [false, false, true],
    'on-data-change': [true, false, true],
  });
});

test('a higher version of the same source in the same suite supersedes what may still be superseded', () => {
  const job = (version: string, state = 'retraining' as const, suite = 'sid', source = 'clothes') => ({
    version,
    state,
    suite,
    source,
  });
  const jobs = [
    job('1.0-1'),
    job('1.0-2'),
    job('1.0-10'),
    job('1.0-1~rc1', 'judged' as 'retraining'),
    job('1.0-1', 'cancelled' as 'retraining'),
    job('1.0-1', 'retraining', 'forky'),
    job('1.0-1', 'retraining', 'sid', 'tiny'),
  ];
  assert.deepEqual(supersededBy({ suite: 'sid', source: 'clothes', version: '1.0-2' }, jobs), [
    jobs[0],
    jobs[3],
  ]);
});
