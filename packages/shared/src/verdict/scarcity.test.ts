import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleDependence, sampleFile, sampleModel, sampleRuns } from '../../samples/judged.ts';
import { judgeModel } from '../../samples/published.ts';
import type { ClassExamples } from './evidence.ts';

const runs = sampleRuns('retrains', 10);

const judgeWith = (classExamples: ClassExamples, retrains = runs, name = 'shipped') => {
  const reference = sampleFile(name, { accuracy: 0.866 });
  reference.evidence.classExamples = classExamples;
  return judgeModel({ model: sampleModel(), reference, runs: retrains });
};

const rarest = (examples: number, present = 5): ClassExamples => ({
  classes: 5,
  present,
  rarest: { class: 2, examples },
});

test('below 30 examples of a class nothing is decided, and no more runs are asked for', () => {
  const verdict = judgeWith(rarest(29));
  assert.deepEqual([verdict.rung, verdict.k, verdict.moreRuns], ['inconclusive', 3, 0]);
  assert.match(verdict.sentence, /class 2 has 29 examples in the held-out set; below 30 nothing is decided/);
  assert.equal(verdict.tests.length, 13);
});

test('below 30 a far model is not called different, equal bytes still decide', () => {
  const odd = sampleFile('odd', { scatter: { noise: 3 } });
  odd.evidence.classExamples = rarest(1);
  const verdict = judgeModel({ model: sampleModel(), reference: odd, runs });
  assert.equal(verdict.rung, 'inconclusive');
  assert.match(verdict.sentence, /class 2 has 1 example in/);
  const twin = { ...runs[0]!, evidence: { ...runs[0]!.evidence, classExamples: rarest(1) } };
  const all = [...runs, sampleDependence(runs[0]!)];
  assert.equal(judgeModel({ model: sampleModel(), reference: twin, runs: all }).rung, 'bit-identical');
});

test('below 100 a warning, and a class without an example another', () => {
  const verdict = judgeWith(rarest(30, 4));
  assert.equal(verdict.rung, 'statistically-equivalent');
  assert.equal(
    verdict.reasons[0],
    'Class 2 has 30 examples in the held-out set; below 100 differences are often missed; 1 of 5 classes have no example in the held-out set.',
  );
  assert.ok(judgeWith(rarest(100)).reasons.every((reason) => !reason.includes('held-out')));
});

test('one class or none in the held-out set: not verifiable', () => {
  const one = judgeWith(rarest(40, 1));
  assert.equal(one.rung, 'not-verifiable');
  assert.match(one.sentence, /the held-out set has examples of 1 class only/);
  const none = judgeWith({ classes: 5, present: 0, rarest: null });
  assert.match(none.sentence, /the held-out set has no example of any class/);
});
