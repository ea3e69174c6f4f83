// Schema, migrations and the domain's lists say the same; the runner is safe to call at once and refuses a broken past.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { energySources } from '@retraind/shared/gpu/device';
import { purposes } from '@retraind/shared/job/run-place';
import {
  blames,
  jobStates,
  leaseOutcomes,
  openJobStates,
  runStates,
  runSteps,
} from '@retraind/shared/job/states';
import { ledgerReasons } from '@retraind/shared/ledger/entry';
import { nodeStates } from '@retraind/shared/node/states';
import { roles } from '@retraind/shared/policy/roles';
import { releaseStates } from '@retraind/shared/release/plan';
import { rungs } from '@retraind/shared/verdict/evidence';
import { Problem } from '@retraind/shared/wire/problems';
import pg from 'pg';
import { withDatabase } from '../tests/support/database.ts';
import { execute } from '../tests/support/postgres-server.ts';
import { migrate, migrationsFolder } from './migrate.ts';
import { diffToSchema } from './schema-diff.ts';

const { db, url } = await withDatabase();
const ours = (await readdir(migrationsFolder)).filter((name) => /^\d{4}_/.test(name)).sort();

let folder = '';
before(async () => {
  folder = await mkdtemp('/tmp/retraind-migrations-');
});
after(() => rm(folder, { recursive: true, force: true }));

/** An empty database beside the test's own. */
const emptyDatabase = async (name: string): Promise<string> => {
  const own = new URL(url).pathname.slice(1);
  await execute(url, `CREATE DATABASE ${own}_${name}`);
  return url.replace(`/${own}?`, `/${own}_${name}?`);
};

const wordsOf = async (constraint: string): Promise<string[]> => {
  const [row] = await db.$queryRaw<{ text: string }[]>`
    SELECT pg_get_constraintdef(oid) AS text FROM pg_constraint WHERE conname = ${constraint}`;
  return [...(row?.text ?? '').matchAll(/'([^']+)'::text/g)].map((match) => match[1]!);
};

const lists: [string, readonly string[]][] = [
  ['job_state_known', jobStates],
  ['run_state_known', runStates],
  ['node_state_known', nodeStates],
  ['run_step_known', runSteps],
  ['run_purpose_known', purposes],
  ['run_blame_known', blames],
  ['lease_blame_known', blames],
  ['lease_outcome_known', leaseOutcomes],
  ['verdict_rung_known', rungs],
  ['token_role_known', roles],
  ['release_state_known', releaseStates],
  ['ledger_reason_known', ledgerReasons],
  ['lease_energy_known', energySources],
];
for (const [constraint, words] of lists) {
  test(`${constraint} is the list of the domain`, async () => {
    assert.deepEqual(await wordsOf(constraint), [...words]);
  });
}

test('one open job a wish: the index knows the open states of the domain', async () => {
  const [row] = await db.$queryRaw<{ text: string }[]>`
    SELECT indexdef AS text FROM pg_indexes WHERE indexname = 'job_one_open'`;
  const words = [...(row?.text ?? '').matchAll(/'([a-z-]+)'::text/g)].map((match) => match[1]!);
  assert.deepEqual(words, [...openJobStates]);
});

test('schema.prisma and a migrated database agree, and a difference would show', async () => {
  assert.match(await diffToSchema(url, 'database'), /^-- This is an empty migration/);
  const other = await emptyDatabase('drift');
  await migrate(other);
  await execute(other, 'ALTER TABLE job ADD COLUMN surprise text', 'ALTER TABLE run DROP COLUMN engine');
  const script = await diffToSchema(other, 'database');
  assert.match(script, /DROP COLUMN "surprise"/);
  assert.match(script, /ADD COLUMN +"engine"/);
});

test('many programs may migrate at once; each migration is applied once', async () => {
  const fresh = await emptyDatabase('many');
  const applied = await Promise.all(Array.from({ length: 4 }, () => migrate(fresh)));
  assert.deepEqual(applied.flat().sort(), ours);
  assert.deepEqual(await migrate(fresh), []);
});

const refusedWith = (part: RegExp) => (error: unknown) =>
  error instanceof Problem && error.code === 'conflict' && part.test(error.detail);

test('a migration that fails leaves nothing half-done, and the next start says so', async () => {
  const fresh = await emptyDatabase('broken');
  const broken = `${folder}/broken`;
  await mkdir(`${broken}/0001_bad`, { recursive: true });
  await writeFile(
    `${broken}/0001_bad/migration.sql`,
    'CREATE TABLE half (a int); SELECT no_such_function();',
  );
  await assert.rejects(migrate(fresh, broken), refusedWith(/0001_bad failed: .*no_such_function/));
  await assert.rejects(migrate(fresh, broken), refusedWith(/P3009/));
  const client = new pg.Client({ connectionString: fresh });
  await client.connect();
  const { rows } = await client.query("SELECT to_regclass('half') AS half, logs FROM _prisma_migrations");
  await client.end();
  assert.equal(rows[0].half, null);
  assert.match(rows[0].logs, /no_such_function/);
});

test('a migration that was edited, and one from the future, are refused', async () => {
  const fresh = await emptyDatabase('edited');
  const copy = `${folder}/edited`;
  await cp(migrationsFolder, copy, { recursive: true });
  await mkdir(`${copy}/9999_more`);
  await writeFile(`${copy}/9999_more/migration.sql`, 'CREATE TABLE more (a int)');
  assert.deepEqual(await migrate(fresh, copy), [...ours, '9999_more']);
  await assert.rejects(migrate(fresh), refusedWith(/9999_more is not known.*newer/));
  await writeFile(`${copy}/9999_more/migration.sql`, 'CREATE TABLE more (b int)');
  await assert.rejects(migrate(fresh, copy), refusedWith(/9999_more was edited/));
});

const program = fileURLToPath(new URL('migrate.ts', import.meta.url));
const runProgram = async (env: Record<string, string>) => {
  const child = spawn(process.execPath, ['--import', 'tsx', program], {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const texts = [child.stdout, child.stderr].map((stream) => stream.setEncoding('utf8').toArray());
  const [code] = await once(child, 'close');
  const [stdout, stderr] = (await Promise.all(texts)).map((parts) => parts.join(''));
  return { code, stdout, stderr };
};

test('as a program it migrates, and says what is wrong in one line', async () => {
  const fresh = await emptyDatabase('program');
  assert.deepEqual(await runProgram({ DATABASE_URL: fresh }), {
    code: 0,
    stdout: ours.map((name) => `applied ${name}\n`).join(''),
    stderr: '',
  });
  assert.deepEqual(await runProgram({}), { code: 2, stdout: '', stderr: 'DATABASE_URL is not set\n' });
});

test('a database out of reach is a Problem of its own', async () => {
  const nowhere = migrate('postgresql://nobody@localhost/x?host=/nowhere');
  await assert.rejects(nowhere, (error) => error instanceof Problem && error.code === 'database-unavailable');
});
