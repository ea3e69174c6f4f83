// A farm that cannot start says why in one line, with the cure, and leaves nothing running.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runCommand } from '@retraind/host/command';
import { takeLock } from '@retraind/host/file-lock';

const launcher = fileURLToPath(new URL('../../apps/cli/bin/retrain.mjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'retraind-farm-start-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const retrain = (...args: string[]) => runCommand(process.execPath, [launcher, ...args]);

test('a second farm on the same data prints the address of the first', async () => {
  const data = join(folder, 'taken');
  const unlock = await takeLock(join(data, 'lock'));
  writeFileSync(
    join(data, 'farm.json'),
    JSON.stringify({ address: 'http://127.0.0.1:4711', tokenFile: '/nowhere' }),
  );
  const { code, stderr } = await retrain('demo', '--data', data);
  await unlock();
  assert.equal(code, 1);
  assert.match(stderr, /http:\/\/127\.0\.0\.1:4711/);
});

test('an address that is taken is a clear error, and nothing stays behind', async () => {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as { port: number };
  const data = join(folder, 'port');
  const { code, stderr } = await retrain(
    'farm',
    '--data',
    data,
    '--listen',
    `127.0.0.1:${port}`,
    '--no-sandbox',
  );
  await new Promise((done) => server.close(done));
  assert.equal(code, 1);
  assert.match(stderr, /is taken by another program/);
  assert.match(stderr, /hint: .*--listen/);
  assert.equal(existsSync(join(data, 'farm.json')), false);
  assert.equal(existsSync(join(data, 'postgres/postmaster.pid')), false, 'the database still runs');
});

test('words that no verb takes are usage errors', async () => {
  for (const args of [
    ['frobnicate'],
    ['run'],
    ['status', '--nope'],
    ['run', 'examples/tiny', '--runs', 'many'],
  ]) {
    const { code, stderr } = await retrain(...args);
    assert.equal(code, 2, `${args.join(' ')}: ${stderr}`);
    assert.match(stderr, /^retrain: /);
  }
});

test('a farm that is not there is told apart', async () => {
  const { code, stderr } = await retrain('status', '--data', join(folder, 'none'));
  assert.equal(code, 10);
  assert.match(stderr, /retrain farm/);
});
