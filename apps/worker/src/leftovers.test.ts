import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { slotFolder, sweepSlot } from './leftovers.ts';

const work = await mkdtemp(join(tmpdir(), 'retraind-leftovers-'));
after(() => rm(work, { recursive: true, force: true }));

test('a slot sweeps its own folder and leaves its neighbour’s alone', async () => {
  const tree = join(slotFolder(work, 0), 'run-1', 'tree', 'deep');
  await mkdir(tree, { recursive: true });
  await writeFile(join(tree, 'file'), 'left behind');
  await chmod(join(slotFolder(work, 0), 'run-1', 'tree'), 0o000);
  await mkdir(join(slotFolder(work, 1), 'run-2'), { recursive: true });

  assert.deepEqual(await sweepSlot(work, 0), ['run-1']);
  assert.deepEqual(await readdir(slotFolder(work, 0)), []);
  assert.deepEqual(await readdir(slotFolder(work, 1)), ['run-2']);
});

test('the first start of a slot makes its folder', async () => {
  assert.deepEqual(await sweepSlot(work, 7), []);
  assert.deepEqual(await readdir(slotFolder(work, 7)), []);
});
