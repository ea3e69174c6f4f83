// A real package of Debian's, retrained by the farm's overlay with the worker's own steps: anthy's dictionary is trained from a
// corpus in the source, and comes out as Debian ships it, byte for byte. With one sentence of the corpus less it does not.
// Some minutes of CPU; skips where the archive is out of reach or a C compiler cannot be had.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openApt } from '@retraind/host/apt';
import { runCommand } from '@retraind/host/command';
import { ensureTool, installPackages } from '@retraind/host/debian-tools';
import { Problem } from '@retraind/shared/wire/problems';
import { type LocalJobResult, runLocalJob } from '@retraind/worker/local-job';

const version = '1:0.4-2';
/** What Debian ships, as anyone finds it in anthy_0.4-2.dsc and anthy-common_0.4-2_all.deb. */
const shipped = {
  'corpus-info': 'b973e9596bc6ee14267f4b1d3c10e9fc563bdea4f1141025c66fe8a4fa965ceb',
  'weak-words': '6fe580626bfc76a0319bf145335622dfcd06896f34e89996a8b15ecb819efda1',
  dictionary: '618d650f251746120ab9d8b1cf2cf8443b2eb5d81e6d8abde7b0f7f83dbe03e4',
};

const work = await mkdtemp(join(tmpdir(), 'retraind-anthy-'));
after(() => rm(work, { recursive: true, force: true }));

/** The .dsc of the version that the overlay was tried with; a reason to skip where it cannot be had. */
const prepare = async (): Promise<{ dsc: string } | { skip: string }> => {
  try {
    const { code } = await runCommand('dpkg-query', ['--show', 'gcc', 'libc6-dev']);
    if (code !== 0) {
      if (process.getuid?.() !== 0) return { skip: 'gcc or libc6-dev is not installed' };
      await installPackages(['gcc', 'libc6-dev']);
    }
    for (const tool of ['make', 'dpkg-source', 'xz', 'bwrap'] as const) await ensureTool(tool);
    const apt = await openApt({ stateFolder: join(work, 'apt') });
    await apt.update();
    return { dsc: (await apt.fetchSource('anthy', version, work)).dsc };
  } catch (error) {
    if (error instanceof Problem) return { skip: `${error.code}: ${error.detail}` };
    throw error;
  }
};

const ready = await prepare();

const retrain = async (
  path: string,
  name: string,
): Promise<Map<string, LocalJobResult['verdicts'][number]>> => {
  let log = '';
  const result = await runLocalJob({
    source: { path },
    overlays: fileURLToPath(new URL('../../recipes', import.meta.url)),
    resultsFolder: join(work, name),
    cacheFolder: join(work, 'cache'),
    parallel: 1,
    onEvent: (event) => {
      if (event.kind === 'log') log = `${log}${event.text}`.slice(-4_000);
    },
  });
  assert.equal(result.broken, null, `${JSON.stringify(result.broken)}\n${log}`);
  return new Map(result.verdicts.map((verdict) => [verdict.model, verdict]));
};

describe("Debian's anthy", { skip: 'skip' in ready ? ready.skip : false, concurrency: true }, () => {
  test('all three files are bit-identical to the shipped ones', async () => {
    assert.ok('dsc' in ready);
    const verdicts = await retrain(ready.dsc, 'whole');
    for (const [model, sha256] of Object.entries(shipped)) {
      const verdict = verdicts.get(model)!;
      assert.equal(verdict.rung, 'bit-identical', `${model}: ${verdict.sentence}`);
      assert.equal(verdict.shipped?.sha256, sha256);
      assert.deepEqual([...new Set(verdict.retrains.map((retrained) => retrained.sha256))], [sha256]);
    }
  });

  test('with one sentence of the corpus less, the trained files are different', async () => {
    assert.ok('dsc' in ready);
    const tree = join(work, 'changed');
    const { code, stderr } = await runCommand('dpkg-source', ['--no-check', '-x', ready.dsc, tree]);
    assert.equal(code, 0, stderr);
    const corpus = join(tree, 'corpus/corpus.2.txt');
    const lines = (await readFile(corpus, 'utf8')).split('\n');
    assert.match(lines[39]!, /太平洋戦争|たいへいようせんそう/);
    await writeFile(corpus, lines.toSpliced(39, 1).join('\n'));
    const verdicts = await retrain(tree, 'changed-results');
    for (const model of ['corpus-info', 'dictionary']) {
      const verdict = verdicts.get(model)!;
      assert.equal(verdict.rung, 'different', `${model}: ${verdict.sentence}`);
      assert.notEqual(verdict.retrains[0]?.sha256, shipped[model as keyof typeof shipped]);
    }
    assert.equal(verdicts.get('weak-words')!.rung, 'bit-identical', 'the sentence has no weak word');
  });
});
