import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cp, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runCommand } from '../command.ts';
import { buildSourcePackage } from './source-package.ts';

const tiny = fileURLToPath(new URL('../../../../examples/tiny', import.meta.url));
const work = await mkdtemp(join(tmpdir(), 'retraind-test-'));
after(() => rm(work, { recursive: true, force: true }));

const digests = async (folder: string): Promise<Record<string, string>> =>
  Object.fromEntries(
    await Promise.all(
      (await readdir(folder)).sort().map(async (name) => {
        const bytes = await readFile(join(folder, name));
        return [name, createHash('sha256').update(bytes).digest('hex')];
      }),
    ),
  );

test('the same tree gives the same bytes, whatever its times, and dpkg-source unpacks it to the same files', async () => {
  const copy = join(work, 'copy');
  await cp(tiny, copy, { recursive: true });
  await utimes(join(copy, 'models/tiny.onnx'), 1, 1);
  const [first, second] = [await mkdtemp(join(work, 'a')), await mkdtemp(join(work, 'b'))];
  const built = await buildSourcePackage({ folder: tiny, out: first });
  await buildSourcePackage({ folder: copy, out: second });
  assert.deepEqual(await digests(first), await digests(second));
  assert.deepEqual(Object.keys(await digests(first)), [
    'tiny_1.0-1.debian.tar.xz',
    'tiny_1.0-1.dsc',
    'tiny_1.0.orig.tar.gz',
  ]);
  const { code, stderr } = await runCommand('dpkg-source', [
    '--no-check',
    '-x',
    built.dsc,
    join(work, 'unpacked'),
  ]);
  assert.equal(code, 0, stderr);
  const { stdout } = await runCommand('diff', ['-r', '-x', '.pc', tiny, join(work, 'unpacked')]);
  assert.equal(stdout, '');
  assert.match(await readFile(built.dsc, 'utf8'), /^Retrain: bootstrap$/m);
});

test('another Debian revision keeps the orig tarball', async () => {
  const out = await mkdtemp(join(work, 'c'));
  const first = await buildSourcePackage({ folder: tiny, out });
  const before = (await digests(out))['tiny_1.0.orig.tar.gz'];
  const next = await buildSourcePackage({
    folder: tiny,
    out,
    release: { version: '1.0-2', change: 'Say nothing new.' },
  });
  assert.equal(next.version, '1.0-2');
  assert.equal(next.orig, first.orig);
  assert.equal((await digests(out))['tiny_1.0.orig.tar.gz'], before);
  assert.match(await readFile(next.dsc, 'utf8'), /^Version: 1\.0-2$/m);
});

test('a tree without a changelog, or of another upstream version, is refused', async () => {
  const out = await mkdtemp(join(work, 'd'));
  await writeFile(join(out, 'README'), '');
  await assert.rejects(buildSourcePackage({ folder: out, out }), /no debian\/changelog/);
  const release = { version: '2.0-1', change: 'New.' };
  await assert.rejects(buildSourcePackage({ folder: tiny, out, release }), /another upstream version/);
});
