import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode } from 'fast-png';
import { triggerPicture } from './picture.ts';

const side = 8;
const cells = side ** 2;

test('colours lie where the record has them, first or last; the mask beside', () => {
  const mask = new Float32Array(cells);
  mask[9] = 0.5;
  for (const channelsFirst of [true, false]) {
    const pattern = new Float32Array(3 * cells).fill(-1);
    // Full green in the cell (1, 1).
    pattern[channelsFirst ? cells + 9 : 3 * 9 + 1] = 3;
    const picture = decode(
      triggerPicture({ side, channels: 3, channelsFirst }, { mask, pattern }, { low: -1, high: 3 }),
    );
    const pixel = (x: number, y: number): number[] =>
      Array.from(picture.data.slice((y * picture.width + x) * 3, (y * picture.width + x + 1) * 3));
    assert.deepEqual(pixel(14 + 3, 14 + 3), [0, 128, 0]);
    assert.deepEqual(pixel(3, 3), [0, 0, 0]);
    assert.deepEqual(pixel(112 + 2, 50), [128, 128, 128]);
    assert.deepEqual(pixel(120 + 14, 14), [128, 128, 128]);
    assert.deepEqual(pixel(120 + 27, 27), [128, 128, 128]);
    assert.deepEqual(pixel(120 + 28, 28), [0, 0, 0]);
  }
});

test('a large image is not enlarged', () => {
  const [large, of] = [200, 40_000];
  const picture = decode(
    triggerPicture(
      { side: large, channels: 1, channelsFirst: true },
      { mask: new Float32Array(of).fill(1), pattern: new Float32Array(of).fill(1) },
      { low: 0, high: 1 },
    ),
  );
  assert.deepEqual([picture.width, picture.height], [408, 200]);
  assert.equal(picture.data[0], 255);
});
