import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clopperPearson } from './clopper-pearson.ts';

const near = (actual: number, expected: number): void =>
  assert.ok(Math.abs(actual - expected) < 1e-6, `${actual} is not ${expected}`);

test('none and all have closed forms', () => {
  near(clopperPearson(0, 20).high, 1 - 0.025 ** (1 / 20));
  near(clopperPearson(10, 10).low, 0.025 ** (1 / 10));
  assert.equal(clopperPearson(0, 20).low, 0);
  assert.equal(clopperPearson(10, 10).high, 1);
});

test('a value of the printed tables: 1 of 20', () => {
  near(clopperPearson(1, 20).low, 1 - 0.975 ** (1 / 20));
  assert.ok(Math.abs(clopperPearson(1, 20).high - 0.2487) < 1e-4);
});

test('the two tails mirror each other', () => {
  near(clopperPearson(3, 50).low, 1 - clopperPearson(47, 50).high);
});
