import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleFile, sampleModel, sampleRuns } from '../../samples/judged.ts';
import { contradictionsOf } from './contradictions.ts';
import type { JudgedFile } from './judged.ts';
import { Measures } from './measures.ts';
import { judgeModel } from './verdict.ts';

/** A file that gives `classes` (of 3) on the training set; 0.96 where it is sure, 0.6 else. Declared are 0, 1, 2, 0, 1, 2 … */
const trained = (name: string, classes: number[], unsure: number[] = []): JudgedFile => {
  const file = sampleFile(name);
  const values = classes.flatMap((label, row) => {
    const top = unsure.includes(row) ? 0.6 : 0.96;
    return [0, 1, 2].map((column) => (column === label ? top : (1 - top) / 2));
  });
  file.predictions = { train: Float32Array.from(values) };
  file.evidence.sets = { train: { sha256: file.evidence.file.sha256, rows: classes.length, columns: 3 } };
  file.targets = { train: Float32Array.from(classes, (_, row) => row % 3) };
  return file;
};

const ask = (shipped: JudgedFile, retrains: JudgedFile[]) =>
  contradictionsOf({ model: sampleModel(), shipped, retrains, measures: new Measures() })!;

test('a worked example: only rows count where all others are sure of the declared label', () => {
  const retrains = [
    trained('a', [0, 1, 2, 0, 1, 2]),
    trained('b', [0, 1, 2, 0, 1, 0]),
    trained('c', [0, 1, 2, 1, 1, 2], [1]),
  ];
  // Row 0: all sure, shipped agrees. 1: c is unsure. 2, 4: contradicted. 3: c itself says another. 5: b itself does.
  const found = ask(trained('s', [0, 2, 0, 0, 0, 2]), retrains);
  assert.deepEqual(
    [found.rows, found.count, found.mostOfRetrain, found.listed],
    [
      6,
      2,
      1,
      [
        { row: 2, declared: 2, shipped: 0 },
        { row: 4, declared: 1, shipped: 0 },
      ],
    ],
  );
  // Shipped against two each: a left out 2, b left out 2, c left out 2 and row 1; roots of 7/3 + 3/8 against 3/8, 11/8, 11/8.
  const mean = (Math.sqrt(3 / 8) + 2 * Math.sqrt(11 / 8)) / 3;
  const t = (Math.sqrt(7 / 3 + 3 / 8) - mean) / (0.5 * Math.sqrt(4 / 3));
  // P(T2 > t) = 1/2 - t / (2 sqrt(2 + t²))
  assert.ok(Math.abs(found.p! - (0.5 - t / (2 * Math.sqrt(2 + t * t)))) < 1e-9, `${found.p}`);
});

test('many contradicted labels are an alarm with rows, and forbid equivalence; a few in a retrain too are none', () => {
  const runs = sampleRuns('retrains', 20);
  const honest = judgeModel({ model: sampleModel(), reference: sampleFile('shipped'), runs });
  assert.ok(honest.contradictions!.p! > 0.05);
  const file = sampleFile('shipped', { accuracy: 0.866 });
  const { targets, predictions } = file;
  for (const run of runs) {
    for (const [row, label] of targets!.train!.entries()) {
      for (let c = 0; c < 5; c += 1) run.predictions.train![row * 5 + c] = c === label ? 0.95 : 0.0125;
      run.predictions.train![row * 5 + label]! -= 0.001 * (run.seed % 7);
      run.predictions.train![row * 5 + ((label + 1) % 5)]! += 0.001 * (run.seed % 7);
    }
  }
  for (const [row, label] of targets!.train!.entries()) {
    for (let c = 0; c < 5; c += 1) {
      predictions.train![row * 5 + c] = c === (row < 12 ? (label + 1) % 5 : label) ? 0.95 : 0.0125;
    }
  }
  const verdict = judgeModel({ model: sampleModel(), reference: file, runs });
  assert.equal(verdict.contradictions!.count, 12);
  const alarm = verdict.alarms.find(({ name }) => name === 'contradicts-declared-labels')!;
  assert.match(alarm.detail, /on 12 of 40 training inputs .* rows 0 \(declared \d, shipped model \d\)/);
  assert.equal(verdict.rung, 'different');
});
