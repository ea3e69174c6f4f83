// Files by numpy itself (fixtures/make.py), and files that numpy would never write.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { RecipeFault } from '../fault.ts';
import { openNpy, parseNpy, readNpy } from './npy.ts';
import { gather, inputs } from './records.ts';

const files = JSON.parse(await readFile(new URL('./fixtures/files.json', import.meta.url), 'utf8')) as Record<
  string,
  string
>;
const file = (name: string): Buffer => Buffer.from(files[name]!, 'base64');
const folder = await mkdtemp(join(tmpdir(), 'retraind-test-'));
after(() => rm(folder, { recursive: true, force: true }));
const written = async (name: string, content: Uint8Array): Promise<string> => {
  await writeFile(join(folder, name), content);
  return join(folder, name);
};
const counting = (from: number): number[] => Array.from({ length: 24 }, (_, i) => i + from);

for (const kind of Object.keys(files).filter((name) => /^[<>|]/.test(name))) {
  test(`numpy's ${kind}`, () => {
    const { shape, values } = parseNpy(file(kind), 'x.npy');
    assert.deepEqual(shape, [4, 3, 2]);
    const expected = kind[1] === 'b' ? counting(0).map((i) => i % 2) : counting(kind[1] === 'u' ? 0 : -12);
    assert.deepEqual(Array.from(values), expected);
  });
}

test('Fortran order comes out record by record, in memory and from a file', async () => {
  for (const kind of ['<i2', '>f8', '|u1', '>f4']) {
    const array = parseNpy(file(`fortran${kind}`), 'x.npy');
    assert.deepEqual(Array.from(array.values), counting(0));
    const set = inputs(await openNpy(await written('fortran.npy', file(`fortran${kind}`))), {
      shape: [3, 2],
    });
    assert.deepEqual(await set.gather(Int32Array.of(3, 1)), gather(inputs(array), Int32Array.of(3, 1)));
    set.close();
  }
});

test('versions 2 and 3, plain and gzip, read and opened', async () => {
  for (const version of ['version 2', 'version 3']) {
    for (const content of [file(version), gzipSync(file(version))]) {
      const path = await written('v.npy', content);
      assert.deepEqual((await readNpy(path)).values, Float32Array.of(0, 1, 2, 3, 4, 5));
      assert.deepEqual(await inputs(await openNpy(path)).gather(Int32Array.of(2)), Float32Array.of(4, 5));
    }
  }
});

test('a vast record in Fortran order is refused', () => {
  const content = headed(dict("'|u1'", 'True', `(1, ${2 ** 24 + 1})`), new Uint8Array(2 ** 24 + 1));
  assert.throws(() => parseNpy(content, 'x'), /x: a record of 16777217 values in Fortran order/);
});

/** An npy file of version 1 with this header. */
const headed = (header: string, payload: Uint8Array = new Uint8Array(8)): Buffer => {
  const length = Buffer.alloc(2);
  length.writeUInt16LE(header.length);
  return Buffer.concat([Buffer.from('\x93NUMPY\x01\x00', 'latin1'), length, Buffer.from(header), payload]);
};
const dict = (descr: string, order: string, shape: string): string =>
  `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }\n`;

test('64-bit integers are read as far as a double is exact', () => {
  const payload = Buffer.alloc(16);
  payload.writeBigInt64LE(-(2n ** 53n - 1n));
  payload.writeBigInt64LE(2n ** 53n, 8);
  assert.deepEqual(
    parseNpy(headed(dict("'<i8'", 'False', '(1,)'), payload.subarray(0, 8)), 'x').values,
    Float64Array.of(-(2 ** 53 - 1)),
  );
  assert.throws(
    () => parseNpy(headed(dict("'<i8'", 'False', '(2,)'), payload), 'x'),
    /x: value 1 is 9007199254740992, beyond 2\^53/,
  );
});

test('half floats: subnormals, infinities, NaN, minus zero', () => {
  const payload = Buffer.alloc(10);
  for (const [i, bits] of [0x0001, 0x7c00, 0xfc00, 0x7e00, 0x8000].entries())
    payload.writeUInt16LE(bits, 2 * i);
  assert.deepEqual(
    parseNpy(headed(dict("'<f2'", 'False', '(5,)'), payload), 'x').values,
    Float32Array.of(2 ** -24, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, -0),
  );
});

const faults: [string, Uint8Array, RegExp][] = [
  ['nothing', Buffer.alloc(0), /0 bytes are too few/],
  ['a zip', Buffer.from('PK\x03\x04 not npy at all'), /the first bytes are 0x504b03042/],
  ['version 4', Buffer.concat([Buffer.from('\x93NUMPY\x04\x00', 'latin1'), Buffer.alloc(9)]), /version 4/],
  [
    'a header beyond the file',
    headed(dict("'<f4'", 'False', '(2,)')).subarray(0, 40),
    /ends inside the header/,
  ],
  ['objects', file('objects'), /Python objects, which are never unpickled/],
  ['texts', file('texts'), /its values are '<U1'/],
  ['records of several types', file('structs'), /its values are \[\('x', '<i4'\)/],
  ['a scalar', file('scalar'), /its shape is \(\); 1 to 64 dimensions/],
  [
    'code in the header',
    headed("{'descr': __import__('os'), 'fortran_order': False, 'shape': (2,)}"),
    /no dict/,
  ],
  ['a key twice', headed("{'shape': (2,), 'shape': (2,), 'descr': '<f4'}"), /no dict/],
  ['a key missing', headed("{'descr': '<f4', 'shape': (2,)}"), /no dict/],
  ['a key too many', headed(dict("'<f4'", 'False', '(2,)').replace('}', "'x': True}")), /no dict/],
  ['an order that is no truth', headed(dict("'<f4'", "'<f4'", '(2,)')), /no dict/],
  ['a negative length', headed(dict("'<f4'", 'False', '(-2,)')), /no dict/],
  ['a size beyond 2^53', headed(dict("'<f4'", 'False', `(${'9'.repeat(30)},)`)), /its shape is \(9999/],
  [
    'a vast shape',
    headed(dict("'<f4'", 'True', '(999999999, 999999999)')),
    /truncated: shape 9{9}x9{9} needs/,
  ],
  ['65 dimensions', headed(dict("'<f4'", 'False', `(${'1,'.repeat(65)})`)), /1 to 64 dimensions/],
  ['an unknown type', headed(dict("'<c8'", 'False', '(1,)')), /its values are '<c8'/],
  ['a wide type without an order', headed(dict("'|f4'", 'False', '(2,)')), /its values are '\|f4'/],
  ['a truth of 2', headed(dict("'|b1'", 'False', '(2,)'), Buffer.of(1, 2)), /value 1 is the byte 2, neither/],
  ['values missing', headed(dict("'<f8'", 'False', '(2,)')), /truncated: shape 2 needs/],
  ['values too many', headed(dict("'<f4'", 'False', '(1,)')), /too long: shape 1 needs/],
];
for (const [what, content, message] of faults) {
  test(`refused with its name: ${what}`, async () => {
    const path = await written('broken.npy', content);
    for (const read of [
      readNpy,
      async (name: string) => inputs(await openNpy(name)).gather(Int32Array.of(0, 1)),
    ]) {
      await assert.rejects(read(path), (error: Error) => {
        assert.ok(error instanceof RecipeFault && error.cure !== '', String(error));
        assert.match(error.message, message);
        return error.message.startsWith(path);
      });
    }
  });
}

test('no flipped, cut or invented bytes make the parser throw anything but a RecipeFault', () => {
  const whole = Object.entries(files).flatMap(([name, text]) =>
    /^[<>|fv]/.test(name) ? [Buffer.from(text, 'base64')] : [],
  );
  const hurt = fc
    .tuple(
      fc.constantFrom(...whole),
      fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 4 }),
      fc.nat(300),
      fc.boolean(),
    )
    .map(([content, flips, length, cut]) => {
      const bytes = Buffer.from(content);
      for (const [at, value] of flips) bytes[at % bytes.length] = value;
      return cut ? bytes.subarray(0, length) : bytes;
    });
  const header = fc
    .array(
      fc.constantFrom(
        '{',
        '}',
        "'descr'",
        "'shape'",
        "'fortran_order'",
        ':',
        ',',
        '(',
        ')',
        "'<f4'",
        'True',
        '7',
        ' ',
      ),
      { maxLength: 30 },
    )
    .map((tokens) => headed(tokens.join('')));
  fc.assert(
    fc.property(fc.oneof(hurt, header, fc.uint8Array({ maxLength: 64 })), (content) => {
      try {
        parseNpy(content, 'x');
      } catch (error) {
        assert.ok(error instanceof RecipeFault, String(error));
      }
    }),
    { numRuns: 2_000 },
  );
});
