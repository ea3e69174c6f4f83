// Who computes wrongly: decided by agreement of others, never by two alone.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  contradictions,
  grouped,
  isIrreproducible,
  lastSoundAt,
  quarantines,
  type SeedResult,
} from './quarantine.ts';

/** `a:x` is node a that gave x; each letter pair one run of the group's seed, in a job of the package. */
const group = (sameness: string, text: string, { model = 'm', source = 'p' } = {}): SeedResult[] =>
  text.split(' ').map((word, i) => {
    const [nodeId, sha256] = word.split(':') as [string, string];
    const of = { jobId: `job of ${source}`, source, model, setting: 'amd64 wasm', sameness };
    return { ...of, runId: `${source} ${sameness}-${i}`, nodeId, sha256, endedAt: new Date(i) };
  });
/** Nodes that what is known of all results quarantines. */
const quarantined = (results: SeedResult[]): string[] =>
  [...grouped(contradictions(results), ({ nodeId }) => nodeId)]
    .filter(([, found]) => quarantines(found))
    .map(([nodeId]) => nodeId);
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
    ['a:x b:x c:y d:z', []],
    ['a:x b:x c:y c:z', ['c', 'c']],
    ['a:x b:x d:x c:y', ['c']],
    ['a:x b:x c:x', []],
  ] as const) {
    assert.deepEqual(accused(group('s', text)), wanted, text);
  }
});

test('in doubt is what a node gave since others last agreed with it', () => {
  const at = (results: SeedResult[], seconds: number) =>
    results.map((one) => ({ ...one, endedAt: new Date(seconds * 1_000) }));
  const wrong = at(group('seed 3', 'a:x b:x c:y'), 30);
  const late = at(group('seed 4', 'c:x a:x'), 40);
  const alone = at(group('seed 2', 'c:z'), 20);
  const soundAt = (results: SeedResult[]) =>
    lastSoundAt(results, 'c', contradictions(results))?.getTime() ?? null;
  assert.equal(
    soundAt([...wrong, ...alone, ...late]),
    null,
    'nobody has seen what it gave alone, nor helps a later one',
  );
  assert.equal(soundAt([...at(group('seed 1', 'c:x a:x'), 10), ...alone, ...wrong]), 10_000);
  assert.equal(soundAt([...at(group('seed 1', 'c:x a:y'), 10), ...wrong]), null);
});

test('other seeds, models and classes are not compared with each other', () => {
  const results = [
    ...group('seed 1', 'a:x b:x'),
    ...group('seed 2', 'c:y'),
    ...group('seed 1', 'd:z', { model: 'other' }),
  ];
  assert.deepEqual(accused(results), []);
});

test('one contradiction does not quarantine, two models or seeds of one package neither, two packages do', () => {
  const once = group('s', 'a:x b:x c:y');
  assert.deepEqual(quarantined(once), []);
  assert.deepEqual(quarantined([...once, ...group('s', 'a:x b:x c:y', { model: 'second' })]), []);
  assert.deepEqual(quarantined([...once, ...group('t', 'a:x b:x c:y')]), []);
  const twice = [...once, ...group('s', 'a:x b:x c:y', { source: 'q' })];
  assert.deepEqual(quarantined(twice), ['c']);
  assert.deepEqual(contradictions(twice)[0]?.agreedBy, ['a', 'b']);
});

test('a recipe that others contradict each other about accuses nobody, in no seed of it', () => {
  const odd = group('s', 'a:x b:x c:y');
  // Without c, b differs from a in another seed: c may be as sound as they.
  assert.deepEqual(accused([...odd, ...group('t', 'a:x b:y')]), []);
  assert.deepEqual(accused([...odd, ...group('t', 'a:x b:y c:x')]), []);
  // A node that differs from itself vouches for no recipe, either.
  assert.deepEqual(accused([...odd, ...group('t', 'a:x a:y')]), []);
  // What the accused itself gives shows nothing: it is all c's.
  assert.deepEqual(accused([...odd, ...group('t', 'a:x c:y'), ...group('u', 'c:x c:y')]), ['c']);
  // Another setting of the same job is another question.
  const elsewhere = group('t', 'a:x b:y').map((one) => ({ ...one, setting: 'amd64 cpu' }));
  assert.deepEqual(accused([...odd, ...elsewhere]), ['c']);
});

test('irreproducible: whoever is left out, others differ', () => {
  assert.equal(isIrreproducible(group('s', 'a:x b:y c:z')), true);
  assert.equal(isIrreproducible(group('s', 'a:x b:x c:y')), false);
  assert.equal(isIrreproducible(group('s', 'a:x b:y')), false, 'two do not tell');
  assert.equal(isIrreproducible([...group('s', 'a:x b:y'), ...group('t', 'c:x d:y')]), true);
});

test('one package quarantines nobody, however its results are drawn', () => {
  const drawn = fc.array(
    fc.record({ node: fc.constantFrom('a', 'b', 'c'), sha: fc.constantFrom('x', 'y'), seed: fc.nat(3) }),
    { maxLength: 20 },
  );
  fc.assert(
    fc.property(drawn, (list) => {
      const results = list.flatMap(({ node, sha, seed }, i) =>
        group(`seed ${seed}`, `${node}:${sha}`).map((one) => ({ ...one, runId: `r${i}` })),
      );
      assert.deepEqual(quarantined(results), []);
    }),
  );
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
        ...{ runId: `r${i}`, jobId: 'j', source: 'p', model: 'm', setting: '', sameness: seed },
        ...{ nodeId: node, sha256: sha },
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
