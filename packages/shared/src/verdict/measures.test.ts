import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleFile, sampleModel, sampleRuns } from '../../samples/judged.ts';
import { Measures } from './measures.ts';
import { judgeModel } from './verdict.ts';

test('a figure is made once an array, a distance once a pair whichever comes first', () => {
  const measures = new Measures();
  const a = Float32Array.of(0.2, 0.8);
  const b = Float32Array.of(0.7, 0.3);
  let made = 0;
  for (const values of [a, a, b]) measures.of(values, 'count', () => (made += 1));
  assert.equal(made, 2);
  const forth = measures.distance('classification', a, b, 2);
  b.fill(0);
  assert.equal(measures.distance('classification', b, a, 2), forth);
  assert.notEqual(new Measures().distance('classification', b, a, 2), forth);
});

test('tasks and targets do not share figures', () => {
  const measures = new Measures();
  const values = Float32Array.of(0.2, 0.8);
  const means = measures.cellMeans('classification', values, 2);
  assert.notDeepEqual(measures.cellMeans('regression', values, 2), means);
  const loss = (targets: number[]): number =>
    measures.fit('classification', values, 2, Float32Array.from(targets)).loss;
  assert.notEqual(loss([0]), loss([1]));
  assert.throws(() => measures.distance('embedding', values, values, 2), TypeError);
});

test('one memo over many judgements changes no verdict', () => {
  const measures = new Measures();
  const runs = sampleRuns('retrains', 12);
  for (let draw = 0; draw < 4; draw += 1) {
    const reference = draw % 2 === 0 ? sampleFile('shipped') : runs[11]!;
    const drawn = [0, 1, 2, 3, 4].map((i) => ({ ...runs[(i * 2 + draw) % 11]!, seedIndex: i + 1 }));
    const input = { model: sampleModel(), reference, runs: drawn };
    assert.deepEqual(judgeModel(input, measures), judgeModel(input));
  }
});
