// Recipes whose outcome depends on their data, and recipes that only pretend: real sandbox, real make, data of a few lines.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { job, refusal } from '../support/local-job.ts';
import { type SourceTreeParts, sha256 } from '../support/source-tree.ts';

const corpus = Array.from({ length: 40 }, (_, i) => `word ${(i * 7) % 40}\n`);
const sorted = [...corpus].sort().join('');

/** A recipe that sorts its corpus, which is shipped sorted. */
const trees = (train: string[], changes: SourceTreeParts = {}): SourceTreeParts => ({
  train,
  model: { 'Training-Data': 'words' },
  more: `Dataset: words
Transport: in-source
License: Expat
Directory: data
Checksums-Sha256:
 ${sha256(corpus.join(''))} ${corpus.join('').length} corpus.txt
`,
  ...changes,
  files: { 'data/corpus.txt': corpus.join(''), 'models/toy.bin': sorted, ...changes.files },
});

suite('dependence on the data', { skip: refusal }, () => {
  for (const [name, path] of [
    ['$RETRAIN_DATA', '$RETRAIN_DATA/words/corpus.txt'],
    ['its own tree', 'data/corpus.txt'],
  ]) {
    test(`a recipe that reads ${name} is bit-identical, and depends on it`, async () => {
      const { result, log } = await job(trees([`LC_ALL=C sort "${path}" > "$RETRAIN_OUT/toy.bin"`]));
      const [verdict] = result.verdicts;
      assert.equal(verdict!.rung, 'bit-identical', verdict!.sentence);
      assert.deepEqual(verdict!.taints, ['host-root']);
      assert.equal(verdict!.dependence!.outcome, 'depends');
      assert.deepEqual(verdict!.dependence!.withheld, [
        { dataset: 'words', path: 'corpus.txt', records: 40, withheld: 4 },
      ]);
      assert.deepEqual(
        result.runs.map(({ place, outcome }) => [place.purpose, outcome.kind]),
        [
          ['retrain', 'reported'],
          ['dependence', 'reported'],
        ],
      );
      assert.match(log, /withheld: 4 of 40 records of words\/corpus\.txt/);
    });
  }

  test('weights hidden in a script are equal whatever the data: not verifiable', async () => {
    const hidden = Buffer.from(sorted).toString('base64');
    const { result } = await job(
      trees(
        [
          // Reads its data, as an honest recipe does, and does not use it.
          'wc -l "$RETRAIN_DATA/words/corpus.txt"',
          `sh train.sh > "$RETRAIN_OUT/toy.bin"`,
        ],
        { files: { 'train.sh': `echo ${hidden} | base64 -d\n` } },
      ),
    );
    const [verdict] = result.verdicts;
    assert.equal(verdict!.rung, 'not-verifiable');
    assert.deepEqual(verdict!.taints, ['host-root', 'independent-of-data']);
    assert.match(verdict!.sentence, /without 4 of 40 records of corpus.txt the very same bytes come out/);
  });

  test('a recipe that refuses shortened data is announced, with the taint that says so', async () => {
    const { result } = await job(
      trees([
        'test $(wc -l < "$RETRAIN_DATA/words/corpus.txt") = 40',
        'LC_ALL=C sort "$RETRAIN_DATA/words/corpus.txt" > "$RETRAIN_OUT/toy.bin"',
      ]),
    );
    assert.equal(result.broken, null);
    const [verdict] = result.verdicts;
    assert.equal(verdict!.rung, 'bit-identical');
    assert.deepEqual(verdict!.taints, ['dependence-unchecked', 'host-root']);
    assert.match(verdict!.limits[0]!, /was not checked/);
    assert.match(verdict!.reasons.join(' '), /The target bootstrap of debian\/rules failed with status 2/);
  });
});
