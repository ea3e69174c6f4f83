// What goes wrong, for real: the program itself in a process of its own, with the machine's part taken away.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { npmPackages } from './parts.ts';

const program = fileURLToPath(new URL('install-tfjs-node', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'retraind-test-'));
after(() => rmSync(work, { recursive: true, force: true }));

interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Not spawnSync: the servers of these tests live in this process. */
const start = (command: string, args: string[], env: Record<string, string> = {}): Promise<Ended> =>
  new Promise((resolve) => {
    const child = spawn(command, args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ended: Ended = { status: null, stdout: '', stderr: '' };
    child.stdout.on('data', (chunk) => (ended.stdout += chunk));
    child.stderr.on('data', (chunk) => (ended.stderr += chunk));
    child.on('close', (status) => resolve({ ...ended, status }));
  });

function assertTold({ status, stdout, stderr }: Ended, wanted: number, line: RegExp): void {
  assert.equal(status, wanted, stderr);
  assert.match(stderr, line);
  // The fault and its cure, and no stack.
  assert.doesNotMatch(stderr, /^\s+at /m);
  assert.match(stderr, /\n {2}\S.*\n$/);
  assert.equal(stdout, '');
}

let count = 0;
const freshFolder = (): string => join(work, `cache-${++count}`);

test('no C++ compiler: told before anything is fetched', async () => {
  const bin = join(work, 'bin');
  mkdirSync(bin);
  for (const [name, at] of [
    ['node', process.execPath],
    ['sh', '/bin/sh'],
    ['dirname', '/usr/bin/dirname'],
    ['readlink', '/usr/bin/readlink'],
  ] as const) {
    symlinkSync(at, join(bin, name));
  }
  const folder = freshFolder();
  const ended = await start(program, ['--cpu', '--folder', folder], { PATH: bin, CXX: '' });
  assertTold(ended, 4, /^install-tfjs-node: there is no C\+\+ compiler \(g\+\+\)\n {2}apt-get install g\+\+/);
  assert.deepEqual(readdirSync(folder), []);
});

test('a registry out of reach', async () => {
  const folder = freshFolder();
  const ended = await start(program, ['--cpu', '--folder', folder], {
    npm_config_registry: 'http://127.0.0.1:9/',
    npm_config_cache: join(work, 'npm-cache-1'),
  });
  assertTold(ended, 5, /npm cannot fetch @tensorflow\/tfjs-node 4\.22\.0: .*ECONNREFUSED/);
  assert.deepEqual(readdirSync(folder), []);
});

test('a registry that gives another package under the same name', async () => {
  const tarball = Buffer.from('not what was pinned');
  const { name, version } = npmPackages[0]!;
  const server = createServer((request, response) => {
    if (request.url!.endsWith('.tgz')) return void response.end(tarball);
    const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}/tfjs-node.tgz`;
    const dist = {
      tarball: at,
      integrity: `sha512-${createHash('sha512').update(tarball).digest('base64')}`,
    };
    response.end(
      JSON.stringify({
        name,
        'dist-tags': { latest: version },
        versions: { [version]: { name, version, dist } },
      }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const folder = freshFolder();
    const ended = await start(program, ['--cpu', '--folder', folder], {
      npm_config_registry: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
      npm_config_cache: join(work, 'npm-cache-2'),
    });
    assertTold(
      ended,
      7,
      /@tensorflow\/tfjs-node 4\.22\.0 has the integrity sha512-\S+, not sha512-uHrXeUlfgkMx/,
    );
    assert.deepEqual(readdirSync(folder), []);
  } finally {
    server.close();
  }
});

test('a tarball brought by --from is checked too', async () => {
  const from = join(work, 'brought');
  mkdirSync(from);
  writeFileSync(join(from, 'tensorflow-tfjs-node-4.22.0.tgz'), 'tampered');
  const ended = await start(program, ['--cpu', '--folder', freshFolder(), '--from', from]);
  assertTold(ended, 7, /has the integrity sha512-/);
});

test('a disk without room', async (context) => {
  const mine = ['--map-root-user', '--mount'];
  const trial = spawnSync('unshare', [...mine, 'mount', '-t', 'tmpfs', 'none', work]);
  if (trial.status !== 0) return context.skip('no mount namespace of our own here');
  const folder = freshFolder();
  mkdirSync(folder);
  const script = `mount -t tmpfs -o size=200m none '${folder}' && exec '${program}' --cpu --folder '${folder}'`;
  const ended = await start('unshare', [...mine, 'sh', '-c', script]);
  assertTold(ended, 6, /cache-\d+ has 0\.2 GB free, 1\.6 GB are needed/);
});

test('a folder that cannot be made', async () => {
  writeFileSync(join(work, 'file'), '');
  const ended = await start(program, ['--cpu', '--folder', join(work, 'file/cache')]);
  assertTold(ended, 6, /file\/cache cannot be written \(ENOTDIR\)/);
});

test('--check of what is not there, and of what was changed since', async () => {
  const folder = freshFolder();
  assertTold(await start(program, ['--check', '--folder', folder]), 10, /2\.21\.0-cpu-\w{12} is not there/);
});

test('an unknown option, two kinds at once', async () => {
  const unknown = await start(program, ['--gpu']);
  assert.equal(unknown.status, 2);
  assert.match(unknown.stderr, /Unknown option '--gpu'[\s\S]*usage: install-tfjs-node/);
  assertTold(await start(program, ['--cpu', '--cuda']), 2, /--cpu and --cuda are two installs/);
});
