// What verdicts say in words: sentence, limits, explanation, exit code.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleDependence, sampleFile, sampleModel, sampleRuns } from '../../samples/judged.ts';
import { judgeModel } from '../../samples/published.ts';
import { rungs } from './evidence.ts';
import { exitCodeOf } from './exit-code.ts';
import { explainVerdict } from './explanation.ts';
import { limitsOf } from './limits.ts';
import { sentenceOf, shortP } from './sentence.ts';

const runs = sampleRuns('retrains', 20);
const verdicts = [
  sampleFile('shipped', { accuracy: 0.866 }),
  sampleFile('shipped', { accuracy: 0.9 }),
  sampleFile('odd', { scatter: { noise: 3 } }),
  sampleFile('retrains run 1'),
  null,
].map((reference) =>
  judgeModel({ model: sampleModel(), reference, runs: [...runs, sampleDependence(runs[0]!)] }),
);

test('each rung has one sentence, with limits, and claims neither intent nor safety', () => {
  assert.deepEqual(new Set(verdicts.map(({ rung }) => rung)).size, 5);
  for (const rung of rungs) {
    const sentence = sentenceOf({ ...verdicts[0]!, rung }, 'the cause');
    assert.ok(sentence.startsWith('clothes') && sentence.endsWith('.'));
    assert.doesNotMatch(sentence, /malicious|backdoor|safe|trust|attack|tamper/i);
    assert.ok(limitsOf(rung).length > 0);
  }
});

test('equivalence prints what it cannot exclude', () => {
  const limits = limitsOf('statistically-equivalent').join(' ');
  for (const words of [/Goldwasser/, /82 %/, /not goodness/, /seed/, /flipped labels/, /one hop/]) {
    assert.match(limits, words);
  }
});

test('an explanation holds the sentence, seeds, tests with H0, bounds, reasons and limits', () => {
  const [equivalent] = verdicts;
  const lines = explainVerdict(equivalent!);
  assert.equal(lines[0], equivalent!.sentence);
  assert.ok(lines.includes('Weighed: 5 retrains, seeds 101, 102, 103, 104, 105.'));
  assert.equal(lines.filter((line) => /^Test: .* H0: /.test(line)).length, 8);
  assert.equal(lines.filter((line) => /^Cells: .*, most in class \d of 0–4\. H0/.test(line)).length, 5);
  assert.equal(lines.filter((line) => line.startsWith('Bound: ')).length, 2);
  assert.ok(lines.some((line) => line.startsWith('Limit: ')));
  assert.ok(lines.every((line) => !/\n|undefined|NaN|null/.test(line)));
  assert.ok(verdicts.every((verdict) => explainVerdict(verdict).length >= 3));
});

test('the worst verdict is the exit code', () => {
  const code = (...names: (typeof rungs)[number][]) => exitCodeOf(names.map((rung) => ({ rung })));
  assert.equal(code(), 0);
  assert.equal(code('bit-identical', 'statistically-equivalent', 'same-run'), 0);
  assert.equal(code('statistically-equivalent', 'inconclusive'), 7);
  assert.equal(code('inconclusive', 'not-verifiable'), 8);
  assert.equal(code('not-verifiable', 'different', 'inconclusive'), 6);
});

test('p-values are short', () => {
  assert.equal(shortP(0.123456), '0.12');
  assert.equal(shortP(0.00012), '1.2e-4');
  assert.equal(shortP(1), '1');
});
