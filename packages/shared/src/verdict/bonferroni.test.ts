import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bonferroniP } from './bonferroni.ts';

test('the smallest p times their number, at most 1', () => {
  assert.equal(bonferroniP([0.5, 0.01, 0.2, 1]), 0.04);
  assert.equal(bonferroniP([0.5, 0.9]), 1);
});
