import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EventQueue } from './event-queue.ts';

test('events happen by time, and those of one moment in the order in which they were put in', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20), { maxLength: 200 }), (times) => {
      const queue = new EventQueue();
      const seen: [number, number][] = [];
      times.forEach((at, order) => {
        queue.at(at, () => seen.push([queue.now, order]));
      });
      while (queue.next());
      const expected = times.map((at, order): [number, number] => [at, order]);
      assert.deepEqual(
        seen,
        expected.sort((a, b) => a[0] - b[0] || a[1] - b[1]),
      );
    }),
  );
});

test('what is put in for a time that is over happens now', () => {
  const queue = new EventQueue();
  const seen: number[] = [];
  queue.at(50, () => queue.at(10, () => seen.push(queue.now)));
  while (queue.next());
  assert.deepEqual(seen, [50]);
});
