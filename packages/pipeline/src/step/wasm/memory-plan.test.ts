import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { plan } from './memory-plan.ts';

const block = fc
  .record({ bytes: fc.nat(500), from: fc.nat(20), length: fc.nat(5) })
  .map(({ bytes, from, length }) => ({ bytes, from, to: from + length }));

test('blocks of one time never overlap, and all lie inside', () => {
  fc.assert(
    fc.property(fc.array(block, { maxLength: 30 }), (blocks) => {
      const { offsets, bytes } = plan(blocks);
      blocks.forEach((a, i) => {
        assert.equal(offsets[i]! % 64, 0);
        assert.ok(offsets[i]! + a.bytes <= bytes);
        blocks.slice(0, i).forEach((b, j) => {
          if (a.to < b.from || b.to < a.from) return;
          assert.ok(offsets[i]! >= offsets[j]! + b.bytes || offsets[j]! >= offsets[i]! + a.bytes);
        });
      });
    }),
  );
});

test('blocks of different times share memory', () => {
  const one = plan([{ bytes: 100, from: 0, to: 1 }]).bytes;
  assert.equal(plan([0, 2, 4].map((from) => ({ bytes: 100, from, to: from + 1 }))).bytes, one);
});
