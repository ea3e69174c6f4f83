import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { withDatabase } from '../tests/support/database.ts';
import { referencePath, renderReference } from './reference.ts';

const { db } = await withDatabase();

test('docs/reference/database.md says what the database is', async () => {
  const wanted = await renderReference(db);
  if (process.env.UPDATE_REFERENCE) writeFileSync(referencePath, wanted);
  assert.equal(readFileSync(referencePath, 'utf8'), wanted, 'stale: run this test with UPDATE_REFERENCE=1');
});
