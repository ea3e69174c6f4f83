import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Problem } from '@retraind/shared/wire/problems';
import { takeLock, withLock } from './file-lock.ts';

const work = await mkdtemp(join(tmpdir(), 'retraind-lock-'));
after(() => rm(work, { recursive: true, force: true }));
const path = join(work, 'lock');
const conflict = (error: unknown) => error instanceof Problem && error.code === 'conflict';

test('one holder; readers share; let go, and the next has it', async () => {
  const letGo = await takeLock(path);
  await assert.rejects(takeLock(path, { waitSeconds: 0 }), conflict);
  await assert.rejects(takeLock(path, { waitSeconds: 0, shared: true }), conflict);
  await letGo();
  await withLock(
    path,
    () =>
      withLock(path, async () => assert.rejects(takeLock(path, { waitSeconds: 0 }), conflict), {
        shared: true,
      }),
    { shared: true },
  );
});

test('a holder killed with -9 leaves no lock', async () => {
  const source = `import { takeLock } from ${JSON.stringify(new URL('./file-lock.ts', import.meta.url).href)};
    await takeLock(${JSON.stringify(path)}); console.log('held'); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', source], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  await assert.rejects(takeLock(path, { waitSeconds: 0 }), conflict);
  child.kill('SIGKILL');
  await (await takeLock(path, { waitSeconds: 10 }))();
});
