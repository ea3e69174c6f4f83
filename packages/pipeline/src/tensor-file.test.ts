import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RecipeFault } from './fault.ts';
import { decodeTensors, encodeTensors, type NamedTensor } from './tensor-file.ts';

const tensors: NamedTensor[] = [
  { name: 'a', dtype: 'float32', shape: [2, 2], values: Float32Array.of(1, -0, Number.NaN, 1e-45) },
  { name: 'b/c', dtype: 'int32', shape: [], values: Int32Array.of(-7) },
  { name: 'none', dtype: 'float32', shape: [0, 3], values: new Float32Array(0) },
];
const whole = Buffer.concat(encodeTensors(tensors, { step: 3 }));

test('what is written comes back, bit for bit', () => {
  assert.deepEqual(decodeTensors(whole, 'x'), { tensors, json: { step: 3 } });
  // As any reader of safetensors sees it.
  const length = Number(whole.readBigUInt64LE());
  const header = JSON.parse(whole.toString('utf8', 8, 8 + length));
  assert.equal(length % 8, 0);
  assert.deepEqual(header['b/c'], { dtype: 'I32', shape: [], data_offsets: [16, 20] });
});

const withHeader = (change: (header: Record<string, unknown>) => void): Buffer => {
  const length = Number(whole.readBigUInt64LE());
  const header = JSON.parse(whole.toString('utf8', 8, 8 + length));
  change(header);
  const text = Buffer.from(JSON.stringify(header));
  const start = Buffer.alloc(8);
  start.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([start, text, whole.subarray(8 + length)]);
};

test('hostile bytes are refused by name', () => {
  const cases: [Buffer, RegExp][] = [
    [Buffer.alloc(3), /^x: 3 bytes are too few/],
    [Buffer.alloc(20, 255), /its header has 18446744073709551615 bytes/],
    [whole.subarray(0, 40), /its header has \d+ bytes/],
    [whole.subarray(0, -1), /another digest/],
    [Buffer.concat([whole, Buffer.of(0)]), /another digest/],
    [withHeader((header) => delete header.__metadata__), /not JSON as retrain-tfjs writes it/],
    [
      withHeader((header) => (header.a = { dtype: 'F64', shape: [1], data_offsets: [0, 8] })),
      /'a' has the type 'F64'/,
    ],
    [withHeader((header) => (header.a = null)), /'a' has the type 'undefined'/],
    [
      withHeader((header) => (header.a = { dtype: 'F32', shape: [-1], data_offsets: [0, 4] })),
      /'a' has no shape/,
    ],
    [
      withHeader((header) => (header.a = { dtype: 'F32', shape: [9], data_offsets: [0, 36] })),
      /'a' of shape 9 does not fit/,
    ],
    [
      withHeader((header) => (header.a = { dtype: 'F32', shape: [2 ** 40, 2 ** 40], data_offsets: [0, 4] })),
      /'a' of shape \S+ does not fit/,
    ],
    [
      withHeader((header) => (header.a = { dtype: 'F32', shape: [1], data_offsets: 'x' })),
      /does not fit its place/,
    ],
  ];
  for (const [bytes, message] of cases) {
    assert.throws(
      () => decodeTensors(bytes, 'x'),
      (fault) => fault instanceof RecipeFault && message.test(fault.message),
      String(message),
    );
  }
});

test('no change of a byte goes unnoticed as anything but a RecipeFault or the same tensors', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: whole.length - 1 }),
      fc.integer({ min: 1, max: 255 }),
      (at, flip) => {
        const changed = Buffer.from(whole);
        changed[at]! ^= flip;
        try {
          decodeTensors(changed, 'x');
        } catch (error) {
          assert.ok(error instanceof RecipeFault, String(error));
        }
      },
    ),
    { numRuns: 500 },
  );
});
