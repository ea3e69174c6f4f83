import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { sampleFile, sampleModel, sampleRuns } from '../../samples/judged.ts';
import { judgeModel } from '../../samples/published.ts';
import { explainVerdict } from './explanation.ts';
import type { JudgedFile } from './judged.ts';
import { loneInputs } from './lone-inputs.ts';

/** A file that gives `classes` (of 3) with these probabilities on every set. */
const sureFile = (
  name: string,
  classes: number[],
  sureness: number[] = classes.map(() => 0.96),
): JudgedFile => {
  const file = sampleFile(name);
  file.predictions = {};
  file.evidence.sets = {};
  file.targets = {};
  for (const set of ['test', 'noise', 'patch'] as const) {
    const values = classes.flatMap((c, row) =>
      [0, 1, 2].map((column) => (column === c ? sureness[row]! : (1 - sureness[row]!) / 2)),
    );
    file.predictions[set] = Float32Array.from(values);
    file.evidence.sets[set] = { sha256: file.evidence.file.sha256, rows: classes.length, columns: 3 };
  }
  return file;
};

test('a worked example: alone in row 1 only, where all retrains agree and are sure', () => {
  const retrains = [
    sureFile('a', [0, 1, 2, 0]),
    sureFile('b', [0, 1, 2, 1]),
    sureFile('c', [0, 1, 2, 0], [0.96, 0.96, 0.8, 0.96]),
  ];
  // Row 2: one retrain is not sure. Row 3: the retrains differ, so b stands alone among them.
  const [onTest, ...others] = loneInputs(sureFile('s', [0, 2, 0, 2]), retrains);
  assert.deepEqual(onTest, {
    set: 'test',
    rows: 4,
    count: 1,
    mostOfRetrain: 1,
    mostSaid: { class: 2, count: 1 },
    listed: [{ row: 1, retrains: 1, shipped: 2 }],
  });
  assert.deepEqual(
    others.map(({ set }) => set),
    ['noise', 'patch'],
  );
});

test('an unsure shipped model is counted all the same, one that agrees is not', () => {
  const retrains = ['a', 'b', 'c'].map((name) => sureFile(name, [1, 1]));
  assert.equal(loneInputs(sureFile('s', [0, 1], [0.4, 0.4]), retrains)[0]!.count, 1);
});

test('the class that is said most often is named, the lower of equals', () => {
  const retrains = ['a', 'b', 'c'].map((name) => sureFile(name, [1, 1, 1, 1]));
  const said = (classes: number[]) => loneInputs(sureFile('s', classes), retrains)[0]!.mostSaid;
  assert.deepEqual(said([2, 0, 2, 1]), { class: 2, count: 2 });
  assert.deepEqual(said([2, 0, 1, 1]), { class: 0, count: 1 });
  assert.equal(said([1, 1, 1, 1]), null);
});

test('at most twenty are listed, all are counted', () => {
  const rows = 1_000;
  const retrains = ['a', 'b', 'c'].map((name) => sureFile(name, new Array(rows).fill(1)));
  const [onTest] = loneInputs(sureFile('s', new Array(rows).fill(0)), retrains);
  assert.deepEqual([onTest!.count, onTest!.listed.length, onTest!.mostOfRetrain], [1_000, 20, 0]);
});

test('property: a file that repeats a retrain never stands alone, nor does the order of retrains matter', () => {
  const labels = fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 6, maxLength: 6 });
  fc.assert(
    fc.property(fc.array(labels, { minLength: 2, maxLength: 5 }), labels, (classes, shipped) => {
      const retrains = classes.map((told, i) => sureFile(`${i}`, told));
      assert.equal(loneInputs(retrains[0]!, retrains)[0]!.count, 0);
      const file = sureFile('s', shipped);
      assert.deepEqual(loneInputs(file, retrains), loneInputs(file, [...retrains].reverse()));
    }),
    { numRuns: 40 },
  );
});

test('a verdict carries and explains them; regression has none', () => {
  const runs = sampleRuns('retrains', 3).map((run) => ({ ...run, ...sureFile(`r ${run.seed}`, [0, 1, 2]) }));
  const reference = sureFile('s', [0, 1, 0]);
  const verdict = judgeModel({ model: sampleModel(), reference, runs });
  assert.deepEqual(
    verdict.loneInputs!.map(({ count }) => count),
    [1, 1, 1],
  );
  const line = explainVerdict(verdict).find((text) => text.startsWith('Alone: on test data'));
  assert.equal(
    line,
    'Alone: on test data in 1 of 3 inputs, where every retrain is sure of another class (no retrain is alone in more than 0); most often it says class 0 (1): row 2 (class 0, retrains 2).',
  );
  const other = judgeModel({ model: sampleModel({ task: 'regression' }), reference, runs });
  assert.equal(other.loneInputs, undefined);
});
