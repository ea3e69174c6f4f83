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

test('bitwise: one equal retrain is enough', () => {
  const verdict = judge([run('shipped')]);
  assert.deepEqual([verdict.rung, verdict.k, verdict.moreRuns], ['bit-identical', 1, 0]);
  assert.match(verdict.sentence, /retrain with seed 5 has the very same file/);
});

test('bitwise: other bytes ask for one rerun of the same seed', () => {
  const verdict = judge([run('other')]);
  assert.deepEqual([verdict.rung, verdict.moreRuns], ['inconclusive', 1]);
});

test('bitwise: reruns that agree say different, that disagree not deterministic', () => {
  assert.equal(judge([run('other'), run('other')]).rung, 'different');
  const verdict = judge([run('other'), run('another')]);
  assert.deepEqual([verdict.rung, verdict.moreRuns], ['inconclusive', 0]);
  assert.match(verdict.sentence, /recipe is not deterministic/);
  assert.deepEqual(judge([run('another'), run('other')]), verdict);
});

test('bitwise among statistical models: other seeds stand in for the rerun', () => {
  assert.equal(judge([run('other'), run('other', 6, 2)]).rung, 'different');
  const verdict = judge([run('other'), run('another', 6, 2)]);
  assert.equal(verdict.rung, 'inconclusive');
  assert.match(verdict.sentence, /bytes depend on the seed/);
});

test('no run yet', () => {
  assert.deepEqual([judge([]).rung, judge([]).moreRuns], ['inconclusive', 1]);
});

test('equal tensors in another container are bit-identical, in any recipe', () => {
  const runs = sampleRuns('retrains', 3);
  const shipped = sampleFile('retrains run 2');
  shipped.evidence.file = { sha256: digestOf('repacked'), bytes: 7 };
  const verdict = judgeModel({ model: sampleModel(), reference: shipped, runs });
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
