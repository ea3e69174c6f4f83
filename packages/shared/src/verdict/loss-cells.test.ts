import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleFile, sampleModel, sampleRuns } from '../../samples/judged.ts';
import type { Compared } from './compared.ts';
import type { JudgedFile } from './judged.ts';
import { sliceLossCells, trainingLossCells } from './loss-cells.ts';
import { Measures } from './measures.ts';
import { rowsOfSlices } from './slices.ts';

const compared = (shipped: JudgedFile): Compared => ({
  model: sampleModel(),
  shipped,
  retrains: sampleRuns('retrains', 10),
  measures: new Measures(),
});

/** The shipped file with what it says in some rows of a set turned to another class. */
const turned = (set: 'train' | 'test', isTurned: (row: number, label: number) => boolean): JudgedFile => {
  const file = sampleFile('shipped');
  const values = file.predictions[set]!;
  for (const [row, label] of file.targets![set]!.entries()) {
    if (!isTurned(row, label)) continue;
    const at = row * 5;
    const other = at + ((label + 1) % 5);
    [values[at + label], values[other]] = [values[other]!, values[at + label]!];
  }
  return file;
};

test('labels changed in one class: its training loss stands out, and the class is named', () => {
  const honest = trainingLossCells(compared(sampleFile('shipped')));
  assert.ok('test' in honest && honest.test.p > 0.05);
  const found = trainingLossCells(compared(turned('train', (_, label) => label === 2)));
  assert.ok('test' in found && found.test.p < 1e-4 && found.test.statistic > 0);
  assert.deepEqual(found.test.cells, { kind: 'class', count: 5, worst: 2 });
});

test('a class without examples is no cell, and the others keep their names', () => {
  const file = turned('train', (_, label) => label === 4);
  file.targets!.train = file.targets!.train!.map((label) => (label === 1 ? 0 : label));
  const found = trainingLossCells(compared(file));
  assert.ok('test' in found);
  assert.deepEqual(found.test.cells, { kind: 'class', count: 5, worst: 4 });
});

test('losses by slice: the slice is named; without slices, why not', () => {
  const slices = Float32Array.from({ length: 40 }, (_, row) => (row < 10 ? 7 : 3));
  const found = sliceLossCells(compared({ ...turned('test', (row) => row < 10), slices }));
  assert.ok('test' in found && found.test.p < 0.01);
  assert.deepEqual(found.test.cells, { kind: 'slice', count: 8, worst: 7 });
  const told = sliceLossCells(compared(sampleFile('shipped')));
  assert.ok('untested' in told && /declares no Slices/.test(told.untested));
  assert.deepEqual(rowsOfSlices(Float32Array.of(2, 0, 2)), [
    { slice: 0, rows: [1] },
    { slice: 2, rows: [0, 2] },
  ]);
});
