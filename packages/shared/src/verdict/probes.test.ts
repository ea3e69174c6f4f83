import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { kolmogorovSmirnov } from '../../samples/uniformity.ts';
import { ProbeStream } from './probe-stream.ts';
import { imageFormOf, mixProbes, noiseProbes, patchProbes, trainingSample } from './probes.ts';

const images = (rows: number, length: number): Float32Array => {
  const stream = new ProbeStream('images', `${rows}/${length}`);
  return Float32Array.from({ length: rows * length }, () => 0.1 + 0.4 * stream.uniform());
};

test('the stream is the one that is written down', () => {
  const sha = (text: string) => createHash('sha256').update(text).digest('hex');
  const stream = new ProbeStream('42', 'noise');
  const blocks = [0, 1].map((i) => sha(`${sha('42/probes')}/noise/${i}`)).join('');
  const expected = blocks.match(/.{8}/g)!.map((hex) => Number.parseInt(hex, 16));
  assert.deepEqual(
    expected.map(() => stream.bits()),
    expected,
  );
});

test('uniforms are uniform, normals have mean 0 and sd 1', () => {
  const stream = new ProbeStream('1', 'check');
  const uniforms = Array.from({ length: 4_000 }, () => stream.uniform());
  assert.ok(kolmogorovSmirnov(uniforms) * Math.sqrt(4_000) < 1.63);
  const normals = Array.from({ length: 4_000 }, () => stream.normal());
  const mean = normals.reduce((a, b) => a + b) / 4_000;
  const variance = normals.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 4_000;
  assert.ok(Math.abs(mean) < 0.05 && Math.abs(variance - 1) < 0.1);
});

test('a sample has no repeats and may be the whole', () => {
  const all = new ProbeStream('1', 'sample').sample(50, 60);
  assert.deepEqual(
    [...all].sort((a, b) => a - b),
    Array.from({ length: 50 }, (_, i) => i),
  );
  assert.equal(new Set(new ProbeStream('2', 'sample').sample(1_000, 100)).size, 100);
});

test('noise of 28 × 28 images: 1,000 uniform and 1,000 normal within 0..1', () => {
  const input = { jobSeed: '7', recordShape: [784], records: images(120, 784) };
  const { rows, values } = noiseProbes(input);
  assert.equal(rows, 2_000);
  assert.equal(values.length, 2_000 * 784);
  assert.ok(values.every((value) => value >= 0 && value <= 1));
  const mean = (part: Float32Array) => part.reduce((a, b) => a + b) / part.length;
  assert.ok(Math.abs(mean(values.subarray(0, 784_000)) - 0.5) < 0.01);
  assert.ok(Math.abs(mean(values.subarray(784_000)) - 0.3) < 0.01);
  assert.deepEqual(noiseProbes(input).values, values);
  assert.notDeepEqual(noiseProbes({ ...input, jobSeed: '8' }).values, values);
});

test('patches tile a 28 × 28 image: 4 × 4, all 49 places, plain and chequered', () => {
  const records = images(120, 784);
  const { rows, values } = patchProbes({ jobSeed: '7', recordShape: [28, 28], records });
  assert.equal(rows, 9_800);
  const base = new ProbeStream('7', 'patch').sample(120, 100)[0]!;
  const plain = new Uint8Array(784);
  for (let place = 0; place < 49; place += 1) {
    const changed = (row: number) =>
      [...Array(784).keys()].filter((i) => values[row * 784 + i] !== records[base * 784 + i]);
    const cells = changed(2 * place);
    assert.equal(cells.length, 16);
    for (const cell of cells) {
      assert.equal(values[2 * place * 784 + cell], 1);
      plain[cell]! += 1;
    }
    const chequered = changed(2 * place + 1).map((i) => values[(2 * place + 1) * 784 + i]);
    assert.equal(chequered.filter((value) => value === 1).length, 8);
    assert.equal(chequered.filter((value) => value === 0).length, 8);
  }
  assert.ok(plain.every((count) => count === 1));
});

test('mixes are midpoints of two test records, other ones under another seed', () => {
  // One-hot records: a midpoint shows which two it was made of.
  const records = new Float32Array(40 * 40);
  for (let row = 0; row < 40; row += 1) records[row * 40 + row] = 1;
  const input = { jobSeed: '7', recordShape: [40], records };
  const { rows, values } = mixProbes(input);
  assert.deepEqual([rows, values.length], [1_000, 40_000]);
  const pairs = new Set<string>();
  for (let row = 0; row < rows; row += 1) {
    const halves = [...values.subarray(row * 40, (row + 1) * 40).entries()].filter(
      ([, value]) => value !== 0,
    );
    assert.deepEqual(
      halves.map(([, value]) => value),
      [0.5, 0.5],
    );
    pairs.add(halves.map(([i]) => i).join());
  }
  // 1,000 of 780 pairs, uniformly: 564 different ones are expected, with an sd of 11.
  assert.ok(pairs.size > 500 && pairs.size < 630, String(pairs.size));
  assert.notDeepEqual(mixProbes({ ...input, jobSeed: '8' }).values, values);
  const lone = mixProbes({ jobSeed: '7', recordShape: [2], records: Float32Array.of(3, 5) });
  assert.deepEqual(lone.values.subarray(0, 2), Float32Array.of(3, 5));
});

test('training records are all there are, or 10,000 different ones in ascending order', () => {
  assert.deepEqual(trainingSample('7', 3), Int32Array.of(0, 1, 2));
  const drawn = trainingSample('7', 60_000);
  assert.equal(drawn.length, 10_000);
  assert.ok(drawn.every((row, i) => row < 60_000 && (i === 0 || row > drawn[i - 1]!)));
  assert.ok(Math.abs(drawn.reduce((a, b) => a + b) / 10_000 - 30_000) < 600);
  assert.notDeepEqual(trainingSample('8', 60_000), drawn);
});

test('channels first and last cover the same pixels', () => {
  assert.deepEqual(imageFormOf([3, 32, 32]), { side: 32, channels: 3, channelsFirst: true });
  assert.deepEqual(imageFormOf([32, 32, 3]), { side: 32, channels: 3, channelsFirst: false });
  const records = new Float32Array(2 * 3 * 32 * 32).fill(0.5);
  const first = patchProbes({ jobSeed: '1', recordShape: [3, 32, 32], records }).values;
  const last = patchProbes({ jobSeed: '1', recordShape: [32, 32, 3], records }).values;
  for (const row of [0, 1, 50, 97]) {
    for (let i = 0; i < 1_024; i += 1) {
      for (let channel = 0; channel < 3; channel += 1) {
        assert.equal(first[row * 3_072 + channel * 1_024 + i], last[row * 3_072 + i * 3 + channel]);
      }
    }
  }
});

test('vectors get runs of features, within the range of their data', () => {
  assert.equal(imageFormOf([250]), null);
  const records = Float32Array.from({ length: 250 * 20 }, (_, i) => (i % 250) - 100);
  const input = { jobSeed: '3', recordShape: [250], records };
  const patch = patchProbes(input);
  assert.equal(patch.rows, 20 * 49 * 2);
  const noise = noiseProbes(input);
  assert.ok(noise.values.every((value) => value >= -100 && value <= 149));
  // Normal noise follows each feature: the last one is constant at 149, the first at -100.
  const lastRow = noise.values.subarray(1_999 * 250);
  assert.equal(lastRow[0], -100);
  assert.equal(lastRow[249], 149);
});

test('tiny and huge records', () => {
  const tiny = patchProbes({ jobSeed: '1', recordShape: [2], records: Float32Array.of(0, 1) });
  assert.equal(tiny.rows, 4);
  const records = new Float32Array(20 * 3 * 128 * 128);
  const large = patchProbes({ jobSeed: '1', recordShape: [3, 128, 128], records });
  assert.equal(large.rows, 3 * 98);
  assert.equal(mixProbes({ jobSeed: '1', recordShape: [3, 128, 128], records }).rows, 341);
});

test('half a record is refused', () => {
  const input = { jobSeed: '1', recordShape: [784], records: new Float32Array(1_000) };
  assert.throws(() => noiseProbes(input), RangeError);
  assert.throws(() => patchProbes({ ...input, records: new Float32Array(0) }), RangeError);
  assert.throws(() => mixProbes(input), RangeError);
});
