// `retrain new` writes packages that lint green and train; what it refuses leaves nothing behind.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runCommand } from '@retraind/host/command';
import type { Problem } from '@retraind/shared/wire/problems';
import { parseVerbArgs, type Verb } from '../../apps/cli/src/args.ts';
import { type Output, openOutput } from '../../apps/cli/src/output.ts';
import { lint } from '../../apps/cli/src/verbs/lint.ts';
import { newRecipe } from '../../apps/cli/src/verbs/new.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'retraind-new-'));
after(() => rmSync(folder, { recursive: true }));
const built = existsSync(join(root, 'build/retrain-tfjs/manifest.json'))
  ? (false as const)
  : 'retrain-tfjs is not built: node scripts/prepare.mjs';

const retrain = (...words: string[]) =>
  runCommand(process.execPath, [join(root, 'apps/cli/bin/retrain.mjs'), ...words], {
    cwd: folder,
    env: {
      ...process.env,
      DEBFULLNAME: 'Ada Example',
      DEBEMAIL: 'ada@example.org',
      SOURCE_DATE_EPOCH: '1780000000',
    },
  });
const sha256 = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

test('tabular: the whole package, its model made twice with the same bytes', { skip: built }, async () => {
  const { code, stdout, stderr } = await retrain('new', '--template', 'tabular', 'leaf-kinds', '--json');
  assert.equal(code, 0, stderr);
  const said = JSON.parse(stdout) as {
    folder: string;
    files: string[];
    model: { seed: number; sha256: string };
  };
  const tree = join(folder, 'leaf-kinds');
  assert.equal(said.model.sha256, sha256(join(tree, 'models/leaf-kinds.onnx')));
  for (const file of said.files) {
    if (/\.(onnx|idx)$/.test(file)) continue;
    assert.doesNotMatch(readFileSync(join(tree, file), 'utf8'), /@[A-Z]+@/, file);
  }
  assert.match(
    readFileSync(join(tree, 'debian/changelog'), 'utf8'),
    /^leaf-kinds \(1\.0-1\).*Ada Example <ada@example\.org> {2}\w{3}, 28 May 2026/s,
  );
  for (const program of ['debian/rules', 'debian/retrain/make-shipped']) {
    assert.equal(statSync(join(tree, program)).mode & 0o111, 0o111, program);
  }
  const lint = await retrain('lint', 'leaf-kinds', '--json');
  assert.equal(lint.code, 0, lint.stdout);
  assert.deepEqual((JSON.parse(lint.stdout) as { faults: unknown[] }).faults, []);

  // As its README.source says, by hand.
  rmSync(join(tree, 'models'), { recursive: true });
  const shipped = await runCommand(join(tree, 'debian/retrain/make-shipped'), [], {
    cwd: '/',
    env: { PATH: `${join(root, 'build/retrain-tfjs/bin')}:/usr/bin:/bin`, RETRAIN_NODE: process.execPath },
  });
  assert.equal(shipped.code, 0, shipped.stderr);
  assert.ok(shipped.stdout.includes(`seed ${said.model.seed}, sha256 ${said.model.sha256}`), shipped.stdout);
});

/** The verb itself, without a program to start: exit code, stdout as JSON, or the Problem that it throws. */
const inProcess = async (verb: Verb, ...words: string[]): Promise<{ code: number; said: unknown }> => {
  let said: unknown = null;
  const output: Output = {
    ...openOutput({ json: true }),
    result(value) {
      said = value;
    },
  };
  const code = await verb.run(parseVerbArgs(verb, words), output, new AbortController().signal);
  return { code, said };
};

for (const template of ['mlp', 'cnn', 'tabular']) {
  test(`${template}: without its model only the model is missing`, async () => {
    const tree = join(folder, `bare-${template}`);
    const { code, said } = await inProcess(newRecipe, '--template', template, tree, '--no-model');
    assert.equal(code, 0);
    assert.match((said as { next: string[] }).next[0]!, /debian\/retrain\/make-shipped/);
    const { faults } = (await inProcess(lint, tree)).said as { faults: { message: string }[] };
    assert.deepEqual(
      faults.map(({ message }) => message),
      [`the shipped file of the model bare-${template}, models/bare-${template}.onnx, is not in the tree`],
    );
    mkdirSync(join(tree, 'models'));
    writeFileSync(join(tree, `models/bare-${template}.onnx`), 'anything');
    assert.equal((await inProcess(lint, tree)).code, 0);
  });
}

test('what cannot be is refused with its cure, and leaves nothing', async () => {
  mkdirSync(join(folder, 'full'));
  writeFileSync(join(folder, 'full/mine'), 'kept');
  writeFileSync(join(folder, 'file'), 'kept');
  const before = readdirSync(folder).sort();
  const cases: [string[], string, RegExp][] = [
    [['hats'], 'usage', /which template\? --template mlp, cnn, tabular/],
    [['--template', 'rnn', 'hats'], 'usage', /there is no template “rnn”/],
    [['--template', 'mlp', join(folder, 'Hats')], 'usage', /“Hats” is no name of a source package/],
    [['--template', 'mlp', join(folder, 'h')], 'usage', /is no name/],
    [['--template', 'mlp', join(folder, 'a@NAME@')], 'usage', /is no name/],
    [['--template', 'mlp', '-hats'], 'usage', /retrain new --help/],
    [['--template', 'mlp', join(folder, 'full')], 'conflict', /full is not empty .*nothing is overwritten/],
    [['--template', 'mlp', join(folder, 'file')], 'conflict', /file is a file/],
    [
      ['--template', 'mlp', join(folder, 'absent/hats')],
      'not-found',
      /absent \(ENOENT\) make that folder first/,
    ],
    [['--template', 'mlp'], 'usage', /usage: retrain new/],
  ];
  for (const [words, expected, message] of cases) {
    await assert.rejects(inProcess(newRecipe, ...words), (error: Problem) => {
      assert.equal(error.code, expected, String(error));
      assert.match(`${error.detail} ${error.hint}`, message);
      return true;
    });
  }
  assert.deepEqual(readdirSync(folder).sort(), before);
  assert.equal(readFileSync(join(folder, 'full/mine'), 'utf8'), 'kept');
});

test('an empty folder is taken, with the rights of a folder that others may read', async () => {
  const tree = join(folder, 'empty');
  mkdirSync(tree);
  await inProcess(newRecipe, '--template', 'mlp', tree, '--no-model');
  assert.ok(existsSync(join(tree, 'debian/retrain/control')));
  // The sandbox enters it as another user.
  assert.equal(statSync(tree).mode & 0o777, 0o755);
});
