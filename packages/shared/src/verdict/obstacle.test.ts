import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleFile, sampleModel, sampleRuns } from '../../samples/judged.ts';
import { judgeModel } from '../../samples/published.ts';
import type { RecipeModel } from '../recipe/recipe.ts';
import type { JudgedFile } from './judged.ts';
import { judgeModel as judgeUnpublished } from './verdict.ts';

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

const judgeSamples = (
  changes: Partial<RecipeModel>,
  spoil: (shipped: JudgedFile, runs: JudgedFile[]) => void = () => {},
  k = 10,
) => {
  const reference = sampleFile('shipped');
  const runs = sampleRuns('retrains', k);
  spoil(reference, runs);
  return judgeModel({ model: sampleModel(changes), reference, runs });
};

test('a margin of zero, below, infinite or as wide as the metric: not verifiable, and why', () => {
  const cases: [number, RegExp][] = [
    [0, /registered Margin of 0 is not above 0/],
    [-0.01, /registered Margin of -0\.01 is not above 0/],
    [Number.POSITIVE_INFINITY, /registered Margin of Infinity is not above 0/],
    [1, /registered Margin of 1 is as wide as the range of accuracy \(1\): every model would pass/],
    [1.5, /as wide as the range/],
  ];
  for (const [margin, words] of cases) {
    const { model, reference, runs } = {
      model: sampleModel({ margin }),
      reference: sampleFile('shipped'),
      runs: sampleRuns('retrains', 3),
    };
    // JSON knows no infinity: that margin cannot have come through the schema, and is told all the same.
    const verdict = (Number.isFinite(margin) ? judgeModel : judgeUnpublished)({ model, reference, runs });
    assert.equal(verdict.rung, 'not-verifiable');
    assert.match(verdict.sentence, words);
  }
});

test('a quantised shipped file against retrains that are not: nothing beyond the metric, with or without Converter', () => {
  const shippedOnly = (shipped: JudgedFile, runs: JudgedFile[]): void => {
    shipped.evidence.quantised = true;
    for (const { evidence } of runs) evidence.quantised = false;
  };
  const verdict = judgeSamples({}, shippedOnly);
  assert.equal(verdict.rung, 'not-verifiable');
  assert.match(
    verdict.sentence,
    /shipped file is quantised and the retrain with seed 101 is not, the recipe declares no Converter: beyond the metric nothing can be compared \(accuracy 0\.\d{4} against 0\.\d{4}, margin 0\.015\)/,
  );
  assert.equal(verdict.tests.length, 0);
  assert.match(
    judgeSamples({ converter: 'int8' }, shippedOnly).sentence,
    /although the Converter int8 has run/,
  );
  const retrainsOnly = judgeSamples({}, (shipped, runs) => {
    shipped.evidence.quantised = false;
    for (const { evidence } of runs) evidence.quantised = true;
  });
  assert.match(retrainsOnly.sentence, /retrain with seed 101 is quantised and the shipped file is not/);
  const matched = judgeSamples({ converter: 'int8' }, (shipped, runs) => {
    for (const { evidence } of [shipped, ...runs]) evidence.quantised = true;
  });
  assert.notEqual(matched.rung, 'not-verifiable');
});

test('retrains that behave identically everywhere: nothing is defined, nothing decided', () => {
  const verdict = judgeSamples({}, (_, runs) => {
    for (const run of runs) {
      run.predictions = runs[0]!.predictions;
      run.evidence.logLoss = runs[0]!.evidence.logLoss;
      run.evidence.triggers = runs[0]!.evidence.triggers!;
    }
  });
  assert.deepEqual([verdict.rung, verdict.tests.length, verdict.familyP], ['inconclusive', 0, 1]);
  assert.match(verdict.sentence, /the retrains show no spread/);
});

test('a set that some files have and others not is told, also where no task needs it', () => {
  const lacks = judgeSamples({}, (_, runs) => {
    delete runs[1]!.evidence.sets.train;
    delete runs[1]!.predictions.train;
  });
  assert.match(lacks.sentence, /seed 102 was not evaluated on the train set, the shipped file was/);
  const more = judgeSamples({}, (shipped) => {
    delete shipped.evidence.sets.mix;
    delete shipped.predictions.mix;
  });
  assert.match(more.sentence, /seed 101 was evaluated on the mix set, the shipped file was not/);
});

test('true answers and slices that are none: not verifiable, and why', () => {
  const cases: [(shipped: JudgedFile) => void, RegExp][] = [
    [({ targets }) => targets!.train!.fill(5), /the train set has the true answer 5, which is none/],
    [({ targets }) => targets!.test!.fill(0.5), /the test set has the true answer 0\.5/],
    [({ targets }) => targets!.test!.fill(Number.NaN), /true answer NaN/],
    [
      ({ targets }) => {
        targets!.test = new Float32Array(39);
      },
      /the test set has 39 true answers where 40 belong/,
    ],
    [
      (shipped) => {
        shipped.slices = new Float32Array(3);
      },
      /3 slice numbers where 40 belong/,
    ],
    [
      (shipped) => {
        shipped.slices = new Float32Array(40).fill(-1);
      },
      /slice number -1, which is none/,
    ],
  ];
  for (const [spoil, words] of cases) {
    const verdict = judgeSamples({}, spoil, 3);
    assert.equal(verdict.rung, 'not-verifiable');
    assert.match(verdict.sentence, words);
  }
});

test('a million outputs a set are judged in seconds', () => {
  const columns = 1_000;
  const rows = 1_000;
  const file = (name: string, factor: number): JudgedFile => {
    const sample = sampleFile(name);
    sample.predictions = {};
    sample.evidence.sets = {};
    sample.targets = {};
    delete sample.evidence.triggers;
    for (const [s, set] of (['test', 'noise', 'patch'] as const).entries()) {
      const values = new Float32Array(rows * columns);
      for (let row = 0; row < rows; row += 1) {
        let sum = 0;
        for (let c = 0; c < columns; c += 1) {
          const value = 1.5 + Math.sin((row * 31 + c * 7 + s) * 0.37) + Math.sin((row + c) * factor) * 0.2;
          values[row * columns + c] = value;
          sum += value;
        }
        for (let c = 0; c < columns; c += 1) values[row * columns + c]! /= sum;
      }
      sample.predictions[set] = values;
      sample.evidence.sets[set] = { sha256: sample.evidence.file.sha256, rows, columns };
    }
    return sample;
  };
  const runs = [1.1, 1.3, 1.7].map((factor, i) => ({
    ...file(`large ${i}`, factor),
    seed: 101 + i,
    seedIndex: i + 1,
  }));
  const verdict = judgeModel({ model: sampleModel(), reference: file('large', 1.9), runs });
  assert.deepEqual([verdict.rung, verdict.k], ['inconclusive', 3]);
  assert.ok(verdict.tests.some(({ cells }) => cells?.count === columns));
});
