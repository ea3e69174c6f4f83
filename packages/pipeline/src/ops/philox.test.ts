import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fillMask, philox } from './philox.ts';

// kat_vectors of Random123 1.14, `philox4x32 10`.
const known = [
  ['00000000 00000000 00000000 00000000', '00000000 00000000', '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
  ['ffffffff ffffffff ffffffff ffffffff', 'ffffffff ffffffff', '408f276d 41c83b0e a20bc7c6 6d5451fd'],
  ['243f6a88 85a308d3 13198a2e 03707344', 'a4093822 299f31d0', 'd16cfe09 94fdcceb 5001e420 24126ea1'],
] as const;
const words = (text: string): Uint32Array =>
  Uint32Array.from(text.split(' '), (word) => Number.parseInt(word, 16));

test('Philox gives the authors’ known answers', () => {
  for (const [counter, key, expected] of known) {
    const out = new Uint32Array(4);
    philox(words(counter), words(key), out);
    assert.deepEqual(out, words(expected));
  }
});

test('a mask keeps its share, differs by seed and by step, and begins alike at any length', () => {
  const mask = (length: number, seeds: [number, number], rate = 0.3): Float32Array => {
    const out = new Float32Array(length);
    fillMask(out, seeds, rate, 2);
    return out;
  };
  const zeros = mask(20_000, [7, 0]).filter((value) => value === 0).length;
  // Five standard deviations of a binomial: 5 √(20000 · 0.3 · 0.7).
  assert.ok(Math.abs(zeros - 6000) < 325, `${zeros} zeros`);
  assert.notDeepEqual(mask(100, [7, 0]), mask(100, [7, 1]));
  assert.notDeepEqual(mask(100, [7, 0]), mask(100, [8, 0]));
  assert.deepEqual(mask(100, [7, 0]).slice(0, 33), mask(33, [7, 0]));
  assert.ok(mask(1000, [-1, -1], 0).every((value) => value === 2));
});

test('blocks are exact: as by whole numbers of any size', () => {
  const word = fc.integer({ min: 0, max: 0xffffffff });
  const mask = 0xffffffffn;
  fc.assert(
    fc.property(fc.tuple(word, word, word, word), fc.tuple(word, word), (counter, key) => {
      let [c0, c1, c2, c3] = counter.map(BigInt) as [bigint, bigint, bigint, bigint];
      let [k0, k1] = key.map(BigInt) as [bigint, bigint];
      for (let round = 0; round < 10; round++) {
        const [p0, p1] = [0xd2511f53n * c0, 0xcd9e8d57n * c2];
        [c0, c1, c2, c3] = [(p1 >> 32n) ^ c1 ^ k0, p1 & mask, (p0 >> 32n) ^ c3 ^ k1, p0 & mask];
        [k0, k1] = [(k0 + 0x9e3779b9n) & mask, (k1 + 0xbb67ae85n) & mask];
      }
      const out = new Uint32Array(4);
      philox(Uint32Array.from(counter), Uint32Array.from(key), out);
      assert.deepEqual([...out].map(BigInt), [c0, c1, c2, c3]);
    }),
    { numRuns: 500 },
  );
});
