import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Ordered } from './ordered.ts';

test('it is always what a sorted array of its elements is', () => {
  const deeds = fc.array(fc.tuple(fc.boolean(), fc.nat({ max: 3_000 })), {
    minLength: 2_000,
    maxLength: 4_000,
  });
  fc.assert(
    fc.property(deeds, (all) => {
      // Many of the same key: tens.
      const list = new Ordered<number>(
        (value) => Math.floor(value / 10),
        (a, b) => a - b,
      );
      const plain = new Set<number>();
      for (const [adds, value] of all) {
        if (adds && !plain.has(value)) list.add(value);
        if (!adds) assert.equal(list.delete(value), plain.has(value));
        if (adds) plain.add(value);
        else plain.delete(value);
        assert.equal(list.size, plain.size);
      }
      const expected = [...plain].sort((a, b) => a - b);
      assert.deepEqual([...list], expected);
      assert.equal(list.first(), expected[0]);
      const middle = expected[expected.length >> 1];
      if (middle !== undefined) {
        assert.deepEqual([...list.after(middle)], expected.slice((expected.length >> 1) + 1));
      }
    }),
    { numRuns: 20 },
  );
});

test('many elements in any order, then all gone', () => {
  const list = new Ordered<number>(
    (value) => value,
    () => 0,
  );
  const mixed = Array.from({ length: 5_000 }, (_, i) => (i * 2_503) % 5_000);
  for (const value of mixed) list.add(value);
  assert.deepEqual([...list].slice(0, 3), [0, 1, 2]);
  assert.equal(list.size, 5_000);
  for (const value of mixed) assert.ok(list.delete(value));
  assert.equal(list.first(), undefined);
  assert.equal(list.delete(1), false);
});
