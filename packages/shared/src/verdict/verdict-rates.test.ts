// How often made-up honest models are called what: the sequential design as a whole, over models drawn from one population.
// The rates on trained models are measured by npm run calibrate (docs/reference/error-rates.md).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleFile, sampleModel, sampleRuns } from '../../samples/judged.ts';
import type { Rung } from './evidence.ts';
import { judgeModel } from './verdict.ts';

const rungsOf = (draws: number, noise: number): Partial<Record<Rung, number>> => {
  const counts: Partial<Record<Rung, number>> = {};
  for (let draw = 0; draw < draws; draw += 1) {
    const reference = sampleFile(`shipped ${draw}`, { scatter: { noise } });
    const runs = sampleRuns(`retrains ${draw}`, 10);
    const { rung } = judgeModel({ model: sampleModel(), reference, runs });
    counts[rung] = (counts[rung] ?? 0) + 1;
  }
  return counts;
};

test('of 150 honest models at most 3 % are different and at least 85 % equivalent', () => {
  const { different = 0, 'statistically-equivalent': equivalent = 0 } = rungsOf(150, 1);
  assert.ok(different <= 4, `${different} different`);
  assert.ok(equivalent >= 128, `${equivalent} equivalent`);
});

test('of 40 models with three times the scatter on noise all are different', () => {
  assert.deepEqual(rungsOf(40, 3), { different: 40 });
});
