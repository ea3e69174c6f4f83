import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readNpy } from '@retraind/pipeline/data/npy';
import { npyBytes } from './npy.ts';

test('an array comes back from npy as it was written', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'retraind-npy-'));
  try {
    const path = join(folder, 'array.npy');
    for (const [shape, values] of [
      [[2, 3], Float32Array.of(0.5, -1, 3e-38, 4, 5, 6)],
      [[4], Int32Array.of(-(2 ** 31), 0, 7, 2 ** 31 - 1)],
      [[2, 2], Uint8Array.of(0, 1, 16, 255)],
    ] as const) {
      const bytes = npyBytes(shape, values);
      assert.equal((bytes.length - values.byteLength) % 64, 0);
      writeFileSync(path, bytes);
      const array = await readNpy(path);
      assert.deepEqual(array.shape, [...shape]);
      assert.deepEqual([...array.values], [...values]);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('values that do not fill the shape are refused', () => {
  assert.throws(() => npyBytes([2, 3], new Float32Array(5)), RangeError);
});
