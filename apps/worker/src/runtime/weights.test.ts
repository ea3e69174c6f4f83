// Norm, copy and quantisation of weights, against numbers made here.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openModelFile } from './formats/formats.ts';
import {
  bytes,
  integer,
  node,
  onnxBytes,
  onnxOf,
  type SampleTensor,
  safetensorsBytes,
} from './formats/samples.ts';
import { readWeights } from './weights.ts';

const room = mkdtempSync(join(tmpdir(), 'retrain-weights-'));
after(() => rmSync(room, { recursive: true, force: true }));

const open = (content: Uint8Array) => {
  writeFileSync(join(room, 'model'), content);
  return openModelFile(join(room, 'model'));
};
const read = (content: Uint8Array, keepIn: string | null = room) => {
  rmSync(join(room, 'weights.f32'), { force: true });
  const file = open(content);
  try {
    return readWeights(file, keepIn);
  } finally {
    file.close();
  }
};
const kept = (): number[] => {
  const content = readFileSync(join(room, 'weights.f32'));
  return Array.from({ length: content.length / 4 }, (_, i) => content.readFloatLE(4 * i));
};
/** A tensor of any type by its raw bytes. */
const raw = (name: string, type: number, shape: number[], content: Uint8Array): Buffer =>
  bytes(5, ...shape.map((length) => integer(1, length)), integer(2, type), bytes(8, name), bytes(9, content));
const out = bytes(12, bytes(1, 'out'));

test('all float tensors in the order of their names, and their norm', () => {
  const tensors: SampleTensor[] = [
    { name: 'b', shape: [2, 2], values: [1, -2, 3, 4.5] },
    { name: 'a', shape: [1], values: [-0.5] },
  ];
  for (const content of [onnxBytes(tensors), safetensorsBytes(tensors)]) {
    const { norm, tensors: named, note } = read(content);
    assert.deepEqual(
      [named, note],
      [
        [
          { name: 'a', shape: [1] },
          { name: 'b', shape: [2, 2] },
        ],
        null,
      ],
    );
    assert.deepEqual(kept(), [-0.5, 1, -2, 3, 4.5]);
    assert.ok(Math.abs(norm! - Math.sqrt(0.25 + 1 + 4 + 9 + 20.25)) < 1e-12);
  }
  assert.equal(read(onnxBytes(tensors), null).tensors, null);
  assert.equal(existsSync(join(room, 'weights.f32')), false);
});

test('float16 and float64 become float32, integers are no weights', () => {
  const content = onnxOf(
    raw('half', 10, [2], Buffer.from(Uint16Array.of(0x3c00, 0xc100).buffer)),
    raw('double', 11, [2], Buffer.from(Float64Array.of(0.1, 3).buffer)),
    raw('shape', 7, [1], Buffer.from(BigInt64Array.of(77n).buffer)),
    out,
  );
  const { norm, tensors } = read(content);
  assert.deepEqual(
    tensors!.map(({ name }) => name),
    ['double', 'half'],
  );
  assert.deepEqual(kept(), [Math.fround(0.1), 3, 1, -2.5]);
  assert.ok(Math.abs(norm! - Math.sqrt(0.01 + 9 + 1 + 6.25)) < 1e-12);
});

test('weights with NaN have no norm; a file without weights has none either', () => {
  assert.equal(read(onnxBytes([{ name: 'w', shape: [2], values: [Number.NaN, 1] }])).norm, null);
  const none = read(onnxOf(raw('shape', 7, [1], Buffer.alloc(8)), out));
  assert.deepEqual([none.norm, none.tensors, none.note], [null, null, null]);
});

test('more than 2^18 elements come out whole, in their order', () => {
  const values = Array.from({ length: 2 ** 18 + 3 }, (_, i) => i % 97);
  read(onnxBytes([{ name: 'w', shape: [values.length], values }]));
  assert.deepEqual(kept(), values);
});

test('names and numbers beyond what a report holds: no weights, and why', () => {
  const long = read(onnxBytes([{ name: 'w'.repeat(1_025), shape: [1], values: [1] }]));
  assert.equal(long.tensors, null);
  assert.match(long.note!, /a name too long/);
  assert.equal(long.norm, 1);
  const many = Array.from({ length: 10_001 }, (_, i) => ({ name: `t${i}`, shape: [1], values: [1] }));
  assert.match(read(onnxBytes(many)).note!, /10001 tensors/);
});

test('integers that feed quantised operators are told from shapes, zero points and float weights', () => {
  const w = (type: number) => raw('w', type, [2, 2], Buffer.alloc(type === 22 || type === 21 ? 2 : 4));
  const quantised = (...graph: Buffer[]): boolean | null => {
    const file = open(onnxOf(...graph, out));
    file.close();
    return file.quantised;
  };
  const feeds = (operator: string, ...inputs: string[]) => node(operator, inputs, 'out');
  for (const type of [2, 3, 21, 22]) {
    assert.equal(quantised(w(type), feeds('DequantizeLinear', 'w', 's', 'z')), true);
  }
  assert.equal(quantised(w(3), feeds('QLinearConv', 'x', 'xs', 'xz', 'w', 'ws', 'wz')), true);
  assert.equal(quantised(w(3), feeds('ConvInteger', 'x', 'w')), true);
  assert.equal(quantised(w(3), feeds('MatMulInteger', 'x', 'w')), true);
  const inMicrosoft = bytes(
    1,
    bytes(1, 'x'),
    bytes(1, 'w'),
    bytes(2, 'out'),
    bytes(4, 'MatMulNBits'),
    bytes(7, 'com.microsoft'),
  );
  assert.equal(quantised(w(2), inMicrosoft), true);
  assert.equal(quantised(w(3), node('Transpose', ['w'], 'v'), feeds('DequantizeLinear', 'v', 's')), true);
  // A zero point, a scale's place, an operator that takes integers as they are, and 16 bits.
  const zero = raw('w', 3, [2], Buffer.alloc(2));
  assert.equal(quantised(zero, feeds('DequantizeLinear', 'x', 's', 'w')), false);
  assert.equal(quantised(zero, feeds('QLinearConv', 'x', 'xs', 'xz', 'y', 'ws', 'w')), false);
  assert.equal(quantised(w(3), feeds('Add', 'x', 'w')), false);
  assert.equal(quantised(raw('w', 5, [2, 2], Buffer.alloc(8)), feeds('DequantizeLinear', 'w', 's')), false);
  assert.equal(quantised(raw('w', 1, [1, 1], Buffer.alloc(4)), feeds('MatMul', 'x', 'w')), false);
  const graph = bytes(5, bytes(1, 'then_branch'), bytes(6, bytes(2, 'g')));
  const branch = bytes(1, bytes(1, 'x'), bytes(2, 'out'), bytes(4, 'If'), graph);
  assert.equal(quantised(branch), null);
});
