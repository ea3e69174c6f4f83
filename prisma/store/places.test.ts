// Places of runs in the database: asked for again and again there is one live run each, and rows that make no sense are refused.
import assert from 'node:assert/strict';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type RunPlace, retrainPlaces } from '@retraind/shared/job/run-place';
import pg from 'pg';
import { withDatabase } from '../../tests/support/database.ts';
import { execute } from '../../tests/support/postgres-server.ts';
import { breakageOf, makeJob, makeNode, resultOf } from '../../tests/support/scenario.ts';
import { migrate, migrationsFolder } from '../migrate.ts';
import * as runs from './runs.ts';

const { db, url } = await withDatabase();

const declared = (numerics: number, repeat = 0): RunPlace => ({
  purpose: 'rerun',
  seedIndex: 0,
  declaredSeed: 77,
  numerics,
  repeat,
});
const dependence: RunPlace = { ...declared(0), purpose: 'dependence' };
const withheld = [{ dataset: 'd', path: 'x.gz', records: 20, withheld: 2 }];

/** Leases a run and returns what its worker needs to report. */
const lease = async (runId: string) => {
  const { nodeId } = await makeNode(db, 1);
  const leaseEpoch = await runs.lease(db, { runId, nodeId, slot: 0, leaseSeconds: 60 });
  assert.ok(leaseEpoch !== null);
  await runs.heartbeat(db, { runId, leaseEpoch, nodeId, step: 'train', progress: null, leaseSeconds: 60 });
  return { runId, leaseEpoch, nodeId };
};

test('places asked for twice are made once, in the order in which they are asked for', async () => {
  const { jobId } = await makeJob(db);
  const places = [...retrainPlaces(1), declared(0), declared(1), declared(0, 1), dependence];
  const made = await runs.add(db, jobId, places);
  assert.equal(made.length, 5);
  assert.deepEqual(await runs.add(db, jobId, [...places, ...places]), []);
  const all = await runs.ofJob(db, jobId);
  assert.deepEqual(
    all.map(({ purpose, seedIndex, declaredSeed, numerics, repeat }) => [
      purpose,
      declaredSeed ?? seedIndex,
      numerics,
      repeat,
    ]),
    [
      ['rerun', 77, 0, 0],
      ['rerun', 77, 0, 1],
      ['rerun', 77, 1, 0],
      ['dependence', 77, 0, 0],
      ['retrain', 1, 0, 0],
    ],
  );
});

test('schedulers that ask at once make one run each', async () => {
  const { jobId } = await makeJob(db);
  const places = [...retrainPlaces(2), declared(0)];
  const made = await Promise.all(Array.from({ length: 6 }, () => runs.add(db, jobId, places)));
  assert.equal(made.flat().length, 3);
});

test('a dependence run that the recipe refuses leaves the job as it is, and is not made again', async () => {
  const { jobId } = await makeJob(db);
  const [first, second] = await runs.add(db, jobId, [...retrainPlaces(1), dependence]);
  const end = await runs.report(db, { ...(await lease(second!)), outcome: breakageOf('recipe') });
  assert.deepEqual([end.run, end.job], ['broken', 'retraining']);
  assert.deepEqual(await runs.add(db, jobId, [dependence]), []);
  // The same of a retrain is the recipe's fault.
  const failed = await runs.report(db, { ...(await lease(first!)), outcome: breakageOf('recipe') });
  assert.deepEqual([failed.run, failed.job], ['broken', 'attempted']);
});

test('a dependence run reports what was withheld, a declared seed is the one that was trained', async () => {
  const { jobId } = await makeJob(db);
  const [shortened, again] = await runs.add(db, jobId, [dependence, declared(1)]);
  const holder = await lease(shortened!);
  const outcome = { ...resultOf('bytes'), seed: 77 };
  await assert.rejects(runs.report(db, { ...holder, outcome }), /run_dependence_says_withheld/);
  await runs.report(db, { ...holder, outcome: { ...outcome, withheld } });
  assert.deepEqual((await runs.byId(db, shortened!))!.withheld, withheld);
  const other = await lease(again!);
  await assert.rejects(
    runs.report(db, { ...other, outcome: { ...outcome, seed: 78 } }),
    /run_seed_as_declared/,
  );
  await assert.rejects(
    runs.report(db, { ...other, outcome: { ...outcome, withheld } }),
    /run_withheld_of_dependence/,
  );
});

test('rows that make no sense are refused', async () => {
  const { jobId } = await makeJob(db);
  const row = { runId: 'abcdefghijkl', jobId, purpose: 'retrain', seedIndex: 1 };
  const cases: [object, RegExp][] = [
    [{ ...row, purpose: 'rehearsal' }, /run_purpose_known/],
    [{ ...row, seedIndex: 0 }, /run_declared_iff_no_index|run_retrain_is_fresh/],
    [{ ...row, purpose: 'rerun', declaredSeed: 7 }, /run_declared_iff_no_index/],
    [{ ...row, numerics: 1 }, /run_retrain_is_fresh/],
    [{ ...row, repeat: 1 }, /run_retrain_is_fresh/],
    [{ ...row, purpose: 'rerun', numerics: -1 }, /run_numerics_natural/],
  ];
  for (const [data, constraint] of cases) {
    await assert.rejects(db.run.create({ data: data as typeof row }), constraint);
  }
});

test('migrations keep what was: reruns become reruns, final ones too, and drained nodes stay so', async () => {
  const own = new URL(url).pathname.slice(1);
  await execute(url, `CREATE DATABASE ${own}_old`);
  const old = url.replace(`/${own}?`, `/${own}_old?`);
  const folder = await mkdtemp(join(tmpdir(), 'retraind-old-'));
  try {
    await cp(join(migrationsFolder, '0001_farm'), join(folder, '0001_farm'), { recursive: true });
    await migrate(old, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const client = new pg.Client({ connectionString: old });
  await client.connect();
  try {
    await client.query(`
      INSERT INTO suite (name, sources, intake_seconds) VALUES ('sid', '', 60);
      INSERT INTO source_version (suite, source, version) VALUES ('sid', 'toy', '1');
      INSERT INTO job (job_id, suite, source, version, requested_by, demand)
        VALUES ('jobjobjobjob', 'sid', 'toy', '1', 'ada', '{}');
      INSERT INTO run (run_id, job_id, seed_index, rerun, state, ended_at) VALUES
        ('runrunrunrun', 'jobjobjobjob', 1, 0, 'waiting', NULL),
        ('runrunrunru2', 'jobjobjobjob', 1, 1, 'cancelled', now());
      INSERT INTO node (node_id, public_key, name, class, slots, approved_at, drained_at, drain_reason) VALUES
        ('0000000000000001', '', 'a', 'amd64', 1, NULL, NULL, NULL), ('0000000000000002', '', 'b', 'amd64', 1, now(), NULL, NULL),
        ('0000000000000003', '', 'c', 'amd64', 1, now(), now(), 'dust');`);
    assert.equal((await migrate(old))[0], '0002_run_purpose');
    const { rows } = await client.query('SELECT purpose, seed_index, repeat FROM run ORDER BY purpose');
    assert.deepEqual(rows, [
      { purpose: 'rerun', seed_index: 1, repeat: 0 },
      { purpose: 'retrain', seed_index: 1, repeat: 0 },
    ]);
    const nodes = await client.query('SELECT state, state_reason FROM node ORDER BY node_id');
    assert.deepEqual(nodes.rows.map(Object.values), [
      ['pending', ''],
      ['approved', ''],
      ['drained', 'dust'],
    ]);
    await assert.rejects(client.query("UPDATE run SET repeat = 3 WHERE state = 'cancelled'"), /is final/);
  } finally {
    await client.end();
  }
});
