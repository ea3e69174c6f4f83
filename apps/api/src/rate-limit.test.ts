// Buckets: an address that asks too often is refused, others are not, and time heals.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RateLimit } from './rate-limit.ts';

const refused = { code: 'busy' };

test('an address has its own bucket, all share one, and both fill again', () => {
  const limit = new RateLimit({ address: 2, all: 5 }, 0);
  limit.take('a', 0);
  limit.take('a', 0);
  assert.throws(() => limit.take('a', 0), refused);
  limit.take('b', 0);
  limit.take('b', 0);
  limit.take('c', 0);
  assert.throws(() => limit.take('d', 0), refused, 'five of all are drawn');
  limit.take('a', 60_000);
});

test('a flood of addresses is forgotten, not kept', () => {
  const limit = new RateLimit({ address: 1, all: 1e9 }, 0);
  for (let i = 0; i < 20_000; i++) limit.take(`address ${i}`, 0);
  limit.take('address 0', 0);
});
