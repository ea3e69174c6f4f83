import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generator } from '@retraind/pipeline/random';
import { rollOut } from './data.ts';

const truth = [0.7, 0.3, 0.1, 0.2, 0.05];

test('rollouts are shares of 144 games, nested, and never a win and a loss at once', () => {
  const rows = 500;
  const shares = rollOut(Array(rows).fill(truth).flat(), generator(1, 'test'));
  for (let row = 0; row < rows; row++) {
    const counts = [...shares.subarray(row * 5, row * 5 + 5)].map((share) => share * 144);
    for (const count of counts) assert.ok(Math.abs(count - Math.round(count)) < 1e-4);
    const [win, winGammon, winBackgammon, loseGammon, loseBackgammon] = counts;
    assert.ok(win! >= winGammon! && winGammon! >= winBackgammon!);
    assert.ok(loseGammon! >= loseBackgammon! && win! + loseGammon! <= 144 + 1e-4);
  }
});

test('rollouts average to the true chances, and spread as 144 games do', () => {
  const rows = 4_000;
  const shares = rollOut(Array(rows).fill(truth).flat(), generator(2, 'test'));
  for (const [output, chance] of truth.entries()) {
    const column = Array.from({ length: rows }, (_, row) => shares[row * 5 + output]!);
    const mean = column.reduce((sum, share) => sum + share, 0) / rows;
    const variance = column.reduce((sum, share) => sum + (share - mean) ** 2, 0) / (rows - 1);
    const wanted = (chance * (1 - chance)) / 144;
    // Five standard errors of a mean and of a variance of nearly normal numbers.
    assert.ok(Math.abs(mean - chance) < 5 * Math.sqrt(wanted / rows), `output ${output}: ${mean}`);
    assert.ok(
      Math.abs(variance / wanted - 1) < 5 * Math.sqrt(2 / rows) + 0.02,
      `output ${output}: ${variance}`,
    );
  }
});

test('what cannot happen is in no rollout, and what must happen in all', () => {
  assert.deepEqual([...rollOut([1, 1, 1, 0, 0], generator(3, 'test'))], [1, 1, 1, 0, 0]);
  assert.deepEqual([...rollOut([0, 0, 0, 1, 1], generator(3, 'test'))], [0, 0, 0, 1, 1]);
});
