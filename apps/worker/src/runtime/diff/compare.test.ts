import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { openModelFile } from '../formats/formats.ts';
import { onnxBytes, safetensorsBytes, safetensorsOf } from '../formats/samples.ts';
import { bytesToCompare, compareModels } from './compare.ts';
import { adderOf, Sums } from './figures.ts';
import { bucketName, ulpBuckets } from './ulps.ts';

const folder = mkdtempSync(join(tmpdir(), 'compare-'));
after(() => rmSync(folder, { recursive: true }));

const compare = async (left: Uint8Array, right: Uint8Array) => {
  const [a, b] = [left, right].map((content, i) => {
    writeFileSync(join(folder, `${i}`), content);
    return openModelFile(join(folder, `${i}`));
  });
  try {
    return await compareModels(a!, b!);
  } finally {
    a!.close();
    b!.close();
  }
};

/** One tensor `t` of this type out of these bytes. */
const single = (dtype: string, bytes: Uint8Array, width: number): Buffer =>
  safetensorsOf(
    JSON.stringify({ t: { dtype, shape: [bytes.length / width], data_offsets: [0, bytes.length] } }),
    bytes,
  );
const floats = (values: number[]): Buffer => Buffer.from(new Float32Array(values).buffer);

test('figures of a pair by hand', async () => {
  const { tensors, identical, total } = await compare(
    safetensorsBytes([{ name: 't', shape: [2], values: [3, 4] }]),
    safetensorsBytes([{ name: 't', shape: [2], values: [3, -4] }]),
  );
  assert.equal(identical, false);
  const { ulps, ...figures } = tensors[0]!.figures!;
  assert.deepEqual(figures, {
    normA: 5,
    normB: 5,
    relativeDistance: 8 / 5,
    cosine: -7 / 25,
    maxDifference: 8,
    notFinite: 0,
  });
  assert.equal(ulps![0], 1);
  assert.equal(
    ulps!.reduce((sum, count) => sum + count),
    2,
  );
  assert.equal(total.relativeDistance, 8 / 5);
});

test('neighbours are one unit apart, in every float type, across zero too', async () => {
  const rows: [string, number, Buffer, Buffer, number[]][] = [
    [
      'F32',
      4,
      floats([1, 0, 2 ** -149, 1]),
      floats([1 + 2 ** -23, -0, -(2 ** -149), 1 + 2 ** -20]),
      [1, 1, 1, 0, 1],
    ],
    [
      'F64',
      8,
      Buffer.from(new Float64Array([1, 0]).buffer),
      Buffer.from(new Float64Array([1 - 2 ** -53, -5e-324]).buffer),
      [0, 2],
    ],
    ['F16', 2, Buffer.from([0, 0x3c, 0, 0]), Buffer.from([3, 0x3c, 1, 0x80]), [0, 1, 1]],
    ['BF16', 2, Buffer.from([0x80, 0x3f]), Buffer.from([0x7f, 0x3f]), [0, 1]],
  ];
  for (const [dtype, width, a, b, expected] of rows) {
    const { tensors } = await compare(single(dtype, a, width), single(dtype, b, width));
    const { ulps } = tensors[0]!.figures!;
    assert.equal(ulps!.length, ulpBuckets[dtype as 'F32']);
    assert.deepEqual(ulps!.slice(0, expected.length), expected, dtype);
  }
  assert.deepEqual([0, 1, 2, 3, 32].map(bucketName), ['0', '1', '2-3', '4-7', '2147483648-4294967295']);
});

test('the quick way over float32 says what the slow one says', () => {
  const quick = adderOf('F32', 'F32')!;
  const half = fc.float({ noNaN: true, noDefaultInfinity: true });
  fc.assert(
    fc.property(fc.array(fc.tuple(half, half), { minLength: 1, maxLength: 40 }), (pairs) => {
      const a = Buffer.from(floats(pairs.map(([x]) => x)));
      const b = Buffer.from(floats(pairs.map(([, y]) => y)));
      const one = new Sums(33);
      quick(a, b, pairs.length, one);
      // A NaN at the end sends the block the slow way, and is left out there.
      const other = new Sums(33);
      quick(
        Buffer.concat([a, floats([Number.NaN])]),
        Buffer.concat([b, floats([1])]),
        pairs.length + 1,
        other,
      );
      assert.equal(other.notFinite, 1);
      assert.deepEqual({ ...other, notFinite: 0 }, { ...one });
    }),
  );
});

test('types without numbers go by bytes, other shapes are told, other types are compared by value', async () => {
  const eight = Buffer.from([1, 2, 3, 4, 5, 6, 7, 8]);
  const same = await compare(single('F8_E4M3', eight, 1), single('F8_E4M3', eight, 1));
  assert.deepEqual([same.identical, same.tensors[0]!.figures], [true, null]);
  const other = Buffer.from(eight);
  other[7] = 0;
  assert.equal((await compare(single('F8_E4M3', eight, 1), single('F8_E4M3', other, 1))).identical, false);
  const shapes = await compare(single('U8', eight, 1), single('U8', eight.subarray(4), 1));
  assert.deepEqual([shapes.identical, shapes.tensors[0]!.figures], [false, null]);
  const types = await compare(
    single('F32', floats([1, 2]), 4),
    single('I64', Buffer.from(new BigInt64Array([1n, 2n]).buffer), 8),
  );
  assert.deepEqual(
    [types.identical, types.tensors[0]!.figures!.relativeDistance, types.tensors[0]!.figures!.ulps],
    [false, 0, null],
  );
});

test('-0 and 0, and NaNs of other bits, are not identical', async () => {
  const zeros = await compare(single('F32', floats([0]), 4), single('F32', floats([-0]), 4));
  assert.deepEqual([zeros.identical, zeros.tensors[0]!.figures!.ulps![0]], [false, 1]);
  const nans = await compare(
    single('F32', Buffer.from([1, 0, 0xc0, 0x7f]), 4),
    single('F32', Buffer.from([2, 0, 0xc0, 0x7f]), 4),
  );
  assert.deepEqual([nans.identical, nans.tensors[0]!.figures!.notFinite], [false, 1]);
});

test('tensors in one file only, and a container that does not count', async () => {
  const w = { name: 'w', shape: [2, 2], values: [1, 2, 3, 4] };
  const extra = { name: 'x', shape: [], values: [1] };
  const found = await compare(safetensorsBytes([w, extra]), safetensorsBytes([w, { ...extra, name: 'y' }]));
  assert.deepEqual(
    [found.identical, found.onlyA.map(({ name }) => name), found.onlyB.map(({ name }) => name)],
    [false, ['x'], ['y']],
  );
  const containers = await compare(onnxBytes([w, extra]), safetensorsBytes([w, extra]));
  assert.deepEqual([containers.identical, containers.sameGraph], [true, null]);
});

test('many blocks: every pair is counted once, and the signal is heard', async () => {
  const count = 2 ** 20 + 5;
  const values = floats(Array.from({ length: count }, (_, i) => (i % 7) - 3));
  const other = Buffer.from(values);
  other.writeFloatLE(9, 4 * (count - 1));
  const { tensors } = await compare(single('F32', values, 4), single('F32', other, 4));
  const { ulps } = tensors[0]!.figures!;
  assert.deepEqual([ulps![0], ulps!.reduce((sum, one) => sum + one)], [count - 1, count]);
  const [a, b] = ['0', '1'].map((name) => openModelFile(join(folder, name))) as [
    ReturnType<typeof openModelFile>,
    ReturnType<typeof openModelFile>,
  ];
  let bytes = 0;
  await compareModels(a, b, { onBytes: (more) => (bytes += more) });
  assert.equal(bytes, bytesToCompare(a, b));
  a.close();
  b.close();
});
