import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { checkpointFingerprint, packCheckpoint, unpackCheckpoint } from './checkpoint.ts';

let room = '';
before(async () => {
  room = await mkdtemp(join(tmpdir(), 'retrain-checkpoint-'));
});
after(() => rm(room, { recursive: true, force: true }));

let turn = 0;
async function folderWith(files: Record<string, string>): Promise<string> {
  const folder = join(room, `folder-${turn++}`);
  await mkdir(folder);
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(folder, name, '..'), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return folder;
}

const digestOf = async (path: string): Promise<string> =>
  createHash('sha256')
    .update(await readFile(path))
    .digest('hex');

test('the same files have the same bytes, whenever they were written', async () => {
  const files = { 'fit-0.safetensors': 'weights'.repeat(10_000), 'a/b/state.json': '{"epoch":3}', empty: '' };
  const digests: string[] = [];
  for (const year of [2001, 2020]) {
    const folder = await folderWith(files);
    await utimes(join(folder, 'empty'), new Date(year, 1), new Date(year, 1));
    const path = join(room, `${turn}.tar`);
    assert.equal(await packCheckpoint(folder, path, 1 << 20), true);
    digests.push(await digestOf(path));
    const back = join(room, `back-${turn}`);
    await unpackCheckpoint(path, back, 1 << 20);
    for (const [name, text] of Object.entries(files)) {
      assert.equal(await readFile(join(back, name), 'utf8'), text);
    }
  }
  assert.equal(digests[0], digests[1]);
  const folder = await folderWith({ ...files, empty: 'no more' });
  await packCheckpoint(folder, join(room, 'other.tar'), 1 << 20);
  assert.notEqual(await digestOf(join(room, 'other.tar')), digests[0]);
});

test('a link leads nowhere: what it points to is no part of a checkpoint', async () => {
  const secret = await folderWith({ key: 'the node’s own key' });
  const folder = await folderWith({ state: '1' });
  await symlink(join(secret, 'key'), join(folder, 'stolen'));
  await symlink(secret, join(folder, 'stolen-folder'));
  const path = join(room, 'links.tar');
  await packCheckpoint(folder, path, 1 << 20);
  assert.doesNotMatch(await readFile(path, 'latin1'), /own key|stolen/);
});

test('a large checkpoint is refused, an empty one is none', async () => {
  const folder = await folderWith({ state: 'x'.repeat(100_000) });
  await assert.rejects(packCheckpoint(folder, join(room, 'large.tar'), 50_000), { code: 'too-large' });
  assert.equal(await packCheckpoint(await folderWith({}), join(room, 'none.tar'), 50_000), false);
  await packCheckpoint(folder, join(room, 'large.tar'), 1 << 20);
  await assert.rejects(unpackCheckpoint(join(room, 'large.tar'), join(room, 'small'), 50_000), {
    code: 'too-large',
  });
});

test('a change of name, size or time shows', async () => {
  const folder = await folderWith({ 'a/state': '1' });
  const first = await checkpointFingerprint(folder);
  assert.equal(await checkpointFingerprint(folder), first);
  await utimes(join(folder, 'a/state'), new Date(2001, 1), new Date(2001, 1));
  const second = await checkpointFingerprint(folder);
  assert.notEqual(second, first);
  await writeFile(join(folder, 'a/other'), '');
  assert.notEqual(await checkpointFingerprint(folder), second);
});
