// Verdicts, what is known of a file, people's tokens, suites.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ModelVerdict, Rung } from '@retraind/shared/verdict/evidence';
import { Problem } from '@retraind/shared/wire/problems';
import { withDatabase } from '../../tests/support/database.ts';
import { leaseRun, makeJob, resultOf, sha256Of } from '../../tests/support/scenario.ts';
import * as audit from './audit.ts';
import * as models from './models.ts';
import * as runs from './runs.ts';
import * as suites from './suites.ts';
import * as tokens from './tokens.ts';
import * as verdicts from './verdicts.ts';

const { db } = await withDatabase();

const verdictOf = (model: string, rung: Rung, k: number): ModelVerdict => ({
  model,
  rung,
  sentence: `${model} is ${rung}`,
  k,
  seeds: Array.from({ length: k }, (_, i) => i + 1),
  shipped: { sha256: sha256Of('shipped'), tensorSha256: null },
  retrains: [],
  registered: { recipeSha256: sha256Of('recipe'), at: '2026-11-22T09:00:00.000Z', by: 'farm' },
  margin: 0.01,
  metric: { name: 'accuracy', shipped: 0.85, retrains: [0.84, 0.86], mean: 0.85, sd: 1 / 3 },
  tests: [],
  familyP: 1e-300,
  alpha: 0.01,
  churnRatio: null,
  bounds: [],
  alarms: [],
  limits: ['a determined attacker beats statistics'],
  taints: [],
  reasons: [],
  moreRuns: k < 5 ? 5 - k : 0,
});

test('the newest verdict of each model counts, earlier looks are kept, the same one is stored once', async () => {
  const { jobId } = await makeJob(db);
  const three = [verdictOf('b', 'inconclusive', 3), verdictOf('a', 'inconclusive', 3)];
  await Promise.all([verdicts.put(db, jobId, three), verdicts.put(db, jobId, three)]);
  await verdicts.put(db, jobId, [verdictOf('b', 'statistically-equivalent', 5)]);
  const newest = (await verdicts.ofJob(db, jobId)).map(({ verdict }) => [
    verdict.model,
    verdict.rung,
    verdict.k,
  ]);
  assert.deepEqual(newest, [
    ['a', 'inconclusive', 3],
    ['b', 'statistically-equivalent', 5],
  ]);
  assert.deepEqual(
    (await verdicts.historyOf(db, jobId, 'b')).map(({ verdict }) => verdict.k),
    [3, 5],
  );
  const [stored] = await verdicts.historyOf(db, jobId, 'b');
  assert.deepEqual(stored?.verdict, three[0], 'the document comes back as it was, digits and all');
});

test('a verdict of a rung that is none is refused by the database', async () => {
  const { jobId } = await makeJob(db);
  await assert.rejects(verdicts.put(db, jobId, [verdictOf('a', 'trusted' as Rung, 3)]), /verdict_rung_known/);
});

test('a file is known by its digest: verdicts, runs that made it, runs that had it as reference', async () => {
  const { holder, job } = await leaseRun(db);
  await runs.report(db, { ...holder, outcome: resultOf('the bytes') });
  const seen = { runId: holder.runId, jobId: job.jobId, model: 'tiny' };
  assert.deepEqual((await models.bySha256(db, sha256Of('the bytes'))).madeBy, [seen]);
  const shipped = await models.bySha256(db, sha256Of('shipped'));
  assert.deepEqual(shipped.referenceOf, [seen]);
  assert.ok(shipped.verdicts.length >= 1);
  assert.deepEqual(await models.bySha256(db, sha256Of('unheard of')), {
    verdicts: [],
    madeBy: [],
    referenceOf: [],
  });
});

test('a token is known by its hash alone, until it is revoked', async () => {
  await tokens.put(db, 'secret', { name: 'ada', role: 'admin' });
  assert.deepEqual(await tokens.find(db, 'secret'), {
    name: 'ada',
    role: 'admin',
    suites: [],
    sources: [],
  });
  assert.equal(await tokens.find(db, 'Secret'), null);
  const rows = await db.$queryRaw<{ row: string }[]>`SELECT token::text AS row FROM token`;
  assert.ok(rows.every(({ row }) => !row.includes('secret')));
  await tokens.revoke(db, 'ada', { actor: 'ada', reason: 'lost' });
  assert.equal(await tokens.find(db, 'secret'), null);
});

test('a failed reading of an index keeps the last good one', async () => {
  await suites.add(db, { name: 'forky', sources: 'Types: deb\n', intakeSeconds: 60 }, 'ada');
  await suites.noteIndex(db, 'forky', { digest: 'd1', date: new Date(0) });
  await suites.noteIndex(db, 'forky', { problem: 'timed out' });
  const suite = await suites.byName(db, 'forky');
  assert.deepEqual(
    [suite?.indexDigest, suite?.indexDate, suite?.indexProblem],
    ['d1', new Date(0), 'timed out'],
  );
  await assert.rejects(suites.noteIndex(db, 'none', { problem: 'x' }), (error) => error instanceof Problem);
});

test('the audit cannot be rewritten', async () => {
  await audit.note(db, { actor: 'ada', deed: 'test', subject: 'suite:sid', reason: 'to see' });
  await assert.rejects(db.audit.updateMany({ data: { actor: 'eve' } }), /rows are kept/);
  await assert.rejects(db.audit.deleteMany(), /rows are kept/);
  await assert.rejects(db.$executeRaw`DELETE FROM job`, /rows are kept/);
});
