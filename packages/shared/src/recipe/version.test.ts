import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compareVersions, parseVersion, upstreamVersion, versionSatisfies } from './version.ts';

// Policy 5.6.12's own order (`~~`, `~~a`, `~`, the empty part, `a`), then cases of dpkg's t-version.c.
const ascending = [
  ['1.0~~', '1.0~~a', '1.0~', '1.0', '1.0-1~bpo', '1.0-1', '1.0a', '1.0+b'],
  ['0-1~bpo12+1', '0-1', '0-1+b1', '0-1+deb12u1', '0-1.1', '0-2', '0-10'],
  ['0.0~git20200523', '0.0~git20200523.1', '0.0.1', '0.9', '0.10', '1', '1.1', '1:0.4', '2:0'],
  ['1.2.3-0.1', '1.2.3-1', '1.2.3a', '1.2.3b', '1.2.3ba', '1.2.3+', '1.2.3.0'],
  ['9007199254740992', '9007199254740993', '99999999999999999999'],
];

test('versions order as Policy and dpkg order them', () => {
  for (const chain of ascending) {
    for (let i = 0; i < chain.length; i++) {
      for (let j = 0; j < chain.length; j++) {
        const got = compareVersions(chain[i]!, chain[j]!);
        assert.equal(Math.sign(got), Math.sign(i - j), `${chain[i]} against ${chain[j]}`);
      }
    }
  }
});

test('equal versions need not be the same text', () => {
  for (const [a, b] of [
    ['1.0', '0:1.0'],
    ['1.0', '1.00'],
    ['1.0', '1.0-0'],
    ['1.0-01', '1.0-1'],
    ['1.0-', '1.0-0'],
  ] as const) {
    assert.equal(compareVersions(a, b), 0, `${a} and ${b}`);
  }
});

test('parts of a version', () => {
  assert.deepEqual(parseVersion('1:0.4-2'), { epoch: 1, upstream: '0.4', revision: '2' });
  assert.deepEqual(parseVersion('1.0-rc1-3'), { epoch: 0, upstream: '1.0-rc1', revision: '3' });
  assert.deepEqual(parseVersion('2:1:3~a'), { epoch: 2, upstream: '1:3~a', revision: '' });
  for (const bad of ['', 'a1', '1:', '1:2:3-', 'x:1', '1 2', '1.0-', '1.0_2', '99999999999:1', '1.0-a:b']) {
    assert.equal(parseVersion(bad), null, bad);
  }
  assert.equal(upstreamVersion('1:1.07.001-1'), '1.07.001');
});

const versionText = fc
  .tuple(
    fc.option(fc.integer({ min: 0, max: 3 }), { nil: null }),
    fc.array(fc.constantFrom('0', '1', '9', '10', '~', '+', '.', 'a', 'Z', '-'), { maxLength: 7 }),
    fc.option(fc.array(fc.constantFrom('0', '1', '02', '~', '.', '+', 'b'), { maxLength: 4 }), { nil: null }),
  )
  .map(
    ([epoch, upstream, revision]) =>
      `${epoch === null ? '' : `${epoch}:`}1${upstream.join('')}${revision === null ? '' : `-${revision.join('')}`}`,
  );

test('the order is total', () => {
  fc.assert(
    fc.property(versionText, versionText, versionText, (a, b, c) => {
      assert.equal(compareVersions(a, a), 0);
      assert.equal(Math.sign(compareVersions(a, b)), -Math.sign(compareVersions(b, a)) + 0);
      const [x, y, z] = [a, b, c].sort(compareVersions) as [string, string, string];
      assert.ok(compareVersions(x, y) <= 0 && compareVersions(y, z) <= 0 && compareVersions(x, z) <= 0);
      // Equal versions are interchangeable.
      if (compareVersions(a, b) === 0) {
        assert.equal(Math.sign(compareVersions(a, c)), Math.sign(compareVersions(b, c)));
      }
    }),
    { numRuns: 2_000 },
  );
});

test('a version satisfies an operator', () => {
  assert.ok(versionSatisfies('1:0.4-2', '>=', '0.9'));
  assert.ok(versionSatisfies('1.0~rc1', '<<', '1.0'));
  assert.ok(versionSatisfies('1.0', '=', '1.0-0'));
  assert.ok(!versionSatisfies('1.0', '>>', '1.0'));
  assert.ok(versionSatisfies('1.0', '<=', '1.0'));
});
