import assert from 'node:assert/strict';
import { mkdtemp, readFile, readlink, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Problem } from '@retraind/shared/wire/problems';
import { type Header, pack } from 'tar-stream';
import { unpackTar } from './tar.ts';

const work = await mkdtemp(join(tmpdir(), 'retraind-tar-'));
after(() => rm(work, { recursive: true, force: true }));

const unpacked = async (
  entries: [Partial<Header> & { name: string }, string?][],
  limits?: Parameters<typeof unpackTar>[2],
) => {
  const folder = await mkdtemp(join(work, 'x-'));
  const tar = pack();
  for (const [header, content] of entries) tar.entry(header as Header, content ?? '');
  tar.finalize();
  await unpackTar(tar as never, folder, limits);
  return folder;
};

test('files, folders, links; no setuid', async () => {
  const folder = await unpacked([
    [{ name: './', type: 'directory' }],
    [{ name: './usr/bin/tool', mode: 0o4755 }, '#!'],
    [{ name: './usr/bin/same', type: 'link', linkname: './usr/bin/tool' }],
    [{ name: './usr/share/link', type: 'symlink', linkname: '/usr/bin/tool' }],
    [{ name: './usr/share/near', type: 'symlink', linkname: '../bin/tool' }],
  ]);
  assert.equal((await stat(join(folder, 'usr/bin/tool'))).mode & 0o7777, 0o755);
  assert.equal(await readFile(join(folder, 'usr/bin/same'), 'utf8'), '#!');
  assert.equal(await readlink(join(folder, 'usr/share/link')), '../bin/tool', 'absolute links stay inside');
  assert.equal(await readFile(join(folder, 'usr/share/near'), 'utf8'), '#!');
});

const hostile: [string, [Partial<Header> & { name: string }, string?][]][] = [
  ['a path upwards', [[{ name: '../out' }, 'x']]],
  ['a path upwards inside', [[{ name: 'a/../../out' }, 'x']]],
  ['an absolute path', [[{ name: '/etc/out' }, 'x']]],
  ['a link upwards', [[{ name: 'a', type: 'symlink', linkname: '../../etc' }]]],
  ['a file behind a link', [[{ name: 'a', type: 'symlink', linkname: '/b' }], [{ name: 'a/x' }, 'x']]],
  ['a hard link outside', [[{ name: 'a', type: 'link', linkname: '/etc/passwd' }]]],
  ['a device', [[{ name: 'a', type: 'character-device', devmajor: 1, devminor: 3 }]]],
  ['a pipe', [[{ name: 'a', type: 'fifo' }]]],
];
for (const [what, entries] of hostile) {
  test(`${what} is refused`, async () => {
    await assert.rejects(
      unpacked(entries),
      (error) => error instanceof Problem && error.code === 'invalid-archive',
    );
  });
}

test('limits on count and bytes', async () => {
  const two: [{ name: string }, string][] = [
    [{ name: 'a' }, 'xxxx'],
    [{ name: 'b' }, 'yyyy'],
  ];
  const tooLarge = (error: unknown) => error instanceof Problem && error.code === 'too-large';
  await assert.rejects(unpacked(two, { entries: 1, bytes: 100 }), tooLarge);
  await assert.rejects(unpacked(two, { entries: 10, bytes: 7 }), tooLarge);
  await unpacked(two, { entries: 2, bytes: 8 });
});
