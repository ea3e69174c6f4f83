import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Measures } from '@retraind/shared/verdict/measures';
import { sampleFile, sampleModel } from '../../packages/shared/samples/judged.ts';
import { drawsOf, judgeDraw, type Member, retrainsWanted } from './draws.ts';

const members = (name: string, count: number): Member[] =>
  Array.from({ length: count }, (_, i) => ({ seed: i + 1, file: sampleFile(`${name} ${i + 1}`) }));
const pool = members('pool', 24);

test('the first draws hold each shipped model once, and the same call draws the same', () => {
  const draws = drawsOf('honest', pool, pool, 60);
  assert.deepEqual(new Set(draws.slice(0, 24).map(({ shipped }) => shipped.seed)).size, 24);
  assert.deepEqual(drawsOf('honest', pool, pool, 60), draws);
  assert.notDeepEqual(
    drawsOf('other', pool, pool, 60).map(({ shipped }) => shipped.seed),
    draws.map(({ shipped }) => shipped.seed),
  );
});

test('no retrain is of the shipped seed, and none is drawn twice', () => {
  for (const { shipped, retrains } of drawsOf('honest', pool, pool, 50)) {
    const seeds = retrains.map(({ seed }) => seed);
    assert.equal(new Set(seeds).size, retrainsWanted);
    assert.ok(!seeds.includes(shipped.seed));
  }
});

test('an odd file is found, by the test that it fails', () => {
  const odd = [{ seed: 1, file: sampleFile('odd', { scatter: { patch: 3 } }) }];
  const measures = new Measures();
  for (const draw of drawsOf('odd', odd, pool, 4)) {
    const { rung, unconfirmed, decidedBy } = judgeDraw(sampleModel(), draw, measures);
    assert.deepEqual([rung, unconfirmed, decidedBy], ['different', 'different', 'distance-patch']);
  }
});
