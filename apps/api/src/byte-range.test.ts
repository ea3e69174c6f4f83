import assert from 'node:assert/strict';
import { test } from 'node:test';
import { byteRange } from './byte-range.ts';

test('byte ranges as RFC 9110 §14.1.2 gives them', () => {
  const cases: [string | undefined, number, ReturnType<typeof byteRange>][] = [
    [undefined, 10_000, null],
    ['bytes=0-499', 10_000, { start: 0, end: 499 }],
    ['bytes=500-999', 10_000, { start: 500, end: 999 }],
    ['bytes=-500', 10_000, { start: 9_500, end: 9_999 }],
    ['bytes=9500-', 10_000, { start: 9_500, end: 9_999 }],
    ['bytes=0-99999', 10, { start: 0, end: 9 }],
    ['bytes=-99999', 10, { start: 0, end: 9 }],
    ['bytes=10-', 10, 'unsatisfiable'],
    ['bytes=-0', 10, 'unsatisfiable'],
    ['bytes=0-', 0, 'unsatisfiable'],
    ['bytes=5-2', 10, null],
    ['bytes=-', 10, null],
    ['bytes=0-1,3-4', 10, null],
    ['lines=0-1', 10, null],
  ];
  for (const [header, size, expected] of cases)
    assert.deepEqual(byteRange(header, size), expected, String(header));
});
