import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Value } from 'typebox/value';
import { sampleFile, sampleModel, sampleRuns } from '../../samples/judged.ts';
import { judgeModel } from '../../samples/published.ts';
import { Verdict } from '../wire/verdict.ts';
import { bonferroniP } from './bonferroni.ts';
import { evidenceSets } from './evidence.ts';
import type { JudgedRun, JudgeInput } from './judged.ts';
import { ProbeStream } from './probe-stream.ts';

const model = sampleModel();
const honest = sampleFile('shipped', { accuracy: 0.866 });
const odd = sampleFile('odd', { scatter: { noise: 3 } });
const twenty = sampleRuns('retrains', 20);
const ten = twenty.slice(0, 10);

const judge = (changes: Partial<JudgeInput>) => {
  const verdict = judgeModel({ model, reference: honest, runs: ten, ...changes });
  const faults = [...Value.Errors(Verdict, JSON.parse(JSON.stringify(verdict)))];
  assert.deepEqual(faults, []);
  return verdict;
};

test('honest: look 3 asks for two more, look 5 says equivalent', () => {
  const first = judge({ runs: ten.slice(0, 3) });
  assert.deepEqual([first.rung, first.k, first.moreRuns, first.alpha], ['inconclusive', 3, 2, 0.002]);
  const second = judge({ runs: ten.slice(0, 5) });
  assert.deepEqual([second.rung, second.k, second.moreRuns], ['statistically-equivalent', 5, 0]);
  assert.equal(second.tests.length, 13);
  assert.deepEqual(
    second.outsideFamily!.map(({ id }) => id),
    ['weight-norm'],
  );
  assert.ok(second.bounds.every(({ holds }) => holds));
  assert.match(second.sentence, /behaves like a retrain: accuracy 0\.8660 against/);
});

test('odd on noise only: different, and the sentence names the test', () => {
  const verdict = judge({ reference: odd, runs: twenty });
  assert.equal(verdict.rung, 'different');
  assert.match(
    verdict.sentence,
    /shipped and declared pipeline disagree: squared Hellinger distance on noise.*10 fresh retrains confirm it/,
  );
  assert.ok(verdict.familyP! <= verdict.alpha!);
});

test('a metric outside the margin is never equivalent', () => {
  const verdict = judge({ reference: sampleFile('shipped', { accuracy: 0.884 }) });
  assert.equal(verdict.rung, 'inconclusive');
  assert.equal(verdict.moreRuns, 0);
  assert.match(verdict.sentence, /difference in accuracy may be as large as/);
});

test('security-critical: equivalent from 10 only', () => {
  const strict = sampleModel({ securityCritical: true });
  assert.equal(judge({ model: strict, runs: ten.slice(0, 5) }).moreRuns, 5);
  assert.equal(judge({ model: strict }).rung, 'statistically-equivalent');
  const five = sampleModel({ securityCritical: true, runs: { min: 3, max: 5 } });
  assert.deepEqual([judge({ model: five }).rung, judge({ model: five }).moreRuns], ['inconclusive', 0]);
});

test('property: any order of arrival, one verdict', () => {
  fc.assert(
    fc.property(
      fc.shuffledSubarray(twenty, { minLength: 1 }),
      fc.constantFrom(honest, odd),
      (runs, reference) => {
        const ordered = [...runs].sort((a, b) => a.seedIndex - b.seedIndex);
        assert.deepEqual(judge({ runs, reference }), judge({ runs: ordered, reference }));
      },
    ),
    { numRuns: 60 },
  );
});

test('property: never equivalent below 5, and what is final stays', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 10_000 }), fc.constantFrom(1, 1.3, 2), (seed, noise) => {
      const reference = sampleFile(`shipped ${seed}`, { scatter: { noise } });
      const runs = sampleRuns(`retrains ${seed}`, 20);
      const verdicts = runs.map((_, i) => judge({ reference, runs: runs.slice(0, i + 1) }));
      assert.ok(verdicts.slice(0, 4).every(({ rung }) => rung !== 'statistically-equivalent'));
      const final = verdicts.findIndex(({ moreRuns }) => moreRuns === 0);
      for (const verdict of verdicts.slice(final)) assert.deepEqual(verdict, verdicts[final]);
      for (const [i, { k, moreRuns, confirmation }] of verdicts.entries()) {
        const wanted = confirmation ? [13, 15, 20] : [3, 5, 10];
        if (moreRuns > 0) assert.ok(wanted.includes(k + moreRuns) && k + moreRuns > i + 1);
      }
    }),
    { numRuns: 25 },
  );
});

test('property: whatever Runs and Security-Critical say, equivalence needs 5, or 10, retrains', () => {
  const sizes = fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 0, max: 9 }));
  fc.assert(
    fc.property(sizes, fc.boolean(), fc.integer({ min: 1, max: 10 }), ([min, more], securityCritical, k) => {
      const strict = sampleModel({ runs: { min, max: min + more }, securityCritical });
      const verdict = judge({ model: strict, runs: ten.slice(0, k) });
      if (verdict.rung === 'statistically-equivalent') assert.ok(verdict.k >= (securityCritical ? 10 : 5));
    }),
    { numRuns: 60 },
  );
});

test('a gap in the seeds: later runs wait', () => {
  const verdict = judge({ runs: [...ten.slice(0, 3), ...ten.slice(4, 6)] });
  assert.deepEqual([verdict.k, verdict.moreRuns], [3, 2]);
  assert.equal(verdict.reasons[0], '2 retrains of later seeds wait for an earlier seed.');
});

test('a seed seen twice counts once and asks for one run more', () => {
  const twin: JudgedRun = { ...sampleFile('again'), seed: ten[1]!.seed, seedIndex: 4 };
  const verdict = judge({ runs: [...ten.slice(0, 3), twin] });
  assert.deepEqual([verdict.k, verdict.moreRuns], [3, 3]);
  assert.match(verdict.reasons[0]!, /seed already seen/);
});

test('equal bytes of two seeds: the recipe ignores its seed', () => {
  const copy = { ...ten[0]!, seed: 999, seedIndex: 2 };
  const verdict = judge({ runs: [ten[0]!, copy, ten[2]!] });
  assert.equal(verdict.rung, 'not-verifiable');
  assert.match(verdict.sentence, /ignores its seed: seeds 101 and 999/);
});

test('no shipped file, no runs', () => {
  assert.equal(judge({ reference: null }).rung, 'not-verifiable');
  const empty = judge({ runs: [] });
  assert.deepEqual([empty.rung, empty.k, empty.moreRuns], ['inconclusive', 0, 3]);
});

test('taints of the weighed runs and of the recipe are carried', () => {
  const runs = ten.map((run, i) => ({ ...run, taints: i === 0 ? ['host-root'] : i === 9 ? ['late'] : [] }));
  const verdict = judge({ model: sampleModel({ readsShipped: true }), runs });
  assert.deepEqual(verdict.taints, ['host-root', 'reads-shipped']);
});

test('a claim that the file does not keep is an alarm, not a verdict', () => {
  const verdict = judge({ model: sampleModel({ claimedMetric: 0.95 }) });
  assert.equal(verdict.rung, 'statistically-equivalent');
  assert.deepEqual(
    verdict.alarms.map(({ name }) => name),
    ['claimed-metric'],
  );
});

test('an average of the retrains is too close, and not equivalent', () => {
  const average = sampleFile('average', { accuracy: 0.866 });
  for (const set of evidenceSets) {
    average.predictions[set] = average.predictions[set]!.map(
      (_, i) => ten.reduce((sum, run) => sum + run.predictions[set]![i]!, 0) / 10,
    );
  }
  const verdict = judge({ model: sampleModel({ runs: { min: 10, max: 10 } }), reference: average });
  assert.equal(verdict.rung, 'inconclusive');
  assert.equal(verdict.alarms[0]?.name, 'too-close');
});

test('one class favoured on noise: the cells name it beside the verdict', () => {
  const favoured = sampleFile('favoured', { accuracy: 0.866 });
  const noise = favoured.predictions.noise!;
  for (let at = 0; at < noise.length; at += 5) {
    for (let c = 0; c < 5; c += 1) noise[at + c] = 0.7 * noise[at + c]! + (c === 3 ? 0.3 : 0);
  }
  const verdict = judge({ reference: favoured, runs: twenty });
  assert.equal(verdict.rung, 'different');
  const cells = verdict.tests.find(({ id }) => id === 'cells-noise')!;
  assert.deepEqual(cells.cells, { kind: 'class', count: 5, worst: 3 });
  const slices = verdict.alarms.filter(({ name }) => name === 'slice');
  assert.ok(
    slices.some(
      ({ detail, class: label }) =>
        label === 3 && /^mean probability per class on noise probes: class 3 of 0–4 stands out/.test(detail),
    ),
  );
});

test('property: the family is Bonferroni over all tests, and a slice is named beside a difference only', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1e4 }), fc.constantFrom(1, 1.4), (seed, noise) => {
      const reference = sampleFile(`shipped ${seed}`, { scatter: { noise } });
      const verdict = judge({ reference, runs: sampleRuns(`retrains ${seed}`, 20) });
      assert.equal(verdict.familyP, bonferroniP(verdict.tests.map(({ p }) => p)));
      if (verdict.rung !== 'different') assert.ok(verdict.alarms.every(({ name }) => name !== 'slice'));
    }),
    { numRuns: 25 },
  );
});

test('a constant and a random shipped model are different', () => {
  const stream = new ProbeStream('random model', '');
  for (const value of [() => 1, () => stream.uniform()]) {
    const file = sampleFile('no model', { accuracy: 0.2 });
    for (const set of ['test', 'noise', 'patch'] as const) {
      const values = file.predictions[set]!.map(value);
      for (let at = 0; at < values.length; at += 5) {
        const sum = values.subarray(at, at + 5).reduce((a, b) => a + b, 0);
        for (let c = 0; c < 5; c += 1) values[at + c]! /= sum;
      }
      file.predictions[set] = values;
    }
    assert.equal(judge({ reference: file, runs: twenty }).rung, 'different');
  }
});
