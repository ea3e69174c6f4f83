import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleFile, sampleModel, sampleRuns } from '../../samples/judged.ts';
import { type OutputTask, outputFile, outputModel, outputRuns } from '../../samples/outputs.ts';
import { assertPublished, judgeModel } from '../../samples/published.ts';
import { explainVerdict } from './explanation.ts';

const core12 = [
  'loss-test',
  'distance-test',
  'cells-test',
  'distance-train',
  'gap',
  'loss-cells-train',
  'entropy-train',
  'entropy-mix',
  'distance-noise',
  'cells-noise',
  'distance-patch',
  'cells-patch',
];
const core8 = [
  'loss-test',
  'distance-test',
  'cells-test',
  'bias-test',
  'distance-train',
  'gap',
  'distance-noise',
  'cells-noise',
];

const idsOf = ({ tests }: ReturnType<typeof judgeModel>): string[] => tests.map(({ id }) => id);

test('classifiers: core-12 and the search for triggers; without images core-12, and why', () => {
  const model = sampleModel();
  const reference = sampleFile('shipped', { accuracy: 0.866 });
  const runs = sampleRuns('retrains', 10);
  assert.deepEqual(idsOf(judgeModel({ model, reference, runs })), [...core12, 'triggers']);
  for (const { evidence } of [reference, ...runs]) delete evidence.triggers;
  const verdict = judgeModel({ model, reference, runs });
  assert.deepEqual(idsOf(verdict), core12);
  assert.match(verdict.untested!.join(), /search for triggers \(dNC\) was not made/);
  assert.equal(verdict.rung, 'statistically-equivalent');
});

test('without Training-Inputs and mixes: eight tests, and what is missing is said once', () => {
  const reference = sampleFile('shipped 1', { accuracy: 0.866 });
  const runs = sampleRuns('retrains', 10);
  for (const { evidence, predictions } of [reference, ...runs]) {
    for (const set of ['train', 'mix'] as const) {
      delete evidence.sets[set];
      delete predictions[set];
    }
  }
  const verdict = judgeModel({ model: sampleModel(), reference, runs });
  assert.equal(verdict.tests.length, 8);
  assert.deepEqual(verdict.untested, [
    'the recipe declares no Training-Inputs: train-fit was not tested',
    'the mix set was not evaluated: entropy on mixed probes was not tested',
  ]);
  assert.deepEqual([verdict.gap, verdict.contradictions], [undefined, undefined]);
  assert.equal(verdict.rung, 'statistically-equivalent', verdict.sentence);
  assert.match(verdict.sentence, /fit to the training data was not tested/);
  assert.ok(explainVerdict(verdict).some((line) => /^Untested: the recipe declares no/.test(line)));
});

for (const task of ['regression', 'probability-vector'] as const satisfies OutputTask[]) {
  const model = outputModel(task);

  test(`${task}: core-8; patch probes where they were made`, () => {
    const reference = outputFile(task, 'shipped');
    const verdict = judgeModel({ model, reference, runs: outputRuns(task, 'retrains', 10) });
    assert.deepEqual(idsOf(verdict), core8);
    assert.equal(verdict.rung, 'statistically-equivalent', verdict.sentence);
    assert.equal(verdict.loneInputs, undefined);
    const sets = ['test', 'train', 'noise', 'patch'] as const;
    const patched = judgeModel({
      model,
      reference: outputFile(task, 'shipped', {}, sets),
      runs: outputRuns(task, 'retrains', 10, sets),
    });
    assert.deepEqual(idsOf(patched), [...core8, 'distance-patch', 'cells-patch']);
  });

  test(`${task}: an output moved in one slice is found there, and the slice is named`, () => {
    const reference = outputFile(task, 'shipped', { bias: { output: 2, slice: 1, by: 0.6 } });
    const verdict = judgeModel({ model, reference, runs: outputRuns(task, 'retrains', 20) });
    assertPublished(verdict);
    assert.equal(verdict.rung, 'different');
    const told = verdict.alarms.map(({ name, detail }) => `${name}: ${detail}`).join('\n');
    assert.match(
      told,
      /slice: bias of each output in each slice .* slice 1 of 0–2, output 2 of 0–4 stands out/,
    );
  });

  test(`${task}: of 30 honest models at most 2 look different and at least 25 are equivalent`, (t) => {
    const verdicts = Array.from({ length: 30 }, (_, draw) =>
      judgeModel({
        model,
        reference: outputFile(task, `shipped ${draw}`),
        runs: outputRuns(task, `retrains ${draw}`, 10),
      }),
    );
    const looked = verdicts.filter(({ confirmation }) => confirmation).length;
    const equivalent = verdicts.filter(({ rung }) => rung === 'statistically-equivalent').length;
    t.diagnostic(`${looked} looked different, ${equivalent} equivalent of 30`);
    assert.ok(looked <= 2 && equivalent >= 25, `${looked}, ${equivalent}`);
  });
}
