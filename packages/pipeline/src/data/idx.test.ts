import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { RecipeFault } from '../fault.ts';
import { parseIdx, readIdx } from './idx.ts';
import { gather, inputs, labels, oneHot } from './records.ts';

const folder = await mkdtemp(join(tmpdir(), 'retraind-test-'));
after(() => rm(folder, { recursive: true, force: true }));

const idx = (type: number, dims: number[], payload: Uint8Array): Buffer => {
  const header = Buffer.alloc(4 + 4 * dims.length);
  header.writeUInt8(type, 2);
  header.writeUInt8(dims.length, 3);
  for (const [axis, length] of dims.entries()) header.writeUInt32BE(length, 4 + 4 * axis);
  return Buffer.concat([header, payload]);
};
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const written = async (name: string, content: Uint8Array): Promise<string> => {
  await writeFile(join(folder, name), content);
  return join(folder, name);
};

test('plain and gzip give the same records', async () => {
  const file = idx(8, [2, 1, 2], bytes(0, 51, 102, 255));
  const [plain, gzip] = [await written('plain', file), await written('packed', gzipSync(file))];
  for (const array of [await readIdx(plain), await readIdx(gzip)]) {
    assert.deepEqual(array.shape, [2, 1, 2]);
    const records = inputs(array, { scale: 1 / 255 });
    assert.deepEqual(gather(records, Int32Array.of(1, 0)), Float32Array.of(102 / 255, 1, 0, 51 / 255));
  }
});

test('every type is read big-endian', () => {
  const payload = Buffer.alloc(8);
  payload.writeDoubleBE(-1.5);
  assert.deepEqual(parseIdx(idx(14, [1], payload), 'x').values, Float64Array.of(-1.5));
  assert.deepEqual(parseIdx(idx(13, [1], bytes(0x3f, 0xc0, 0, 0)), 'x').values, Float32Array.of(1.5));
  assert.deepEqual(parseIdx(idx(12, [1], bytes(0xff, 0xff, 0xff, 0xfe)), 'x').values, Int32Array.of(-2));
  assert.deepEqual(parseIdx(idx(11, [1], bytes(1, 2)), 'x').values, Int16Array.of(258));
  assert.deepEqual(parseIdx(idx(9, [1], bytes(255)), 'x').values, Int8Array.of(-1));
});

const faults: [string, Uint8Array, RegExp][] = [
  ['nothing', bytes(), /0 bytes are too few/],
  ['wrong magic', Buffer.from('PK\x03\x04 a zip'), /0x504b0304.*no IDX magic/],
  ['an LFS pointer', Buffer.from('version https://git-lfs.github.com/spec/v1'), /no IDX magic/],
  ['unknown type', idx(10, [1], bytes(0)), /no IDX magic/],
  ['no dimension', idx(8, [], bytes()), /0 dimensions/],
  ['too many dimensions', idx(8, Array(9).fill(1), bytes(0)), /9 dimensions/],
  ['a cut header', idx(8, [2, 2], bytes()).subarray(0, 9), /inside the header/],
  ['truncated values', idx(8, [3], bytes(1, 2)), /truncated: shape 3 needs 11 bytes, there are 10/],
  ['a header of 10 GB', idx(8, [100_000, 100_000], bytes(1)), /truncated/],
  ['sizes beyond 2^53', idx(8, Array(8).fill(0xffffffff), bytes(1)), /truncated/],
  ['trailing bytes', idx(8, [1], bytes(1, 2)), /too long/],
];
for (const [what, content, message] of faults) {
  test(`refused with its name: ${what}`, async () => {
    const path = await written('broken', content);
    await assert.rejects(readIdx(path), (error: Error) => {
      assert.ok(error instanceof RecipeFault && error.cure !== '');
      assert.match(error.message, message);
      assert.ok(error.message.startsWith(path));
      return true;
    });
  });
}

test('a missing file, broken gzip, and a file over its limit are named', async () => {
  await assert.rejects(readIdx(join(folder, 'absent')), /absent: cannot be read \(ENOENT\)/);
  const packed = gzipSync(idx(8, [1000], new Uint8Array(1000)));
  await assert.rejects(readIdx(await written('cut.gz', packed.subarray(0, 20))), /broken gzip/);
  await assert.rejects(readIdx(await written('bomb.gz', packed), { maxBytes: 500 }), /more than 500 bytes/);
});

test('no bytes make the parser throw anything but a RecipeFault', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.boolean(), (content, plausible) => {
      if (plausible && content.length > 3) content.set([0, 0, 8]);
      try {
        parseIdx(content, 'x');
      } catch (error) {
        assert.ok(error instanceof RecipeFault, String(error));
      }
    }),
  );
});

test('labels out of range are named with their record', () => {
  const array = parseIdx(idx(8, [3], bytes(0, 9, 10)), 'labels.gz');
  assert.throws(
    () => labels(array, { classes: 10 }),
    /labels\.gz: the label of record 2 is 10, outside 0 … 9/,
  );
  assert.deepEqual(
    oneHot(labels(array, { classes: 11 }), Int32Array.of(1)),
    Float32Array.of(...Array(9).fill(0), 1, 0),
  );
  assert.throws(() => labels({ ...array, shape: [1, 3] }, { classes: 11 }), /one dimension/);
});
