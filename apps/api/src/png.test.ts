import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isPicture } from './png.ts';

/** 1 × 1, grey. */
const pixel = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==',
  'base64',
);
const changed = (at: number, ...values: number[]): Buffer => {
  const bytes = Buffer.from(pixel);
  bytes.set(values, at);
  return bytes;
};

test('a PNG of a sane size is a picture; anything else is not', () => {
  assert.ok(isPicture(pixel));
  assert.ok(!isPicture(Buffer.alloc(0)));
  assert.ok(!isPicture(pixel.subarray(0, 32)), 'cut off');
  assert.ok(!isPicture(changed(16, 0, 0, 0, 0)), 'no width');
  assert.ok(!isPicture(changed(20, 0, 0, 0x10, 1)), '4,097 lines');
  assert.ok(!isPicture(changed(12, 0x49, 0x45, 0x4e, 0x44)), 'another first chunk');
  assert.ok(!isPicture(Buffer.from(`<!doctype html><script>1</script>${' '.repeat(40)}`)));
  assert.ok(!isPicture(Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg">${' '.repeat(40)}`)));
});

test('no other bytes pass, and none throws', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => !isPicture(Buffer.from(bytes))));
});
