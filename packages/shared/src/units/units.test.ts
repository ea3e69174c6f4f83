import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { displayBytes, parseBytes, printBytes } from './bytes.ts';
import { displayDuration, parseDuration, printDuration } from './duration.ts';

test('sizes', () => {
  for (const [text, bytes] of [
    ['2 GiB', 2_147_483_648],
    ['1.5KiB', 1536],
    ['500 MB', 500_000_000],
    ['0 B', 0],
    ['10', null],
    ['10 gb', null],
    ['-1 GiB', null],
    ['1e3 MB', null],
    ['GiB', null],
    ['9999999 TiB', null],
    ['2 constructor', null],
  ] as const) {
    assert.equal(parseBytes(text), bytes, text);
  }
  assert.equal(displayBytes(31_234_567), '29.8 MiB');
  assert.equal(displayBytes(1023), '1023 B');
});

test('durations', () => {
  for (const [text, seconds] of [
    ['30 min', 1800],
    ['1 h 30 min', 5400],
    ['1h30min', 5400],
    ['2 d', 172_800],
    ['90 s', 90],
    ['30', null],
    ['', null],
    [' ', null],
    ['30 m', null],
    ['30 min 1 h', null],
    ['-1 s', null],
  ] as const) {
    assert.equal(parseDuration(text), seconds, text);
  }
  assert.equal(displayDuration(0.42), '0.4 s');
  assert.equal(displayDuration(2 * 86_400 + 3 * 3_600 + 59), '2 d 3 h');
  assert.equal(displayDuration(3_599.7), '1 h');
});

test('what is printed reads back the same', () => {
  fc.assert(fc.property(fc.maxSafeNat(), (bytes) => assert.equal(parseBytes(printBytes(bytes)), bytes)));
  fc.assert(
    fc.property(fc.nat({ max: 1e10 }), (seconds) =>
      assert.equal(parseDuration(printDuration(seconds)), seconds),
    ),
  );
});
