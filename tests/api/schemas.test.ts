// Published schemas at their addresses: what a statement names is what the farm serves and what the reference keeps.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { verdictSchemaId, verdictSchemaPath } from '@retraind/shared/wire/verdict-schema';
import { assertPublished } from '../../packages/shared/samples/published.ts';
import { different, edited, verdict } from '../pages/canned.ts';
import { startFarm } from './farm-server.ts';

const server = await startFarm();

test('the verdict’s schema lies at the path of its own id, byte for byte as published', async () => {
  const response = await fetch(server.address + verdictSchemaPath);
  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-type')!, /^application\/schema\+json/);
  const file = new URL('../../docs/reference/verdict.schema.json', import.meta.url);
  const text = await response.text();
  assert.equal(text, readFileSync(file, 'utf8'));
  assert.equal(JSON.parse(text).$id, verdictSchemaId);
  assert.equal(new URL(verdictSchemaId).pathname, verdictSchemaPath);
});

test('the canned verdicts of the pages fit it', () => {
  for (const each of [verdict, different, edited]) assertPublished(each);
});
