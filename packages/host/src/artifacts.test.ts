import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, test } from 'node:test';
import { Problem } from '@retraind/shared/wire/problems';
import { ArtifactStore } from './artifacts.ts';
import { appendLive, liveFilePath } from './live-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'retraind-artifacts-'));
const store = new ArtifactStore(folder);
const leftovers = () => readdirSync(join(folder, 'tmp'));
after(() => rm(folder, { recursive: true }));

const code = (expected: string) => (error: unknown) => error instanceof Problem && error.code === expected;

test('bytes come back by their digest, whole and in part', async () => {
  const text = 'retrain'.repeat(100_000);
  const ref = await store.put(Readable.from([Buffer.from(text)]));
  assert.equal(ref.sha256, createHash('sha256').update(text).digest('hex'));
  assert.equal(ref.bytes, text.length);
  assert.equal((await store.readWhole(ref.sha256)).toString(), text);
  const part: Buffer[] = [];
  for await (const chunk of await store.read(ref.sha256, { start: 7, end: 13 })) part.push(chunk as Buffer);
  assert.equal(Buffer.concat(part).toString(), 'retrain');
});

test('another digest than was said is refused and nothing stays', async () => {
  const put = store.put(Readable.from([Buffer.from('x')]), { expectedSha256: '0'.repeat(64) });
  await assert.rejects(put, code('digest-mismatch'));
  assert.deepEqual(leftovers(), []);
  assert.equal(await store.has('0'.repeat(64)), false);
});

test('too much, and a source that breaks off, leave nothing', async () => {
  await assert.rejects(store.put(Readable.from([Buffer.alloc(11)]), { maxBytes: 10 }), code('too-large'));
  const broken = (async function* () {
    yield Buffer.from('half');
    throw new Error('cut');
  })();
  await assert.rejects(store.put(broken), /cut/);
  assert.deepEqual(leftovers(), []);
});

test('what is no digest never becomes a path', async () => {
  assert.throws(() => store.pathOf('../../etc/passwd'), code('invalid-request'));
  await assert.rejects(store.read('f'.repeat(64)), code('not-found'));
});

test('chunks of a live file: repeats are harmless, gaps and floods are refused', async () => {
  const path = liveFilePath(folder, 'run1', 2, 'log');
  assert.equal(await appendLive(path, 0, 'eins\n', 100), 5);
  assert.equal(await appendLive(path, 0, 'eins\n', 100), 5);
  assert.equal(await appendLive(path, 3, 's\nzwei\n', 100), 10);
  await assert.rejects(appendLive(path, 11, 'x', 100), code('conflict'));
  await assert.rejects(appendLive(path, 10, 'x'.repeat(91), 100), code('too-large'));
  assert.equal(readFileSync(path, 'utf8'), 'eins\nzwei\n');
  assert.throws(() => liveFilePath(folder, '../x', 1, 'log'), code('invalid-request'));
});
