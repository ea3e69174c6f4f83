// Data sets larger than memory, as files with holes: nothing of them is read but what is asked for.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { DataFile } from '@retraind/shared/recipe/recipe';
import { trainingSample } from '@retraind/shared/verdict/probes';
import { chosenRecords, holdRecords, openRecords } from './records.ts';

const room = mkdtempSync(join(tmpdir(), 'retrain-records-'));
after(() => rmSync(room, { recursive: true, force: true }));

/** An IDX file of zeros that takes no room on the disk. */
const holes = (rows: number, columns: number): DataFile => {
  const path = join(room, `${rows}x${columns}`);
  const header = Buffer.from([0, 0, 8, 2, 0, 0, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32BE(rows, 4);
  header.writeUInt32BE(columns, 8);
  writeFileSync(path, header);
  truncateSync(path, 12 + rows * columns);
  return { path, format: 'idx', scale: 1, recordShape: null };
};

test('ten thousand of four million records are read without the rest', async () => {
  const set = await openRecords(holes(2 ** 22, 1_024));
  const before = process.memoryUsage().rss;
  const chosen = chosenRecords(set, trainingSample('7', set.rows));
  assert.deepEqual([chosen.rows, chosen.shape], [10_000, [1_024]]);
  for (let first = 0; first < chosen.rows; first += 512) {
    const values = await chosen.read(first, Math.min(512, chosen.rows - first));
    assert.equal(values.length % 1_024, 0);
  }
  set.close();
  const grown = (process.memoryUsage().rss - before) / 2 ** 20;
  assert.ok(grown < 256, `grew by ${grown} MiB for a file of 4 GiB`);
});

test('held-out data of more than 2^28 values is refused before it is in memory', async () => {
  const set = await openRecords(holes(2 ** 18 + 1, 1_024));
  await assert.rejects(holdRecords(set), /262145 records of 1024 values; held-out sets of at most 268435456/);
  set.close();
});

test('a shape that the file does not have, and a file without records', async () => {
  const wrong = { ...holes(3, 4), recordShape: [5] };
  await assert.rejects(openRecords(wrong), /a record has 4 values .*not 5/);
  await assert.rejects(openRecords(holes(0, 4)), /holds no record/);
  await assert.rejects(openRecords({ ...holes(3, 4), format: 'npy' }), /not those of npy/);
});
