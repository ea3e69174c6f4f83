// A worker that wakes with an old epoch, with fencing and without: the second shows that the first could fail.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDoubled } from './accounts.ts';
import { playSleeper } from './sleeper.ts';

test('a stopped worker that wakes with an old epoch records nothing', async () => {
  assert.deepEqual(await playSleeper({ isFenced: true }), []);
});

test('with fencing switched off its result is recorded twice, and that is seen', async () => {
  const faults = await playSleeper({ isFenced: false });
  assert.ok(faults.some(isDoubled), faults.join('\n') || 'no fault was seen');
});
