import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
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

test('a file under way to its place is no part of a checkpoint, and no change of it', async () => {
  const folder = await folderWith({ 'fit-1.safetensors.part': 'half', 'state.json.tmp': '{' });
  const path = join(room, 'under-way.tar');
  assert.equal(await packCheckpoint(folder, path, 1 << 20), false);
  await writeFile(join(folder, 'fit-1.safetensors'), 'whole');
  const before = await checkpointFingerprint(folder);
  await writeFile(join(folder, 'fit-1.safetensors.part'), 'the next');
  assert.equal(await checkpointFingerprint(folder), before);
  assert.equal(await packCheckpoint(folder, path, 1 << 20), true);
  const back = join(room, 'under-way');
  await unpackCheckpoint(path, back, 1 << 20);
  assert.deepEqual(await readdir(back), ['fit-1.safetensors']);
});

test('a folder that changes while it is read is refused', async () => {
  const folder = await folderWith({ 'a/state': 'x'.repeat(1 << 22), 'b/state': '1' });
  const reading = packCheckpoint(folder, join(room, 'changing.tar'), 1 << 23);
  const refused = assert.rejects(reading, { code: 'conflict' });
  let isOver = false;
  refused.then(
    () => (isOver = true),
    () => (isOver = true),
  );
  for (let i = 0; !isOver; i++) await writeFile(join(folder, `b/state-${i}`), '2');
  await refused;
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
