// A job at home that judges a given file in the place of the shipped one.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { type LocalJobResult, runLocalJob } from '../../apps/worker/src/local-job.ts';
import { openSandbox } from '../../apps/worker/src/sandbox/sandbox.ts';
import { type SourceTreeParts, sha256, writeSourceTree } from '../support/source-tree.ts';

const room = mkdtempSync(join(tmpdir(), 'retrain-reference-'));
after(() => rmSync(room, { recursive: true, force: true }));

const sandbox = openSandbox('bwrap');
const refusal = await sandbox.check().then(
  () => false as const,
  (problem: Error) => problem.message,
);

/** Judges a file of `text`, as does the target that writes it. */
const judge = async (
  name: string,
  text: string,
  parts: SourceTreeParts,
  runs: number | null,
): Promise<LocalJobResult> => {
  const reference = join(room, `${name}.bin`);
  writeFileSync(reference, `${text}\n`);
  return await runLocalJob({
    source: {
      path: writeSourceTree(join(room, name, 'toy'), {
        train: [`echo ${text} > "$RETRAIN_OUT/toy.bin"`],
        ...parts,
      }),
    },
    sandbox,
    reference,
    runs,
    resultsFolder: join(room, name, 'results'),
    cacheFolder: join(room, 'cache'),
    parallel: 2,
    onEvent: () => {},
  });
};

suite('--reference', { skip: refusal }, () => {
  test('judges another file, and --runs is exact', async () => {
    const result = await judge('other', 'other', {}, 2);
    // No data, so that no record can be withheld: the third run breaks and tells so.
    assert.deepEqual(
      result.runs.map(({ place }) => place.purpose),
      ['retrain', 'rerun', 'dependence'],
    );
    assert.equal(result.verdicts[0]!.rung, 'bit-identical');
    assert.equal(result.verdicts[0]!.shipped!.sha256, sha256('other\n'));
  });

  test('stands for the file of a package that is nowhere', async () => {
    const model = { File: 'no-such-package-anywhere:/usr/share/toy/toy.bin' };
    const result = await judge('foreign', 'foreign', { model }, null);
    assert.equal(result.broken, null);
    assert.equal(result.verdicts[0]!.rung, 'bit-identical');
  });
});
