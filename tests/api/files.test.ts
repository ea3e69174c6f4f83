// Artifacts, logs and metrics over HTTP: ranges, tails, caching, and the log as it grows.
import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { test } from 'node:test';
import * as runs from '@retraind/prisma/store/runs';
import { breakageOf, sha256Of } from '../support/scenario.ts';
import { startFarm } from './farm-server.ts';

const server = await startFarm();

test('an artifact comes whole, in part, or not at all when it is known', async () => {
  const text = '0123456789';
  const { sha256 } = await server.farm.artifacts.putText(text);
  const path = `/api/v1/artifacts/${sha256}`;
  const whole = await server.ask<string>('GET', path);
  assert.equal(whole.body, text);
  assert.equal(whole.headers.get('etag'), `"${sha256}"`);
  assert.match(whole.headers.get('cache-control')!, /immutable/);
  assert.equal(whole.headers.get('content-disposition'), `attachment; filename="${sha256}"`);
  assert.equal(whole.headers.get('x-content-type-options'), 'nosniff');
  assert.match(whole.headers.get('content-security-policy')!, /sandbox/);

  const head = await server.ask('HEAD', path);
  assert.equal(head.headers.get('content-length'), '10');
  const ranged = (range: string, more: Record<string, string> = {}) =>
    server.ask<string>('GET', path, { headers: { range, ...more } });
  const part = await ranged('bytes=2-4');
  assert.deepEqual([part.status, part.body, part.headers.get('content-range')], [206, '234', 'bytes 2-4/10']);
  assert.equal((await ranged('bytes=-3')).body, '789');
  assert.equal((await ranged('bytes=2-4', { 'if-range': '"other"' })).body, text);
  const outside = await ranged('bytes=99-');
  assert.deepEqual([outside.status, outside.headers.get('content-range')], [416, 'bytes */10']);
  assert.equal((await server.ask('GET', path, { headers: { 'if-none-match': `"${sha256}"` } })).status, 304);
  assert.equal((await server.ask('GET', `/api/v1/artifacts/${'0'.repeat(64)}`)).status, 404);
  assert.equal((await server.ask('HEAD', `/api/v1/artifacts/${'0'.repeat(64)}`)).status, 404);
  assert.equal((await server.ask('GET', '/api/v1/artifacts/..%2f..%2fetc%2fpasswd')).status, 400);
});

test('bytes that have another digest than was said are refused, and nothing is kept', async () => {
  const key = await server.enrol('liar');
  const lease = await server.lease(key);
  const { farmConnection } = await import('@retraind/worker/farm-connection');
  const ask = farmConnection({ api: server.address, key, patienceSeconds: 0 });
  const sha256 = sha256Of('what was said');
  const open = () => new Response('something else').body as ReadableStream;
  await assert.rejects(
    ask({
      method: 'PUT',
      path: `/api/v1/artifacts/${sha256}?runId=${lease.runId}&leaseEpoch=${lease.leaseEpoch}`,
      stream: { open, sha256, bytes: 14 },
    }),
    { code: 'digest-mismatch' },
  );
  assert.equal(await server.farm.artifacts.has(sha256), false);
  assert.equal(await server.farm.artifacts.has(sha256Of('something else')), false);
});

test('an upload that breaks off keeps nothing', async () => {
  const key = await server.enrol('cut');
  const lease = await server.lease(key);
  const { farmConnection } = await import('@retraind/worker/farm-connection');
  const ask = farmConnection({ api: server.address, key, patienceSeconds: 0 });
  const sha256 = sha256Of('whole file');
  const open = () =>
    new ReadableStream({
      start(controller) {
        controller.enqueue(Buffer.from('whole '));
        controller.error(new Error('the disk was pulled'));
      },
    });
  const path = `/api/v1/artifacts/${sha256}?runId=${lease.runId}&leaseEpoch=${lease.leaseEpoch}`;
  await assert.rejects(ask({ method: 'PUT', path, stream: { open, sha256, bytes: 10 } }));
  assert.equal(await server.farm.artifacts.has(sha256), false);
});

test('a log: nothing yet, a range, its last lines, an earlier lease', async () => {
  const key = await server.enrol('logger');
  const lease = await server.lease(key);
  const path = `/api/v1/runs/${lease.runId}/log`;
  assert.equal((await server.ask<string>('GET', path)).body, '');
  const client = server.client(key, lease);
  await client.appendLog(Array.from({ length: 100 }, (_, line) => `line ${line} größe\n`).join(''));
  const tail = await server.ask<string>('GET', `${path}?tail=2`);
  assert.equal(tail.body, 'line 98 größe\nline 99 größe\n');
  assert.equal((await server.ask<string>('GET', `${path}?tail=1000`)).body.split('\n').length, 101);
  const part = await server.ask<string>('GET', path, { headers: { range: 'bytes=0-5' } });
  assert.deepEqual([part.status, part.body], [206, 'line 0']);
  assert.equal(part.headers.get('content-type'), 'text/plain; charset=utf-8');
  assert.match(part.headers.get('content-security-policy')!, /sandbox/);

  await runs.giveBack(server.db, { ...lease, outcome: 'lost', blame: 'node', detail: 'silent' });
  // A lost run may have to wait; here it need not.
  await server.db.$executeRaw`UPDATE run SET not_before = NULL WHERE run_id = ${lease.runId}`;
  const epoch = await runs.lease(server.db, {
    runId: lease.runId,
    nodeId: key.nodeId,
    slot: 0,
    leaseSeconds: 60,
  });
  assert.equal(epoch, 2);
  assert.equal((await server.ask<string>('GET', path)).body, '', 'a new lease, a new log');
  const first = await server.ask<string>('GET', `${path}?leaseEpoch=1&tail=1`);
  assert.equal(first.body, 'line 99 größe\n');
  assert.equal(first.headers.get('lease-epoch'), '1');
  assert.equal((await server.ask('GET', `${path}?leaseEpoch=9`)).status, 404);
  assert.equal((await server.ask('GET', '/api/v1/runs/nosuchrun/log')).status, 404);
});

interface Heard {
  event: string;
  id: string;
  data: { text?: string; state?: string };
}

/** Follows an event stream until `end`, or until `enough` says so. */
function follow(path: string, headers: Record<string, string>, enough: (all: Heard[]) => boolean) {
  const heard: Heard[] = [];
  return new Promise<Heard[]>((resolve, reject) => {
    const request = httpRequest(server.address + path, { headers }, (response) => {
      assert.equal(response.headers['content-type'], 'text/event-stream; charset=utf-8');
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
        const blocks = text.split('\n\n');
        text = blocks.pop()!;
        for (const block of blocks) {
          const fields = new Map(
            block.split('\n').map((line) => {
              const [name, value] = line.split(/: (.*)/s);
              return [name!, value ?? ''] as const;
            }),
          );
          if (!fields.has('event')) continue;
          heard.push({
            event: fields.get('event')!,
            id: fields.get('id')!,
            data: JSON.parse(fields.get('data')!),
          });
          if (enough(heard)) request.destroy();
        }
      });
      response.on('close', () => resolve(heard));
    });
    request.on('error', (error) => (heard.length > 0 ? resolve(heard) : reject(error)));
    request.end();
  });
}

const textOf = (heard: Heard[]) => heard.map(({ data }) => data.text ?? '').join('');

test('a log is followed as it grows, from where a reader was, to its end', async () => {
  const key = await server.enrol('followed');
  const lease = await server.lease(key);
  const client = server.client(key, lease);
  await client.appendLog('one\n');
  const path = `/api/v1/runs/${lease.runId}/log?follow=true`;
  const whole = follow(path, {}, () => false);
  const part = await follow(path, {}, (all) => textOf(all) === 'one\n');
  assert.deepEqual(
    part.map(({ event, id }) => [event, id]),
    [['log', '1:4']],
  );
  await client.appendLog('zwei ✓\n');
  const resumed = follow(path, { 'last-event-id': part[0]!.id }, () => false);
  await client.appendLog('three\n');
  await client.report(breakageOf('recipe'));
  assert.equal(textOf(await whole), 'one\nzwei ✓\nthree\n');
  const rest = await resumed;
  assert.equal(textOf(rest), 'zwei ✓\nthree\n');
  assert.equal(rest.at(-1)!.event, 'end');
  assert.equal(rest.at(-1)!.data.state, 'broken');
  const late = await follow(`${path}&from=1:4`, {}, () => false);
  assert.equal(textOf(late), 'zwei ✓\nthree\n', 'also after the end');
});
