import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf, sampleFile, sampleModel, sampleRuns } from '../../samples/judged.ts';
import { judgeModel } from '../../samples/published.ts';
import type { JudgedFile, JudgedRun } from './judged.ts';

const bitwise = sampleModel({
  comparison: 'bitwise',
  task: 'opaque',
  margin: null,
  runs: { min: 1, max: 1 },
});
const bytesOnly = (name: string): JudgedFile => ({
  evidence: {
    evaluator: 'sample 1',
    file: { sha256: digestOf(name), bytes: 10 },
    tensorSha256: null,
    sets: {},
    metric: null,
    logLoss: null,
    faults: [],
  },
  predictions: {},
});
const run = (name: string, seed = 5, seedIndex = 1): JudgedRun => ({ ...bytesOnly(name), seed, seedIndex });
const reference = bytesOnly('shipped');
const judge = (runs: JudgedRun[], model = bitwise) => judgeModel({ model, reference, runs });

/** A dependence run beside `of`, which lost 200 of 2,000 records. */
const dependence = (name: string, of: JudgedRun): JudgedRun => ({
  ...of,
  ...bytesOnly(name),
  purpose: 'dependence',
  withheld: [{ dataset: 'glyphs', path: 'train.gz', records: 2_000, withheld: 200 }],
});
const rerun = (name: string): JudgedRun => ({ ...run(name), purpose: 'rerun' });

test('bitwise: equal bytes are announced after a dependence run that gives other bytes', () => {
  const twin = run('shipped');
  const waits = judge([twin]);
  assert.deepEqual([waits.rung, waits.moreRuns], ['inconclusive', 1]);
  assert.deepEqual(waits.asks, [
    { purpose: 'dependence', seedIndex: 1, declaredSeed: null, numerics: 0, repeat: 0 },
  ]);
  assert.match(waits.sentence, /very same file, but whether the data matters is still to be shown/);
  const verdict = judge([twin, dependence('poorer', twin)]);
  assert.deepEqual([verdict.rung, verdict.k, verdict.moreRuns], ['bit-identical', 1, 0]);
  assert.match(verdict.sentence, /retrain with seed 5 has the very same file/);
  assert.equal(verdict.dependence!.outcome, 'depends');
  assert.match(verdict.reasons.join(' '), /Without 200 of 2000 records of train.gz other bytes come out/);
  assert.deepEqual(verdict.taints, []);
});

test('the same bytes without a tenth of the data: weights that do not depend on it prove nothing', () => {
  const twin = run('shipped');
  const verdict = judge([twin, dependence('shipped', twin)]);
  assert.deepEqual([verdict.rung, verdict.moreRuns], ['not-verifiable', 0]);
  assert.deepEqual(verdict.taints, ['independent-of-data']);
  assert.match(verdict.sentence, /the model does not depend on its data/);
});

test('a dependence run that cannot be made is told beside the verdict, and asked for once', () => {
  const twin = run('shipped');
  const [asked] = judge([twin]).asks!;
  const unmade = [{ ...asked!, why: 'no records can be withheld.' }];
  const verdict = judgeModel({ model: bitwise, reference, runs: [twin], unmade });
  assert.deepEqual([verdict.rung, verdict.moreRuns], ['bit-identical', 0]);
  assert.deepEqual(verdict.taints, ['dependence-unchecked']);
  assert.match(verdict.limits[0]!, /was not checked/);
  assert.match(verdict.reasons.join(' '), /could be made: no records can be withheld\./);
});

test('records of another dataset, or of another model, say nothing of this one', () => {
  const twin = run('shipped');
  const trained = { ...bitwise, trainingData: 'others' };
  const verdict = judge([twin, dependence('poorer', twin)], trained);
  assert.deepEqual([verdict.rung, verdict.taints], ['bit-identical', ['dependence-unchecked']]);
});

test('bitwise: other bytes ask for one rerun of the same seed', () => {
  const verdict = judge([run('other')]);
  assert.deepEqual([verdict.rung, verdict.moreRuns], ['inconclusive', 1]);
  assert.deepEqual(verdict.asks, [
    { purpose: 'rerun', seedIndex: 1, declaredSeed: null, numerics: 0, repeat: 0 },
  ]);
  const unmade = [{ ...verdict.asks![0]!, why: 'it broke' }];
  const final = judgeModel({ model: bitwise, reference, runs: [run('other')], unmade });
  assert.deepEqual([final.rung, final.moreRuns], ['inconclusive', 0]);
});

test('bitwise: reruns that agree say different, that disagree not deterministic', () => {
  assert.equal(judge([run('other'), rerun('other')]).rung, 'different');
  const verdict = judge([run('other'), rerun('another')]);
  assert.deepEqual([verdict.rung, verdict.moreRuns], ['inconclusive', 0]);
  assert.match(verdict.sentence, /recipe is not deterministic/);
  assert.deepEqual(judge([rerun('another'), run('other')]), verdict);
});

test('bitwise among statistical models: other seeds that agree stand in for the rerun', () => {
  assert.equal(judge([run('other'), run('other', 6, 2)]).rung, 'different');
  const verdict = judge([run('other'), run('another', 6, 2)]);
  assert.deepEqual([verdict.rung, verdict.asks?.length], ['inconclusive', 1]);
  assert.match(verdict.sentence, /bytes depend on the seed/);
  assert.equal(judge([run('other'), run('another', 6, 2), rerun('other')]).rung, 'different');
});

test('bitwise with a declared seed: that seed decides, whatever the seeds of the job give', () => {
  const model = { ...bitwise, seed: 77 };
  const declared = (name: string): JudgedRun => ({ ...rerun(name), seed: 77, seedIndex: 0 });
  const first = judge([run('by another seed')], model);
  assert.deepEqual(first.asks, [
    { purpose: 'rerun', seedIndex: 0, declaredSeed: 77, numerics: 0, repeat: 0 },
  ]);
  const twin = declared('shipped');
  const waits = judge([run('by another seed'), twin], model);
  assert.deepEqual(waits.asks, [
    { purpose: 'dependence', seedIndex: 0, declaredSeed: 77, numerics: 0, repeat: 0 },
  ]);
  const runs = [run('by another seed'), twin, dependence('poorer', twin)];
  assert.equal(judge(runs, model).rung, 'bit-identical');
  const again = judge([run('by another seed'), declared('other')], model);
  assert.equal(again.asks?.[0]?.repeat, 1);
  assert.equal(judge([run('x'), declared('other'), declared('other')], model).rung, 'different');
  assert.equal(judge([run('x'), declared('other'), declared('more')], model).rung, 'inconclusive');
});

test('no run yet', () => {
  assert.deepEqual([judge([]).rung, judge([]).moreRuns], ['inconclusive', 1]);
});

test('equal tensors in another container are bit-identical, in any recipe', () => {
  const runs = sampleRuns('retrains', 3);
  const shipped = sampleFile('retrains run 2');
  shipped.evidence.file = { sha256: digestOf('repacked'), bytes: 7 };
  const poorer = dependence('poorer', runs[1]!);
  const verdict = judgeModel({ model: sampleModel(), reference: shipped, runs: [...runs, poorer] });
  assert.equal(verdict.rung, 'bit-identical');
  assert.match(verdict.sentence, /seed 102 has the very same tensors/);
});

test('equal bytes prove nothing where the recipe reads the shipped file', () => {
  const verdict = judge([run('shipped')], { ...bitwise, readsShipped: true });
  assert.equal(verdict.rung, 'not-verifiable');
});

test('formats without tensors are not equal for lack of a digest', () => {
  assert.notEqual(judge([run('other')]).rung, 'bit-identical');
});
