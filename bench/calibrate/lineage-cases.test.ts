import assert from 'node:assert/strict';
import { test } from 'node:test';
import { editedKinds, filesOf, lineageCases } from './lineage-cases.ts';

test('four seeds give 16 left-out cases and at least 36 edited ones', () => {
  const cases = lineageCases(4, true);
  const count = (kind: string): number => cases.filter((one) => one.kind === kind).length;
  assert.equal(count('left-out'), 16);
  assert.equal(count('outside'), 16);
  assert.equal(count('edited'), 4 * editedKinds.length);
  assert.ok(count('edited') >= 36);
});

test('no shipped file is among its reruns, and all reruns are honest and of its seed', () => {
  for (const { kind, shipped, reruns, further } of lineageCases(2, true)) {
    assert.equal(reruns.length, kind === 'left-out' ? 3 : 4);
    assert.ok(further.length >= 3);
    for (const rerun of [...reruns, ...further]) {
      assert.deepEqual([rerun.population, rerun.seed], ['honest', shipped.seed]);
      assert.ok(shipped.population !== 'honest' || rerun.numerics !== shipped.numerics);
    }
  }
});

test('each file is wanted once', () => {
  const files = filesOf(lineageCases(4, true)).map((file) => JSON.stringify(file));
  assert.equal(new Set(files).size, files.length);
  // Eleven roundings of four seeds, and ten tampered files each.
  assert.equal(files.length, 4 * (11 + 10));
});
