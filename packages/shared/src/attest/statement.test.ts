import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ModelVerdict } from '../verdict/evidence.ts';
import { verdictSchema } from '../wire/verdict-schema.ts';
import { printStatement, provenanceStatement, type RunFacts, verdictStatement } from './statement.ts';

const run: RunFacts = {
  runId: 'r1',
  jobId: 'j1',
  leaseEpoch: 2,
  nodeId: '0123456789abcdef',
  source: 'anthy',
  version: '1:0.4-2',
  suite: 'bookworm',
  target: 'bootstrap',
  converters: [],
  jobSeed: '7',
  purpose: 'retrain',
  seedIndex: 1,
  seed: 42,
  numerics: 0,
  withheld: [],
  engine: 'gcc',
  taints: ['host-root'],
  devices: [],
  recipeSha256: 'a'.repeat(64),
  overlaySha256: 'b'.repeat(64),
  sourceFiles: [{ name: 'anthy_0.4-2.dsc', sha256: 'c'.repeat(64) }],
  datasets: [{ name: 'corpus', digest: 'd'.repeat(64) }],
  outputs: [{ path: 'corpus_info', sha256: 'e'.repeat(64) }],
  retraininfo: { name: 'anthy_0.4-2_r1.retraininfo', sha256: 'f'.repeat(64) },
  startedAt: new Date('2026-11-22T14:00:00Z'),
  resumedFrom: null,
  finishedAt: new Date('2026-11-22T14:02:00Z'),
};

test('provenance has the parts that SLSA v1 requires', () => {
  const statement = provenanceStatement(run);
  assert.deepEqual(statement.subject, [{ name: 'corpus_info', digest: { sha256: 'e'.repeat(64) } }]);
  assert.equal(statement.predicateType, 'https://slsa.dev/provenance/v1');
  const { buildDefinition, runDetails } = statement.predicate;
  assert.equal(buildDefinition.externalParameters.jobSeed, '7');
  assert.deepEqual(
    buildDefinition.resolvedDependencies.map(({ name }) => name),
    ['anthy_0.4-2.dsc', 'debian/retrain/control', 'overlay', 'dataset corpus'],
  );
  for (const { digest } of buildDefinition.resolvedDependencies)
    assert.match(digest!.sha256!, /^[0-9a-f]{64}$/);
  assert.equal(buildDefinition.resolvedDependencies[0]!.uri, 'pkg:deb/debian/anthy@1%3A0.4-2?arch=source');
  assert.deepEqual(runDetails.metadata, {
    invocationId: 'r1-2',
    startedOn: '2026-11-22T14:00:00.000Z',
    finishedOn: '2026-11-22T14:02:00.000Z',
  });
  assert.match(runDetails.builder.id, /0123456789abcdef$/);
});

test('provenance names the checkpoint with which a training began', () => {
  const resumedFrom = { sha256: '9'.repeat(64), leaseEpoch: 1 };
  const { resolvedDependencies } = provenanceStatement({ ...run, resumedFrom }).predicate.buildDefinition;
  assert.deepEqual(
    resolvedDependencies.filter(({ name }) => name?.startsWith('checkpoint')),
    [{ name: 'checkpoint of lease 1', digest: { sha256: '9'.repeat(64) } }],
  );
});

test('provenance names the converters where there are any', () => {
  const parameters = (converters: string[]) =>
    provenanceStatement({ ...run, converters }).predicate.buildDefinition.externalParameters;
  assert.deepEqual(parameters(['int8']).converters, ['int8']);
  assert.ok(!('converters' in parameters([])));
});

test('equal facts give equal bytes, and a run without output no statement', () => {
  assert.equal(printStatement(provenanceStatement(run)), printStatement(provenanceStatement({ ...run })));
  assert.deepEqual(JSON.parse(printStatement(provenanceStatement(run))), provenanceStatement(run));
  assert.throws(() => provenanceStatement({ ...run, outputs: [] }), RangeError);
});

test('a verdict speaks of the shipped file, or of the retrains where there is none', () => {
  const verdict: ModelVerdict = {
    model: 'corpus-info',
    rung: 'bit-identical',
    sentence: 'The same bytes.',
    k: 1,
    seeds: [42],
    shipped: { sha256: '1'.repeat(64), tensorSha256: null },
    retrains: [{ sha256: '1'.repeat(64), tensorSha256: null }],
    registered: { recipeSha256: 'a'.repeat(64), at: '2026-11-22T09:00:00.000Z', by: 'farm' },
    margin: null,
    metric: null,
    tests: [],
    familyP: null,
    alpha: null,
    churnRatio: null,
    bounds: [],
    alarms: [],
    limits: [],
    taints: [],
    reasons: [],
    moreRuns: 0,
  };
  const facts = {
    jobId: 'j1',
    source: 'anthy',
    version: '1:0.4-2',
    suite: 'bookworm',
    jobSeed: '7',
    recipeSha256: 'a'.repeat(64),
    fileName: 'mkanthydic/corpus_info',
    verdict,
    provenanceSha256s: ['2'.repeat(64)],
    judgedAt: new Date('2026-11-22T14:03:00Z'),
  };
  const statement = verdictStatement(facts);
  assert.deepEqual(statement.subject, [
    { name: 'mkanthydic/corpus_info', digest: { sha256: '1'.repeat(64) } },
  ]);
  assert.equal(statement.predicate.verdict.rung, 'bit-identical');
  assert.equal(statement.predicate.verdictSchema.uri, verdictSchema().$id);
  const without = verdictStatement({ ...facts, verdict: { ...verdict, shipped: null } });
  assert.deepEqual(without.subject, [{ name: 'corpus-info', digest: { sha256: '1'.repeat(64) } }]);
  assert.throws(
    () => verdictStatement({ ...facts, verdict: { ...verdict, shipped: null, retrains: [] } }),
    RangeError,
  );
});
