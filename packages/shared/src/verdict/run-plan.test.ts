import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleModel } from '../../samples/judged.ts';
import { placeInWords, placeKey, type RunPlace, retrainPlaces, seedOfPlace } from '../job/run-place.ts';
import { seedAt } from '../job/seed.ts';
import { countedRuns, declaredPlace, plannedRuns, rerunPlace } from './run-plan.ts';

const bitwise = sampleModel({ comparison: 'bitwise', runs: { min: 1, max: 1 } });
const statistical = sampleModel();
const seeded = (seed: number) => sampleModel({ seed });
const seeds = (places: RunPlace[]) => places.map(({ declaredSeed, seedIndex }) => declaredSeed ?? -seedIndex);
const dependence: RunPlace = {
  purpose: 'dependence',
  seedIndex: 1,
  declaredSeed: null,
  numerics: 0,
  repeat: 0,
};

test('at first: one run of bytes, a look of statistics, a declared seed once; models share them', () => {
  assert.deepEqual(plannedRuns([], []), retrainPlaces(1));
  assert.deepEqual(plannedRuns([bitwise], []), retrainPlaces(1));
  assert.deepEqual(plannedRuns([bitwise, statistical], []), retrainPlaces(3));
  assert.deepEqual(seeds(plannedRuns([seeded(5), seeded(6), seeded(5)], [])), [-1, 5, 6]);
  // Near the shipped file from the start: reruns of its seed say nothing.
  assert.deepEqual(seeds(plannedRuns([sampleModel({ seed: 5, readsShipped: true })], [])), [-1, -2, -3]);
});

test('verdicts ask by place, or for retrains up to k + moreRuns; final ones ask nothing', () => {
  const asks = [dependence];
  const plan = plannedRuns(
    [statistical, bitwise],
    [
      { k: 3, moreRuns: 2 },
      { k: 1, moreRuns: 1, asks },
      { k: 9, moreRuns: 0 },
    ],
  );
  assert.deepEqual(plan, [...retrainPlaces(5), dependence]);
});

test('property of a plan: no place twice', () => {
  const asks = [declaredPlace(5, 0), declaredPlace(5, 1), dependence, rerunPlace];
  const plan = plannedRuns(
    [seeded(5), seeded(5)],
    [
      { k: 1, moreRuns: 4, asks },
      { k: 1, moreRuns: 4, asks },
    ],
  );
  assert.equal(new Set(plan.map(placeKey)).size, plan.length);
  assert.equal(plan.length, 5);
});

test('so many runs as a person wants: fresh seeds, or the first again; declared seeds and dependence beside them', () => {
  assert.deepEqual(countedRuns([statistical], [], 4), retrainPlaces(4));
  assert.deepEqual(countedRuns([bitwise], [], 2), [...retrainPlaces(1), rerunPlace]);
  assert.deepEqual(countedRuns([bitwise], [{ k: 1, moreRuns: 1, asks: [rerunPlace] }], 1), retrainPlaces(1));
  const asked = [{ k: 1, moreRuns: 2, asks: [dependence, declaredPlace(5, 2)] }];
  assert.deepEqual(countedRuns([statistical], asked, 2), [
    ...retrainPlaces(2),
    dependence,
    declaredPlace(5, 2),
  ]);
});

test('the seed of a place, and its words', () => {
  assert.equal(seedOfPlace('7', retrainPlaces(2)[1]!), seedAt('7', 2));
  assert.equal(seedOfPlace('7', declaredPlace(0, 3)), 0);
  assert.throws(() => seedOfPlace('7', { seedIndex: 0, declaredSeed: null }), RangeError);
  assert.equal(placeInWords(declaredPlace(9, 2)), 'declared seed 9, numerics 2');
  assert.equal(placeInWords(rerunPlace), 'seed 1 of the job, again');
  assert.equal(placeInWords(dependence), 'seed 1 of the job, a tenth of the records withheld');
});
