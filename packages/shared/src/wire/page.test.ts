import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeCursor, encodeCursor, nextLink } from './page.ts';

test('a cursor comes back as it was given', () => {
  const ascii = fc.string({ unit: 'binary-ascii' });
  fc.assert(
    fc.property(fc.array(ascii), (key) => {
      const cursor = encodeCursor(key);
      assert.match(cursor, /^[A-Za-z0-9_-]*$/);
      assert.deepEqual(decodeCursor(cursor, key.length), key);
    }),
  );
});

test('a foreign cursor is a fault of the request, with a cure', () => {
  for (const cursor of ['', '!!', 'eyJhIjoxfQ', encodeCursor(['one']), btoa('[1,2]')]) {
    assert.throws(() => decodeCursor(cursor, 2), { name: 'Problem', code: 'invalid-request' });
  }
});

test('the next link keeps filters and escapes them', () => {
  assert.equal(
    nextLink('/api/v1/jobs', { source: 'a+b&c', limit: 2, cursor: 'old', state: undefined }, 'new'),
    '</api/v1/jobs?source=a%2Bb%26c&limit=2&cursor=new>; rel="next"',
  );
});
