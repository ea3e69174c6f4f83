import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withDatabase } from '../../tests/support/database.ts';
import { forget, take } from './nonces.ts';

const { db } = await withDatabase();
const soon = new Date(Date.now() + 60_000);

test('a nonce is taken once a node, also by two programs at one moment', async () => {
  assert.equal(await take(db, 'a', 'n', soon), true);
  assert.equal(await take(db, 'a', 'n', soon), false);
  assert.equal(await take(db, 'b', 'n', soon), true);
  const both = await Promise.all([1, 2, 3, 4].map(() => take(db, 'a', 'm', soon)));
  assert.equal(both.filter(Boolean).length, 1);
});

test('only what is dead is forgotten', async () => {
  const past = new Date(Date.now() - 1_000);
  assert.equal(await take(db, 'c', 'old', past), true);
  assert.equal(await take(db, 'c', 'new', soon), true);
  assert.equal(await forget(db, new Date()), 1);
  assert.equal(await take(db, 'c', 'new', soon), false);
});
