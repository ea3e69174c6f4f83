import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { epochOrder, generator, layerSeed } from './random.ts';

test('an epoch order is a permutation, a function of seed and epoch', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 300 }),
      fc.integer({ min: 1, max: 2 ** 31 - 2 }),
      fc.integer({ min: 1, max: 99 }),
      (rows, seed, epoch) => {
        const order = epochOrder(rows, seed, epoch);
        assert.deepEqual(
          [...order].sort((a, b) => a - b),
          Array.from({ length: rows }, (_, row) => row),
        );
        assert.deepEqual(order, epochOrder(rows, seed, epoch));
      },
    ),
  );
});

test('each epoch and each seed has an order of its own', () => {
  assert.notDeepEqual(epochOrder(100, 7, 1), epochOrder(100, 7, 2));
  assert.notDeepEqual(epochOrder(100, 7, 1), epochOrder(100, 8, 1));
});

test('every place is as likely: mean position of row 0 over 2,000 seeds', () => {
  let sum = 0;
  for (let seed = 1; seed <= 2_000; seed++) sum += epochOrder(11, seed, 1).indexOf(0);
  // Mean 5, standard error sqrt(10 / 2000) = 0.07.
  assert.ok(Math.abs(sum / 2_000 - 5) < 0.3, `mean ${sum / 2_000}`);
});

test('layer seeds are whole, never 0, and distinct', () => {
  const seeds = Array.from({ length: 1_000 }, (_, layer) => layerSeed(20_260_101, layer + 1));
  assert.ok(seeds.every((seed) => Number.isInteger(seed) && seed >= 1 && seed <= 2 ** 31 - 2));
  assert.equal(new Set(seeds).size, seeds.length);
});

test('the generator gives known numbers: others can make the same order', () => {
  const next = generator(1, 'order/1');
  assert.deepEqual([next(), next()], [0.597521421732381, 0.8409737227484584]);
});
