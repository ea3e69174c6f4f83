// The embedded PostgreSQL as a farm has it: root or not, whatever is killed.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openDatabase } from '@retraind/prisma/client';
import { createPostgresBackend, Queue, runMigrations, Worker } from 'bullmq';
import pg from 'pg';
import { preparePostgres } from './postgres.ts';
import { Supervisor } from './supervise.ts';

const folders: string[] = [];
after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

/** A folder that nobody else may enter, as root's home is. */
const privateFolder = async (): Promise<string> => {
  const folder = await mkdtemp('/tmp/retraind-postgres-test-');
  await chmod(folder, 0o700);
  folders.push(folder);
  return folder;
};

test('one URL serves pg, Prisma and both ends of BullMQ, from a folder that only we may enter', async () => {
  const postgres = await preparePostgres(`${await privateFolder()}/deep/postgres`);
  const supervisor = new Supervisor({ line: () => undefined, died: () => undefined });
  try {
    await supervisor.start(postgres.program);
    const url = postgres.urlOf('postgres');
    assert.ok(!url.includes('options='), 'BullMQ cannot take it');

    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const { rows } = await client.query(
      "SELECT 'ä' < 'z' AS utf8, current_setting('listen_addresses') AS tcp",
    );
    assert.deepEqual(rows, [{ utf8: false, tcp: '' }], 'C.UTF-8 order, no TCP');
    await runMigrations(client, 'bullmq');
    await client.end();

    const db = openDatabase(url);
    assert.deepEqual(await db.$queryRaw`SELECT 1 AS one`, [{ one: 1 }]);
    await db.$disconnect();

    const connection = { connectionString: url, schema: 'bullmq' };
    const queue = new Queue('node-x-slot-0', { connection }, createPostgresBackend);
    let ring = (_: unknown) => {};
    const rung = new Promise((resolve) => {
      ring = resolve;
    });
    const worker = new Worker(
      'node-x-slot-0',
      async (job) => ring(job.data),
      { connection },
      createPostgresBackend,
    );
    await queue.add('ring', { runId: 'r', leaseEpoch: 1 });
    assert.deepEqual(await rung, { runId: 'r', leaseEpoch: 1 });
    await worker.close();
    await queue.close();
  } finally {
    await supervisor.stop();
    await postgres.forget();
  }
});

test('a farm that is killed takes its PostgreSQL along, and the next one starts on the same data', async () => {
  const folder = await privateFolder();
  const file = (name: string) => JSON.stringify(fileURLToPath(new URL(name, import.meta.url)));
  const program = `
    const { preparePostgres } = await import(${file('postgres.ts')});
    const { Supervisor } = await import(${file('supervise.ts')});
    const postgres = await preparePostgres(${JSON.stringify(`${folder}/postgres`)});
    const supervisor = new Supervisor({ line: () => undefined, died: () => undefined });
    await supervisor.start(postgres.program);
    console.log(JSON.stringify({ pid: supervisor.pidOf('postgres'), url: postgres.urlOf('postgres') }));
  `;
  const startFarm = async () => {
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
      cwd: fileURLToPath(new URL('../../..', import.meta.url)),
    });
    for await (const line of createInterface({ input: child.stdout })) {
      return { child, ...(JSON.parse(line) as { pid: number; url: string }) };
    }
    throw new Error('the farm did not start');
  };
  const socketFolderOf = (url: string) => new URL(url).searchParams.get('host')!;

  const first = await startFarm();
  const client = new pg.Client({ connectionString: first.url });
  client.on('error', () => undefined); // it is cut off below
  await client.connect();
  await client.query('CREATE TABLE kept AS SELECT 7 AS seven');
  first.child.kill('SIGKILL');
  await once(first.child, 'exit');
  execFileSync('tail', [`--pid=${first.pid}`, '-f', '/dev/null'], { timeout: 30_000 }); // waits for its end
  await client.end().catch(() => undefined);

  const second = await startFarm();
  assert.ok(!existsSync(socketFolderOf(first.url)), 'the socket folder of the killed farm is gone');
  const again = new pg.Client({ connectionString: second.url });
  await again.connect();
  assert.deepEqual((await again.query('SELECT seven FROM kept')).rows, [{ seven: 7 }]);
  await again.end();
  second.child.kill('SIGKILL');
  await once(second.child, 'exit');
  execFileSync('tail', [`--pid=${second.pid}`, '-f', '/dev/null'], { timeout: 30_000 });
  await rm(socketFolderOf(second.url), { recursive: true, force: true });
});
