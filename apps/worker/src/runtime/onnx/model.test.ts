import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { refuseForeign } from './magic.ts';
import { askedInputs, modelDigest, readOnnx } from './model.ts';
import { ModelFault } from './wire.ts';

const tiny = readFileSync(
  fileURLToPath(new URL('../../../../../examples/tiny/models/tiny.onnx', import.meta.url)),
);

// A writer of just what these tests need: field number, wire type, value.
const varint = (value: bigint): Buffer => {
  const out: number[] = [];
  do {
    out.push(Number(value & 0x7fn) | (value > 0x7fn ? 0x80 : 0));
    value >>= 7n;
  } while (value > 0n);
  return Buffer.from(out);
};
const number = (field: number, value: number | bigint): Buffer =>
  Buffer.concat([varint(BigInt(field * 8)), varint(BigInt(value))]);
const bytes = (field: number, ...parts: (Buffer | string)[]): Buffer => {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part as string)));
  return Buffer.concat([varint(BigInt(field * 8 + 2)), varint(BigInt(body.length)), body]);
};
const tensor = (...parts: Buffer[]): Buffer => bytes(7, bytes(5, ...parts));
const floats = (...values: number[]): Buffer => Buffer.from(new Float32Array(values).buffer);

test('reads a real model: tensors, one input, a digest that does not change', () => {
  const model = readOnnx(tiny);
  assert.deepEqual(
    askedInputs(model).map(({ type, shape }) => [type, shape?.slice(1)]),
    [[1, [64]]],
  );
  assert.ok(model.graph.tensors.length >= 4);
  assert.equal(modelDigest(model), modelDigest(readOnnx(Buffer.from(tiny))));
});

test('the digest passes over producer and documentation, and sees every weight and the graph', () => {
  const base = modelDigest(readOnnx(tiny));
  assert.equal(
    modelDigest(readOnnx(Buffer.concat([tiny, bytes(2, 'another producer'), bytes(6, 'documentation')]))),
    base,
  );
  const weight = Buffer.from(tiny);
  weight[weight.length >> 1]! ^= 1;
  assert.notEqual(modelDigest(readOnnx(weight)), base);
  const relu = Buffer.from(tiny);
  const at = relu.indexOf('Relu');
  assert.ok(at > 0);
  relu.write('Tanh', at);
  assert.notEqual(modelDigest(readOnnx(relu)), base);
});

test('raw, typed and packed tensors of the same values are the same', () => {
  const head = [number(1, 2), number(2, 1), bytes(8, 'w')];
  const raw = tensor(...head, bytes(9, floats(1, 2)));
  const typed = tensor(...head, bytes(4, floats(1, 2)));
  assert.equal(modelDigest(readOnnx(raw)), modelDigest(readOnnx(typed)));
  const int64 = (...data: Buffer[]) =>
    modelDigest(readOnnx(tensor(number(1, 2), number(2, 7), bytes(8, 'i'), ...data)));
  const wide = Buffer.alloc(16);
  wide.writeBigInt64LE(-5n, 0);
  wide.writeBigInt64LE(7n, 8);
  assert.equal(int64(bytes(9, wide)), int64(bytes(7, varint(BigInt.asUintN(64, -5n)), varint(7n))));
});

/** Type float32, no dimensions: a scalar. */
const scalarHead = (): Buffer => number(2, 1);

suite('refused, each with its reason', () => {
  const rows: [string, Buffer, RegExp][] = [
    [
      'tensors of one name',
      bytes(7, ...[1, 2].map((value) => bytes(5, scalarHead(), bytes(8, 'w'), bytes(9, floats(value))))),
      /two tensors named "w"/,
    ],
    ['an empty file', Buffer.alloc(0), /it is empty/],
    ['a pickle', Buffer.from([0x80, 4, 0x95, 1, 2, 3]), /Python pickle, which is never loaded/],
    ['a zip of PyTorch', Buffer.from('PK\x03\x04rest', 'latin1'), /zip archive/],
    [
      'a Git LFS pointer',
      Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n'),
      /Git LFS pointer.*git lfs pull/,
    ],
    ['safetensors', Buffer.concat([Buffer.alloc(8), Buffer.from('{"w":{}}')]), /safetensors/],
    [
      'text',
      Buffer.from('this is no model at all, only a long line of text'),
      /no protocol buffer|truncated/,
    ],
    ['cut off', tiny.subarray(0, tiny.length - 100), /truncated/],
    ['no graph', bytes(2, 'producer'), /no graph/],
    // 10 GB by its header, in a file of some bytes: length of the field, and shape of the tensor.
    [
      '10 GB by length',
      Buffer.concat([varint(58n), varint(10n * 2n ** 30n), Buffer.alloc(8)]),
      /says 10737418240 bytes where 8 are left/,
    ],
    [
      '10 GB by shape',
      tensor(number(1, 50_000), number(1, 50_000), number(2, 1), bytes(8, 'w'), bytes(9, floats(1))),
      /"w" of shape 50000x50000 needs 10000000000 bytes, the file holds 4/,
    ],
    [
      'a shape that overflows',
      tensor(number(1, 2n ** 62n), number(1, 2n ** 62n), number(2, 1), bytes(9, floats(1))),
      /needs \d{30,} bytes/,
    ],
    ['a negative shape', tensor(number(1, 2n ** 64n - 1n), number(2, 1)), /impossible shape/],
    ['an unknown type', tensor(number(2, 99)), /unknown type 99/],
    [
      'external data',
      tensor(number(2, 1), bytes(8, 'w'), bytes(13, bytes(1, 'location'), bytes(2, '../../etc/passwd'))),
      /"w" keeps its values in another file/,
    ],
    ['functions of its own', bytes(25, 'x'), /functions of its own/],
    ['a node without an operator', bytes(7, bytes(1, bytes(1, 'x'))), /without an operator/],
  ];
  for (const [name, file, said] of rows) {
    test(name, () => {
      assert.throws(
        () => {
          refuseForeign(file);
          readOnnx(file);
        },
        (fault: Error) => fault instanceof ModelFault && said.test(fault.message),
      );
    });
  }
});

test('whatever the bytes, the answer is a model or a ModelFault', () => {
  const attempt = (file: Uint8Array): void => {
    try {
      refuseForeign(file);
      modelDigest(readOnnx(file));
    } catch (fault) {
      assert.ok(fault instanceof ModelFault, String(fault));
    }
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), attempt), { numRuns: 500 });
  const damaged = fc.tuple(fc.nat(tiny.length - 1), fc.integer({ min: 0, max: 255 }), fc.nat(tiny.length));
  fc.assert(
    fc.property(damaged, ([at, value, length]) => {
      const file = Buffer.from(tiny.subarray(0, Math.max(at + 1, length)));
      file[at] = value;
      attempt(file);
    }),
    { numRuns: 300 },
  );
});
