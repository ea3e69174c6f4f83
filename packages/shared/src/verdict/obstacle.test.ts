import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleFile, sampleModel, sampleRuns } from '../../samples/judged.ts';
import { judgeModel } from '../../samples/published.ts';
import type { RecipeModel } from '../recipe/recipe.ts';
import type { JudgedFile } from './judged.ts';

/** Each damage, done to the shipped file and to a retrain, with the words that must come out. */
const damages: [string, (file: JudgedFile) => void, RegExp][] = [
  [
    'NaN outputs',
    ({ predictions }) => {
      predictions.noise![7] = Number.NaN;
    },
    /NaN or infinity in 1 of 200 outputs on the noise set/,
  ],
  [
    'infinite outputs',
    ({ predictions }) => {
      predictions.patch!.fill(Number.POSITIVE_INFINITY);
    },
    /NaN or infinity in 200 of 200 outputs on the patch set/,
  ],
  [
    'a missing set',
    ({ evidence }) => {
      delete evidence.sets.patch;
    },
    /was not evaluated on the patch set/,
  ],
  [
    'missing predictions',
    ({ predictions }) => {
      delete predictions.test;
    },
    /was not evaluated on the test set/,
  ],
  [
    'fewer outputs than said',
    ({ predictions }) => {
      predictions.test = predictions.test!.subarray(1);
    },
    /has 199 outputs on the test set where 40 × 5 were said/,
  ],
  [
    'no outputs at all',
    ({ evidence, predictions }) => {
      evidence.sets.test = { sha256: evidence.file.sha256, rows: 0, columns: 5 };
      predictions.test = new Float32Array(0);
    },
    /has 0 outputs on the test set/,
  ],
  [
    'another number of rows',
    ({ evidence, predictions }) => {
      evidence.sets.test = { sha256: evidence.file.sha256, rows: 39, columns: 5 };
      predictions.test = predictions.test!.subarray(5);
    },
    /outputs on the test set, the shipped file/,
  ],
  [
    'logits for probabilities',
    ({ predictions }) => {
      predictions.test![0] = -3;
    },
    /gives -3, which is no probability, on the test set/,
  ],
  [
    'probabilities that do not sum to 1',
    ({ predictions }) => {
      predictions.test!.fill(0.5);
    },
    /class probabilities that sum to 2.5 on the test set/,
  ],
  [
    'a metric that is not a number',
    ({ evidence }) => {
      evidence.metric = { name: 'accuracy', value: Number.NaN };
    },
    /has no number for its accuracy/,
  ],
  [
    'no metric',
    ({ evidence }) => {
      evidence.metric = null;
    },
    /has no metric/,
  ],
  [
    'another metric',
    ({ evidence }) => {
      evidence.metric = { name: 'f1', value: 0.8 };
    },
    /was measured by/,
  ],
  [
    'another evaluator',
    ({ evidence }) => {
      evidence.evaluator = 'sample 2';
    },
    /was evaluated by/,
  ],
  [
    'a fault told by the evaluator',
    ({ evidence }) => {
      evidence.faults.push('The graph has an operator Foo that is unknown.');
    },
    /cannot be judged: The graph has an operator Foo that is unknown\.$/,
  ],
];

for (const [name, damage, words] of damages) {
  for (const where of ['shipped file', 'retrain'] as const) {
    test(`${name} in the ${where}: not verifiable, and why`, () => {
      const reference = sampleFile('shipped');
      const runs = sampleRuns('retrains', 10);
      damage(where === 'retrain' ? runs[1]! : reference);
      const verdict = judgeModel({ model: sampleModel(), reference, runs });
      assert.equal(verdict.rung, 'not-verifiable');
      assert.match(verdict.sentence, words);
      assert.equal(verdict.moreRuns, 0);
    });
  }
}

test('embeddings, opaque models and models without a margin are not judged statistically', () => {
  const cases: [Partial<RecipeModel>, RegExp][] = [
    [{ task: 'embedding' }, /task embedding/],
    [{ task: 'opaque' }, /task opaque/],
    [{ margin: null }, /no Margin/],
  ];
  for (const [changes, words] of cases) {
    const input = { reference: sampleFile('shipped'), runs: sampleRuns('retrains', 5) };
    const verdict = judgeModel({ model: sampleModel(changes), ...input });
    assert.equal(verdict.rung, 'not-verifiable');
    assert.match(verdict.sentence, words);
  }
});

test('retrains that behave identically on a set leave its test undefined and forbid equivalence', () => {
  const runs = sampleRuns('retrains', 10);
  for (const run of runs) run.predictions.noise = runs[0]!.predictions.noise!;
  const verdict = judgeModel({ model: sampleModel(), reference: sampleFile('shipped'), runs });
  assert.equal(verdict.rung, 'inconclusive');
  assert.match(verdict.sentence, /distance on noise probes: the retrains show no spread/);
  assert.equal(verdict.tests.length, 11);
  assert.match(verdict.reasons.at(-1)!, /per class on noise probes: the retrains show no spread/);
});

test('retrains of equal loss and metric decide nothing by themselves', () => {
  const runs = sampleRuns('retrains', 10);
  for (const { evidence } of runs) evidence.logLoss = 0.4;
  const verdict = judgeModel({ model: sampleModel(), reference: sampleFile('shipped'), runs });
  assert.equal(verdict.rung, 'inconclusive');
  assert.match(verdict.sentence, /log of the test loss: not defined/);
});

test('a loss of zero or none has no logarithm: undefined, not different', () => {
  for (const logLoss of [0, null]) {
    const reference = sampleFile('shipped');
    reference.evidence.logLoss = logLoss;
    const verdict = judgeModel({ model: sampleModel(), reference, runs: sampleRuns('retrains', 10) });
    assert.equal(verdict.rung, 'inconclusive');
    assert.match(verdict.sentence, /log of the test loss/);
  }
});
