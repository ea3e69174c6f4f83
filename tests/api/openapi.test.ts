// The description of the API is whole, valid by its own rules, stable, and what docs/reference/http.md is made from.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { buildApp } from '@retraind/api/app';
import { httpReference } from '@retraind/api/http-reference';
import { problemTable } from '@retraind/shared/wire/problems';
import { startFarm } from './farm-server.ts';

const server = await startFarm();

interface Operation {
  summary?: string;
  tags?: string[];
  parameters?: { name: string; in: string }[];
  responses: Record<string, unknown>;
  security?: unknown[];
  requestBody?: unknown;
}
interface OpenApi {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, unknown>; securitySchemes: Record<string, unknown> };
}

const { body: document } = await server.ask<OpenApi>('GET', '/openapi.json');
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
);

test('a route without a schema stops the start; all that are there are described', async () => {
  const app = await buildApp(server.farm);
  assert.throws(() => app.get('/undescribed', async () => ''), /GET \/undescribed has no schema/);
  await app.close();
  assert.ok(operations.length > 25);
});

test('the document is OpenAPI 3.1: each operation is whole, each path parameter declared, each reference there', () => {
  assert.equal(document.openapi, '3.1.0');
  for (const { path, method, operation } of operations) {
    const name = `${method} ${path}`;
    assert.ok(operation.summary, name);
    assert.ok(operation.tags?.length, name);
    assert.ok(
      Object.keys(operation.responses).some((code) => code.startsWith('2')),
      name,
    );
    assert.ok(operation.responses['4XX'], name);
    const wanted = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
    const declared = (operation.parameters ?? []).filter((one) => one.in === 'path').map((one) => one.name);
    assert.deepEqual(declared, wanted, name);
    const changes = method === 'post' || method === 'put';
    assert.equal(operation.security !== undefined, changes || /\/(assignment|tokens)$/.test(path), name);
    if (method === 'post') assert.ok(operation.requestBody, name);
  }
  const text = JSON.stringify(document);
  const references = new Set(
    [...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map((match) => match[1]!),
  );
  for (const name of references) assert.ok(document.components.schemas[name], name);
  for (const name of [
    'Job',
    'Run',
    'Package',
    'Version',
    'Node',
    'Verdict',
    'ModelKnown',
    'Problem',
    'Report',
  ]) {
    assert.ok(references.has(name), `${name} is used by reference`);
  }
});

test('the document does not change from one asking to the next', async () => {
  const again = await server.ask<OpenApi>('GET', '/openapi.json');
  assert.deepEqual(again.body, document);
  const { etag } = Object.fromEntries(again.headers);
  assert.equal(
    (await server.ask('GET', '/openapi.json', { headers: { 'if-none-match': etag! } })).status,
    304,
  );
});

test('answers are what the document says', async () => {
  // One of each kind that needs no rows; the other files read the typed bodies.
  for (const path of [
    '/api/v1/jobs',
    '/api/v1/runs',
    '/api/v1/nodes',
    '/api/v1/suites',
    '/healthz',
    '/readyz',
  ]) {
    const { status, headers } = await server.ask('GET', path);
    assert.equal(status, 200, path);
    assert.match(headers.get('content-type')!, /^application\/json/, path);
  }
  const { body } = await server.ask<string>('GET', '/metrics');
  assert.match(
    body,
    /retraind_api_request_seconds_count\{method="GET",route="\/api\/v1\/jobs",status="200"\} 1/,
  );
});

test('docs/reference/http.md is what the document says (mend: node --import tsx apps/api/src/write-http-reference.ts)', () => {
  const path = new URL('../../docs/reference/http.md', import.meta.url);
  assert.equal(readFileSync(path, 'utf8'), httpReference(document as never));
  for (const code of Object.keys(problemTable))
    assert.ok(readFileSync(path, 'utf8').includes(`\`${code}\``), code);
});
