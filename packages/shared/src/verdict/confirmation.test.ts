import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { sampleFile, sampleModel, sampleRuns } from '../../samples/judged.ts';
import { judgeModel } from '../../samples/published.ts';
import { explainVerdict } from './explanation.ts';
import type { JudgedRun } from './judged.ts';
import { plannedRuns } from './run-plan.ts';

const odd = sampleFile('odd', { masks: { 2: 0.15 } });
const runs = sampleRuns('retrains', 20);
const judge = (weighed: readonly JudgedRun[], model = sampleModel()) =>
  judgeModel({ model, reference: odd, runs: weighed });

/** The look at which `runs` say different. */
const { k } = judge(runs);
assert.ok(k < 10);

test('a difference waits for the next ten retrains, and then is announced with both batteries', () => {
  const waiting = judge(runs.slice(0, k));
  assert.deepEqual([waiting.rung, waiting.k, waiting.moreRuns], ['inconclusive', k, 10]);
  assert.deepEqual(waiting.confirmation, {
    seeds: [],
    tests: [],
    familyP: null,
    alpha: 0.005,
    confirmed: null,
  });
  assert.match(waiting.sentence, /10 fresh retrains are to confirm it\.$/);
  assert.deepEqual(waiting.alarms, []);
  assert.equal(plannedRuns([sampleModel()], [waiting]).length, k + 10);
  assert.deepEqual(judge(runs.slice(0, k + 9)), waiting);

  const confirmed = judge(runs.slice(0, k + 10));
  assert.deepEqual([confirmed.rung, confirmed.k, confirmed.moreRuns], ['different', k, 0]);
  const { confirmation } = confirmed;
  assert.deepEqual(
    confirmation!.seeds,
    runs.slice(k, k + 10).map(({ seed }) => seed),
  );
  assert.deepEqual([confirmation!.confirmed, confirmation!.tests.length], [true, 13]);
  assert.ok(
    confirmation!.tests.every(({ id, degreesOfFreedom }) => id === 'triggers' || degreesOfFreedom >= 9),
  );
  assert.ok(confirmation!.familyP! <= 0.005);
  assert.deepEqual(judge(runs), confirmed);
  assert.ok(explainVerdict(confirmed).some((line) => /^Confirmation: confirmed by 10 retrains/.test(line)));
});

test('fresh retrains that do not agree: inconclusive for good, and it says so', () => {
  // The fresh ten lie as far out as the shipped model does: what the look saw was its own retrains' chance.
  const wide = Array.from(
    { length: 10 },
    (_, i): JudgedRun => ({
      ...sampleFile(`wide ${i}`, { masks: { 2: [0.05, 0.15, 0.5, 1.5, 4][i % 5]! } }),
      seed: 500 + i,
      seedIndex: k + 1 + i,
    }),
  );
  const verdict = judge([...runs.slice(0, k), ...wide]);
  assert.deepEqual([verdict.rung, verdict.k, verdict.moreRuns], ['inconclusive', k, 0]);
  assert.equal(verdict.confirmation!.confirmed, false);
  assert.match(verdict.sentence, /which 10 fresh retrains do not confirm/);
  assert.deepEqual(verdict.alarms, []);
});

test('Runs does not limit it, and equal bytes or a fault among the fresh ones come first', () => {
  const three = sampleModel({ runs: { min: 3, max: 5 } });
  assert.equal(judge(runs, three).rung, 'different');
  const twin = { ...runs[k + 4]!, evidence: { ...odd.evidence } };
  const bytes = judge([...runs.slice(0, k + 4), twin], three);
  assert.match(bytes.sentence, /has the very same file/);
  const broken = { ...runs[k + 2]!, evidence: { ...runs[k + 2]!.evidence, faults: ['cannot be opened'] } };
  const verdict = judge([...runs.slice(0, k + 2), broken, ...runs.slice(k + 3)]);
  assert.equal(verdict.rung, 'not-verifiable');
  const copy = { ...runs[k + 3]!, seed: runs[k]!.seed };
  const doubled = judge([...runs.slice(0, k + 3), copy, ...runs.slice(k + 4, k + 10)]);
  assert.deepEqual([doubled.rung, doubled.k, doubled.moreRuns], ['inconclusive', k, 11]);
});

test('property: any order of arrival gives the same confirmation', () => {
  fc.assert(
    fc.property(fc.shuffledSubarray(runs, { minLength: k }), (some) => {
      const ordered = [...some].sort((a, b) => a.seedIndex - b.seedIndex);
      assert.deepEqual(judge(some), judge(ordered));
    }),
    { numRuns: 25 },
  );
});
