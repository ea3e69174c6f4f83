import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rankP } from './rank-p.ts';

test('never below 1 / (k + 1), ties count against the shipped file being odd', () => {
  assert.equal(rankP(9, [1, 2, 3]), 1 / 4);
  assert.equal(rankP(2, [1, 2, 3]), 3 / 4);
  assert.equal(rankP(0, [1, 2, 3]), 1);
});
