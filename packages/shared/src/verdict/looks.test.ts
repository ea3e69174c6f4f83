import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { sampleModel } from '../../samples/judged.ts';
import { equivalenceFrom, looks, looksOf, orderRuns } from './looks.ts';

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
