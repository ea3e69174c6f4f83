import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { sampleModel } from '../../samples/judged.ts';
import { equivalenceFrom, looks, looksOf, orderRuns, runsWanted, seedIndexOfRun } from './looks.ts';

const bitwise = sampleModel({ comparison: 'bitwise', runs: { min: 1, max: 1 } });
const statistical = sampleModel();

test('the three looks spend 1 % in all', () => {
  assert.deepEqual(
    looks.map(({ k }) => k),
    [3, 5, 10],
  );
  assert.equal(
    looks.reduce((sum, { alpha }) => sum + Math.round(alpha * 1000), 0),
    10,
  );
});

test('Runs: min..max picks among the looks', () => {
  const ks = (min: number, max: number) => looksOf(sampleModel({ runs: { min, max } })).map(({ k }) => k);
  assert.deepEqual(ks(3, 10), [3, 5, 10]);
  assert.deepEqual(ks(5, 10), [5, 10]);
  assert.deepEqual(ks(3, 5), [3, 5]);
  assert.deepEqual(ks(4, 4), [5]);
  assert.deepEqual(ks(11, 20), [10]);
  assert.deepEqual(looksOf(bitwise), []);
});

test('a security-critical model is equivalent from 10 only', () => {
  assert.equal(equivalenceFrom(statistical), 5);
  assert.equal(equivalenceFrom(sampleModel({ securityCritical: true })), 10);
});

test('a job wants the runs of its most demanding model', () => {
  assert.equal(runsWanted([], []), 1);
  assert.equal(runsWanted([bitwise], []), 1);
  assert.equal(runsWanted([bitwise, statistical], []), 3);
  assert.equal(runsWanted([bitwise], [{ k: 1, moreRuns: 1 }]), 2);
  const verdicts = [
    { k: 3, moreRuns: 0 },
    { k: 3, moreRuns: 2 },
    { k: 1, moreRuns: 0 },
  ];
  assert.equal(runsWanted([statistical, statistical, bitwise], verdicts), 5);
});

test('runs of an all-bitwise job repeat the first seed, others never do', () => {
  assert.deepEqual(
    [1, 2].map((n) => seedIndexOfRun([bitwise], n)),
    [1, 1],
  );
  assert.deepEqual(
    [1, 2, 3].map((n) => seedIndexOfRun([bitwise, statistical], n)),
    [1, 2, 3],
  );
  assert.equal(seedIndexOfRun([], 1), 1);
});

test('a gap in the seeds stops the count', () => {
  const order = orderRuns([4, 2, 1].map((seedIndex) => ({ seedIndex })));
  assert.deepEqual(order, [{ seedIndex: 1 }, { seedIndex: 2 }]);
});

test('any order of arrival gives one order', () => {
  const runs = [1, 1, 2, 3, 4].map((seedIndex, i) => ({ seedIndex, digest: `${9 - i}` }));
  const expected = orderRuns(runs, ({ digest }) => digest);
  fc.assert(
    fc.property(fc.shuffledSubarray(runs, { minLength: runs.length }), (shuffled) => {
      assert.deepEqual(
        orderRuns(shuffled, ({ digest }) => digest),
        expected,
      );
    }),
  );
});
