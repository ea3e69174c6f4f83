// What the charts are drawn from: hostile metrics lines, round ticks.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readSeries } from '@retraind/api/pages/metrics-lines';
import { scale, ticks } from '@retraind/api/pages/scale';
import fc from 'fast-check';

test('loss is drawn by step; other lines are passed over', () => {
  const text = [
    '{"progress":0.1}',
    '{"step":1,"loss":2.5,"accuracy":0.1}',
    'no json',
    '{"step":2,"loss":"NaN"}',
    '{"step":3,"loss":1e999}',
    '[1,2]',
    'null',
    `{"loss":1,"x":"${'y'.repeat(20_000)}"}`,
    '{"step":4,"loss":1.5}',
  ].join('\n');
  assert.deepEqual(readSeries(text), {
    name: 'loss',
    points: [
      { step: 1, value: 2.5 },
      { step: 4, value: 1.5 },
    ],
  });
});

test('where there is no loss the first other number is drawn; where there is nothing, nothing', () => {
  assert.deepEqual(readSeries('{"epoch":1,"error":0.5}\n{"epoch":2,"error":0.25}'), {
    name: 'error',
    points: [
      { step: 0, value: 0.5 },
      { step: 1, value: 0.25 },
    ],
  });
  assert.equal(readSeries(''), null);
  assert.equal(readSeries('{"progress":0.5}'), null);
});

test('a long curve is thinned to means', () => {
  const text = Array.from({ length: 1_000 }, (_, step) => `{"step":${step},"loss":${step % 2}}`).join('\n');
  const { points } = readSeries(text, 100)!;
  assert.equal(points.length, 100);
  assert.ok(points.every(({ value }) => value === 0.5));
  assert.equal(points[0]!.step, 4.5);
});

test('no bytes make a curve with a number that cannot be drawn', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.json(), fc.string(), fc.constant('{"step":-1e308,"loss":1e308}'))),
      (lines) => {
        for (const { step, value } of readSeries(lines.join('\n'))?.points ?? []) {
          assert.ok(Number.isFinite(step) && Number.isFinite(value));
        }
      },
    ),
  );
});

test('ticks are round, within the range and few', () => {
  assert.deepEqual(ticks(0, 1), [0, 0.2, 0.4, 0.6, 0.8, 1]);
  assert.deepEqual(ticks(0.866, 0.898, 6), [0.87, 0.88, 0.89]);
  assert.deepEqual(ticks(3, 3), [3]);
  const range = fc.double({ min: -1e6, max: 1e6, noNaN: true });
  fc.assert(
    fc.property(range, fc.double({ min: 1e-6, max: 1e6, noNaN: true }), (low, width) => {
      const all = ticks(low, low + width);
      assert.ok(all.length <= 12);
      for (const tick of all) assert.ok(tick >= low - width * 0.01 && tick <= low + width * 1.01);
    }),
  );
});

test('a scale maps ends to ends, and a single value to the middle', () => {
  const x = scale(10, 20, 0, 100);
  assert.deepEqual([x(10), x(15), x(20)], [0, 50, 100]);
  assert.equal(scale(5, 5, 0, 100)(5), 50);
});
