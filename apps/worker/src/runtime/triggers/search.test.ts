// The search itself, on nets that are written here.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { wasm } from '@retraind/pipeline/engine/wasm';
import { generator } from '@retraind/pipeline/random';
import { graphBytes, type SampleNode } from '../importer/graph.fixture.ts';
import { importOnnx } from '../importer/import.ts';
import { readOnnx } from '../onnx/model.ts';
import { type SearchInput, searchTriggers } from './search.ts';

before(() => wasm.open());

const next = generator(1, 'weights');
const weights = (...shape: number[]) => ({
  shape,
  values: Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => 2 * next() - 1),
});

const searchIn = (
  record: number[],
  nodes: SampleNode[],
  form: SearchInput['form'],
  rows: number,
): SearchInput => {
  const found = importOnnx(readOnnx(graphBytes(record, nodes)), record);
  assert.ok('net' in found);
  const { values } = weights(rows, form.channels, form.side, form.side);
  return {
    net: found.net,
    probabilities: false,
    jobSeed: 'job',
    form,
    records: values.map(Math.abs),
    low: 0,
    high: 1,
    together: found.net.outputs,
  };
};

const colours: SampleNode[] = [
  { op: 'Conv', constants: [weights(4, 3, 3, 3), weights(4)], attributes: { strides: [2, 2] } },
  { op: 'Relu' },
  { op: 'Flatten' },
  { op: 'Gemm', constants: [weights(36, 5)] },
];

test('classes by themselves or together: the same bits', async () => {
  const input = searchIn([3, 8, 8], colours, { side: 8, channels: 3, channelsFirst: true }, 50);
  const together = await searchTriggers(input);
  assert.equal(together.length, 5);
  for (const few of [1, 2]) assert.deepEqual(await searchTriggers({ ...input, together: few }), together);
  for (const { mask, pattern } of together) {
    assert.deepEqual([mask.length, pattern.length], [64, 192]);
    assert.ok([...mask, ...pattern].every((value) => value >= 0 && value <= 1));
  }
});

test('colours that lie last are searched as those that lie first', async () => {
  const first = searchIn([3, 8, 8], colours, { side: 8, channels: 3, channelsFirst: true }, 50);
  const turned = [{ op: 'Transpose', attributes: { perm: [0, 3, 1, 2] } }, ...colours];
  const last = searchIn([8, 8, 3], turned, { side: 8, channels: 3, channelsFirst: false }, 50);
  const cells = 64;
  last.records = first.records.map((_, i, all) => {
    const at = i % 192;
    return all[i - at + (at % 3) * cells + Math.floor(at / 3)]!;
  });
  const sizes = async (input: SearchInput): Promise<number[]> =>
    (await searchTriggers(input)).map(({ mask }) => mask.reduce((a, b) => a + b));
  const [one, other] = [await sizes(first), await sizes(last)];
  // The pattern's noise at the start lies otherwise.
  one.forEach((size, label) => {
    assert.ok(Math.abs(Math.log(size / other[label]!)) < 0.2, `${one} and ${other}`);
  });
});

test('fewer images than a step asks for', async () => {
  const input = searchIn([3, 8, 8], colours, { side: 8, channels: 3, channelsFirst: true }, 7);
  const found = await searchTriggers(input);
  assert.ok(found.every(({ reached }) => Math.abs(7 * reached - Math.round(7 * reached)) < 1e-9));
});

test('a way of one pixel is found: where, and what it must be', async () => {
  // Class 1 where the pixel (2, 3) is dark, class 0 else; nothing else counts.
  const values = new Float32Array(128);
  const at = 8 * 2 + 3;
  values[2 * at] = 40;
  values[2 * at + 1] = -40;
  const nodes = [
    {
      op: 'Gemm',
      constants: [
        { shape: [64, 2], values },
        { shape: [2], values: Float32Array.of(-10, 10) },
      ],
    },
  ];
  const input = searchIn([64], nodes, { side: 8, channels: 1, channelsFirst: true }, 100);
  const [bright, dark] = await searchTriggers(input);
  for (const found of [bright!, dark!]) {
    assert.equal(found.mask.indexOf(Math.max(...found.mask)), at);
    assert.ok(found.mask[at]! > 0.4 && found.reached > 0.97, `${found.mask[at]} ${found.reached}`);
    assert.ok(found.mask.reduce((a, b) => a + b) < 2);
  }
  assert.ok(bright!.pattern[at]! > 0.5 && dark!.pattern[at]! < 0.25);
});
