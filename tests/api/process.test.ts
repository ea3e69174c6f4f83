// The api as a process: its configuration, its address, a port that is taken, a database that goes away, its end.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { buildApp } from '@retraind/api/app';
import { LiveFiles } from '@retraind/api/live-files';
import { EventStreams } from '@retraind/api/sse';
import { ArtifactStore } from '@retraind/host/artifacts';
import { openDatabase } from '@retraind/prisma/client';
import * as tokens from '@retraind/prisma/store/tokens';
import { WorldMemory } from '@retraind/prisma/store/world-memory';
import { defaultPolicy, nodeSilenceSeconds } from '@retraind/shared/policy/world';
import { withDatabase } from '../support/database.ts';

const { url, db } = await withDatabase();
const folder = mkdtempSync(join(tmpdir(), 'retraind-api-process-'));
writeFileSync(join(folder, 'token'), 'token-from-a-file\n', { mode: 0o600 });
const children = new Set<ChildProcess>();
after(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

interface Line {
  msg: string;
  address?: string;
  code?: string;
  hint?: string;
}

function start(environment: Record<string, string>, ...words: string[]) {
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', fileURLToPath(new URL('../../apps/api/src/main.ts', import.meta.url)), ...words],
    {
      // A folder without tsconfig: the pages must not depend on where the program is started.
      cwd: fileURLToPath(new URL('../../apps', import.meta.url)),
      env: {
        PATH: process.env.PATH,
        DATABASE_URL: url,
        RETRAIND_ARTIFACTS: join(folder, 'artifacts'),
        RETRAIND_LISTEN: '127.0.0.1:0',
        RETRAIND_ADMIN_TOKEN_FILE: join(folder, 'token'),
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  children.add(child);
  const lines: string[] = [];
  const watchers = new Set<() => void>();
  let errors = '';
  child.stderr.on('data', (part) => {
    errors += part;
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    for (const watch of watchers) watch();
  });
  const exit = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  return {
    child,
    exit,
    lines,
    errors: () => errors,
    /** The first line with this message. */
    line: (msg: string) =>
      new Promise<Line>((resolve, reject) => {
        const look = () => {
          const found = lines
            .filter((line) => line.startsWith('{'))
            .map((line) => JSON.parse(line) as Line)
            .find((line) => line.msg === msg);
          if (found) resolve(found);
        };
        watchers.add(look);
        look();
        void exit.then((code) =>
          reject(new Error(`ended with ${code} before “${msg}”: ${lines.join('\n')}${errors}`)),
        );
      }),
  };
}

test('it tells its address, keeps only the hash of its token, serves pages, and ends on SIGTERM', async () => {
  const api = start({});
  const { address } = await api.line('listening');
  assert.match(address!, /^http:\/\/127\.0\.0\.1:\d+$/);
  assert.equal((await tokens.find(db, 'token-from-a-file'))?.role, 'admin');
  const stored = await db.token.findMany();
  assert.ok(!JSON.stringify(stored).includes('token-from-a-file'));
  const page = await fetch(`${address}/`);
  assert.equal(page.status, 200);
  assert.match(await page.text(), /^<!doctype html>/);
  api.child.kill('SIGTERM');
  assert.equal(await api.exit, 0);
});

test('a port that is taken is told with the cure', async () => {
  const squatter = createServer();
  const port = await new Promise<number>((resolve) =>
    squatter.listen(0, '127.0.0.1', () => resolve((squatter.address() as { port: number }).port)),
  );
  const api = start({ RETRAIND_LISTEN: `127.0.0.1:${port}` });
  assert.equal(await api.exit, 1);
  squatter.close();
  const last = JSON.parse(api.lines.at(-1)!) as Line;
  assert.equal(last.code, 'port-in-use');
  assert.match(last.msg, new RegExp(`127\\.0\\.0\\.1:${port}`));
  assert.match(last.hint!, /RETRAIND_LISTEN/);
});

test('faults of the configuration are told all together, and --check-config starts nothing', async () => {
  const faulty = start({ RETRAIND_LISTEN: 'here', RETRAIND_LEASE_SECONDS: 'soon', RETRAIND_ODD: '1' });
  assert.equal(await faulty.exit, 2);
  for (const name of ['RETRAIND_LISTEN', 'RETRAIND_LEASE_SECONDS', 'RETRAIND_ODD']) {
    assert.ok(faulty.errors().includes(name), name);
  }
  const sound = start({}, '--check-config');
  assert.equal(await sound.exit, 0);
  assert.ok(!sound.lines.some((line) => line.includes('listening')));
});

test('a start without a database ends with one line', async () => {
  const api = start({ DATABASE_URL: url.replace(/\/test_[0-9a-f]+/, '/test_nowhere') });
  assert.equal(await api.exit, 10);
  assert.equal((JSON.parse(api.lines.at(-1)!) as Line).code, 'database-unavailable');
});

test('a database that goes away is 503 with the cure, for programs and browsers', async () => {
  const away = openDatabase('postgresql://nobody@127.0.0.1:1/none');
  const app = await buildApp({
    db: away,
    artifacts: new ArtifactStore(folder),
    live: new LiveFiles(folder),
    streams: new EventStreams(),
    leaseSeconds: 20,
    heartbeatSeconds: 5,
    gramsPerKwh: null,
    memory: new WorldMemory(defaultPolicy, nodeSilenceSeconds),
    graceSeconds: 30,
  });
  for (const path of ['/api/v1/jobs', '/api/v1/runs', '/api/v1/packages/x', '/readyz', '/']) {
    const { statusCode, headers, body } = await app.inject(path);
    assert.equal(statusCode, 503, `${path}: ${body}`);
    assert.equal(JSON.parse(body).type, '/problems/database-unavailable');
    assert.equal(headers['retry-after'], '2');
  }
  assert.equal((await app.inject('/healthz')).statusCode, 200);
  const page = await app.inject({ url: '/', headers: { accept: 'text/html' } });
  assert.match(page.body, /The database does not answer/);
  await app.close();
  await away.$disconnect();
});
