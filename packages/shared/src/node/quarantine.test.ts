// Who computes wrongly: decided by agreement of others, never by two alone.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { contradictions, nodesToQuarantine, type SeedResult } from './quarantine.ts';

/** `a:x` is node a that gave x; each letter pair one run of the group's seed. */
const group = (sameness: string, text: string, model = 'm'): SeedResult[] =>
  text.split(' ').map((word, i) => {
    const [nodeId, sha256] = word.split(':') as [string, string];
    return { runId: `${sameness}-${i}`, jobId: 'j', model, sameness, nodeId, sha256, endedAt: new Date(i) };
  });
const accused = (results: SeedResult[]) => contradictions(results).map(({ nodeId }) => nodeId);

test('two others must agree; ties, loners and a node that differs from itself accuse nobody', () => {
  for (const [text, wanted] of [
    ['a:x b:x c:y', ['c']],
    ['a:x b:y', []],
    ['a:x b:y c:z', []],
    ['a:x b:x c:y d:y', []],
    ['a:x a:x b:y', []],
    ['a:x a:y b:x c:x', ['a']],
    ['a:x a:y b:x', []],
    ['a:x b:x c:y d:z', ['c', 'd']],
    ['a:x b:x c:x', []],
  ] as const) {
    assert.deepEqual(accused(group('s', text)), wanted, text);
  }
});

test('other seeds, models and classes are not compared with each other', () => {
  const results = [
    ...group('seed 1', 'a:x b:x'),
    ...group('seed 2', 'c:y'),
    ...group('seed 1', 'd:z', 'other'),
  ];
  assert.deepEqual(accused(results), []);
});

test('one contradiction does not quarantine, two models of one run neither, two runs do', () => {
  const once = group('s', 'a:x b:x c:y');
  assert.equal(nodesToQuarantine(once).size, 0);
  assert.equal(nodesToQuarantine([...once, ...group('s', 'a:x b:x c:y', 'second')]).size, 0);
  const twice = nodesToQuarantine([...once, ...group('t', 'a:x b:x c:y')]);
  assert.deepEqual([...twice.keys()], ['c']);
  assert.deepEqual(twice.get('c')?.[0]?.agreedBy, ['a', 'b']);
});

test('whoever is accused is outvoted by two others, in any order of the results', () => {
  const result = fc.record({
    node: fc.constantFrom('a', 'b', 'c', 'd'),
    sha: fc.constantFrom('x', 'y'),
    seed: fc.constantFrom('1', '2'),
  });
  fc.assert(
    fc.property(fc.array(result, { maxLength: 12 }), (drawn) => {
      const results = drawn.map(({ node, sha, seed }, i) => ({
        ...{ runId: `r${i}`, jobId: 'j', model: 'm', sameness: seed, nodeId: node, sha256: sha },
        endedAt: new Date(i),
      }));
      for (const { nodeId, agreedBy, agreedSha256, runId } of contradictions(results)) {
        const own = results.find((one) => one.runId === runId)!;
        const voters = new Set<string>(
          results
            .filter((one) => one.sameness === own.sameness && one.sha256 === agreedSha256)
            .map((one) => one.nodeId),
        );
        voters.delete(nodeId);
        assert.ok(
          voters.size >= 2 && agreedBy.every((voter) => voters.has(voter)) && own.sha256 !== agreedSha256,
        );
      }
      const key = (list: SeedResult[]) =>
        contradictions(list)
          .map(({ runId }) => runId)
          .sort();
      assert.deepEqual(key(results), key([...results].reverse()));
    }),
  );
});
