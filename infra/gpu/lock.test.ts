import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alone } from './lock.ts';
import { tellProgress } from './progress.ts';

test('two at once run one after the other, and the second says that it waits', async () => {
  const events: string[] = [];
  const work = (name: string) => async () => {
    events.push(`${name} begins`);
    await new Promise((resolve) => setTimeout(resolve, 100));
    events.push(`${name} ends`);
  };
  const path = `/nowhere/${process.pid}`;
  await Promise.all([
    alone(path, () => events.push('first waits'), work('first')),
    alone(path, () => events.push('second waits'), work('second')),
  ]);
  assert.deepEqual(
    events,
    ['first begins', 'second waits', 'first ends', 'second begins', 'second ends'].sort(
      (a, b) => events.indexOf(a) - events.indexOf(b),
    ),
  );
  assert.ok(events.indexOf('first ends') < events.indexOf('second begins'));
});

test('a failed install gives the lock back', async () => {
  const path = `/nowhere/failed/${process.pid}`;
  const fail = alone(path, assert.fail, async () => {
    throw new Error('broken');
  });
  await assert.rejects(fail, /broken/);
  assert.equal(await alone(path, assert.fail, async () => 7), 7);
});

test('progress is told with rate and time to go', () => {
  assert.equal(tellProgress(0, 274e6, 500), '0 of 274 MB (0 %)');
  assert.equal(tellProgress(137e6, 274e6, 10_000), '137 of 274 MB (50 %), 14 MB/s, 10 s to go');
  assert.equal(tellProgress(300e6, 274e6, 10_000), '300 of 274 MB (100 %), 30 MB/s, 0 s to go');
});
