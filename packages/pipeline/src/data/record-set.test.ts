// A set in a file gives the bits of the same set in memory, whatever rows are asked for.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { openIdx, readIdx } from './idx.ts';
import { gather, inputs, labels, oneHot, targets } from './records.ts';

const folder = await mkdtemp(join(tmpdir(), 'retraind-test-'));
after(() => rm(folder, { recursive: true, force: true }));

const idx = (type: number, dims: number[], payload: Uint8Array): Buffer => {
  const header = Buffer.alloc(4 + 4 * dims.length);
  header.set([0, 0, type, dims.length]);
  for (const [axis, length] of dims.entries()) header.writeUInt32BE(length, 4 + 4 * axis);
  return Buffer.concat([header, payload]);
};
const written = async (name: string, content: Uint8Array): Promise<string> => {
  await writeFile(join(folder, name), content);
  return join(folder, name);
};
const descriptors = async (): Promise<number> => (await readdir('/proc/self/fd')).length;
/** Bytes that are finite numbers in every IDX type: no exponent of all ones. */
const noise = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 167 + (i >> 7) * 13) % 127);

for (const [type, bytes] of [8, 9, 11, 12, 13, 14].map(
  (code, i) => [code, [1, 1, 2, 4, 4, 8][i]!] as const,
)) {
  test(`a set in a file gives the bits of the set in memory (IDX type ${type})`, async () => {
    const rows = 300;
    const file = idx(type, [rows, 3, 5], noise(rows * 15 * bytes));
    const [plain, packed] = [await written('plain', file), await written('packed', gzipSync(file))];
    const memory = inputs(await readIdx(plain), { scale: 1 / 255, shape: [3, 5, 1] });
    const files = [await openIdx(plain), await openIdx(packed)].map((array) =>
      inputs(array, { scale: 1 / 255, shape: [3, 5, 1] }),
    );
    for (const set of files) {
      assert.deepEqual([set.rows, set.shape, set.columns], [rows, [3, 5, 1], 15]);
      await fc.assert(
        fc.asyncProperty(fc.array(fc.nat(rows - 1), { maxLength: 200 }), async (wanted) => {
          const asked = Int32Array.from(wanted);
          assert.deepEqual(await set.gather(asked), gather(memory, asked));
        }),
        { numRuns: 30 },
      );
      set.close();
    }
  });
}

test('rows far apart, neighbours, and one row again and again', async () => {
  const [rows, columns] = [4_000, 784];
  const path = await written('wide', idx(8, [rows, columns], noise(rows * columns)));
  const memory = inputs(await readIdx(path));
  const set = inputs(await openIdx(path));
  const lists = [
    Int32Array.from({ length: rows }, (_, row) => rows - 1 - row),
    Int32Array.of(rows - 1, 0, rows - 1, 1, 0, 2_000),
    Int32Array.from({ length: 700 }, (_, i) => (i * 1_607) % rows),
    new Int32Array(0),
  ];
  for (const asked of lists) assert.deepEqual(await set.gather(asked), memory.gather(asked));
  set.close();
});

test('a copy of a set with other values gathers those', async () => {
  const images = inputs(await readIdx(await written('copied', idx(8, [2, 2], Buffer.of(1, 2, 3, 4)))));
  const other = { ...images, values: Uint8Array.of(5, 6, 7, 8) };
  assert.deepEqual(gather(other, Int32Array.of(1)), Float32Array.of(7, 8));
});

test('labels of an open file are those of a read one', async () => {
  const path = await written('labels', idx(12, [70_000], Buffer.alloc(280_000, Buffer.of(0, 0, 1, 44))));
  const [read, opened] = [
    labels(await readIdx(path), { classes: 301 }),
    labels(await openIdx(path), { classes: 301 }),
  ];
  assert.deepEqual(Array.from(opened.values), Array.from(read.values));
  assert.ok(opened.values instanceof Uint16Array);
  assert.deepEqual(oneHot(opened, Int32Array.of(69_999)), oneHot(read, Int32Array.of(0)));
  await assert.rejects(
    async () => labels(await openIdx(path), { classes: 300 }),
    /labels: the label of record 0 is 300, outside 0 … 299/,
  );
});

test('targets are numbers, one or several a record', async () => {
  const values = Buffer.alloc(16);
  for (const [i, value] of [0.5, -1, 2, 8].entries()) values.writeFloatBE(value, 4 * i);
  const one = targets(await openIdx(await written('one', idx(13, [4], values))));
  assert.deepEqual([one.rows, one.shape], [4, [1]]);
  assert.deepEqual(await one.gather(Int32Array.of(3, 0)), Float32Array.of(8, 0.5));
  const two = targets(await openIdx(await written('two', idx(13, [2, 2], values))));
  assert.deepEqual(await two.gather(Int32Array.of(1)), Float32Array.of(2, 8));
});

test('what does not fit is told with its cure', async () => {
  const path = await written('images', idx(8, [10, 4], noise(40)));
  const array = await openIdx(path);
  assert.throws(() => inputs(array, { shape: [2, 3] }), /images: a record has 4 values \(shape 4\), not 2x3/);
  assert.throws(() => inputs(array, { shape: [-2, -2] }), /not -2x-2/);
  assert.throws(() => labels(array, { classes: 3 }), /labels have one dimension, this has 2/);
  const set = inputs(array);
  assert.throws(() => set.gather(Int32Array.of(10)), /row 10 of 0 … 9/);
  await truncate(path, 20);
  assert.throws(
    () => set.gather(Int32Array.of(9)),
    /images: ends before byte 49, it had 52 bytes when it was opened/,
  );
  const empty = await openIdx(await written('empty', idx(8, [0, 4], noise(0))));
  assert.throws(() => inputs(empty), /empty: holds no record/);
  const hollow = await openIdx(await written('hollow', idx(8, [4, 0], noise(0))));
  assert.throws(() => inputs(hollow), /hollow: a record holds no value/);
});

test('a gzip file whose header lies, or which is cut, is refused and leaves nothing behind', async () => {
  const whole = gzipSync(idx(8, [1000, 100], noise(100_000)));
  const cases: [string, Buffer, RegExp][] = [
    [
      'short.gz',
      gzipSync(idx(8, [1000, 101], noise(100_000))),
      /truncated: its header asks for 101012 bytes/,
    ],
    ['long.gz', gzipSync(idx(8, [1000, 99], noise(100_000))), /too long: its header asks for 99012 bytes/],
    ['vast.gz', gzipSync(idx(8, [2 ** 31, 2 ** 31], noise(100_000))), /truncated: its header asks for/],
    ['cut.gz', whole.subarray(0, whole.length - 9), /cut\.gz: broken gzip/],
    ['zip.gz', gzipSync(Buffer.from('PK\x03\x04')), /zip\.gz: the first four bytes are 0x504b0304/],
  ];
  const before = await descriptors();
  process.env.TMPDIR = join(folder, 'scratch');
  await mkdir(process.env.TMPDIR);
  try {
    for (const [name, content, message] of cases) {
      await assert.rejects(openIdx(await written(name, content)), message);
    }
    const set = inputs(await openIdx(await written('whole.gz', whole)));
    assert.equal(await descriptors(), before + 1);
    assert.deepEqual(await readdir(process.env.TMPDIR), []);
    set.close();
    assert.equal(await descriptors(), before);
    process.env.TMPDIR = join(folder, 'absent');
    await assert.rejects(openIdx(join(folder, 'whole.gz')), /whole\.gz: no file can be made \(ENOENT\) in/);
  } finally {
    delete process.env.TMPDIR;
  }
});

test('a pipe or a folder is no file of data', async () => {
  spawnSync('mkfifo', [join(folder, 'pipe')]);
  await assert.rejects(openIdx(join(folder, 'pipe')), /pipe: cannot be read \(no regular file\)/);
  await assert.rejects(readIdx(folder), /cannot be read \(no regular file\)/);
});

test('memory does not grow with the set: 320 MB, read in shuffled batches', async () => {
  const [rows, columns] = [100_000, 3_200];
  const path = await written('sparse', idx(8, [rows, columns], Buffer.alloc(0)));
  await truncate(path, 12 + rows * columns);
  const reader = `
    import { inputs } from ${JSON.stringify(new URL('./records.ts', import.meta.url).href)};
    import { openIdx } from ${JSON.stringify(new URL('./idx.ts', import.meta.url).href)};
    import { epochOrder } from ${JSON.stringify(new URL('../random.ts', import.meta.url).href)};
    const set = inputs(await openIdx(${JSON.stringify(path)}));
    const order = epochOrder(set.rows, 7, 1);
    let sum = 0;
    for (let at = 0; at < set.rows; at += 256) {
      for (const value of await set.gather(order.subarray(at, at + 256))) sum += value;
    }
    console.log(JSON.stringify({ sum, most: process.resourceUsage().maxRSS * 1024 }));
  `;
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '--eval', reader],
    { encoding: 'utf8' },
  );
  assert.match(stdout, /^\{/, stderr);
  const { sum, most } = JSON.parse(stdout) as { sum: number; most: number };
  assert.equal(sum, 0);
  // Node and tsx alone take about 100 MB.
  assert.ok(most < 260e6, `${most} bytes of memory at most`);
});
