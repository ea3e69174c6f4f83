// A file by the library itself (fixtures/make.py), and files that it would never write.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { RecipeFault } from '../fault.ts';
import { inputs, labels } from './records.ts';
import { openSafetensors, readSafetensors } from './safetensors.ts';

const files = JSON.parse(await readFile(new URL('./fixtures/files.json', import.meta.url), 'utf8')) as Record<
  string,
  string
>;
const own = Buffer.from(files.safetensors!, 'base64');
const folder = await mkdtemp(join(tmpdir(), 'retraind-test-'));
after(() => rm(folder, { recursive: true, force: true }));
const written = async (name: string, content: Uint8Array): Promise<string> => {
  await writeFile(join(folder, name), content);
  return join(folder, name);
};

test('tensors by name, read and opened, in every type of the fixture', async () => {
  const path = await written('set.safetensors', own);
  const sixth = [0, 1, 2, 3, 4, 5];
  const expected: Record<string, number[]> = {
    x: sixth.map((i) => i - 2),
    half: sixth.map((i) => i / 4),
    brain: sixth.map((i) => i / -8),
  };
  for (const [name, values] of Object.entries(expected)) {
    const array = await readSafetensors(path, name);
    assert.deepEqual(array.shape, [3, 2]);
    assert.ok(array.values instanceof Float32Array);
    assert.deepEqual(array.values, Float32Array.from(values));
    const set = inputs(await openSafetensors(path, name));
    assert.deepEqual(
      await set.gather(Int32Array.of(2, 0)),
      Float32Array.from([4, 5, 0, 1], (i) => values[i]!),
    );
    set.close();
  }
  assert.deepEqual(Array.from(labels(await openSafetensors(path, 'y'), { classes: 3 }).values), [0, 1, 2]);
});

const file = (header: unknown, payload = 0): Buffer => {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, Buffer.alloc(payload)]);
};
const tensor = (
  begin: number,
  end: number,
  shape: unknown = [(end - begin) / 4],
  dtype: unknown = 'F32',
) => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

const faults: [string, Uint8Array, RegExp][] = [
  ['nothing', Buffer.alloc(0), /0 bytes are too few/],
  ['a vast header', Buffer.alloc(9, 0xff), /a header of 18446744073709551615 bytes; at most/],
  ['a header beyond the file', own.subarray(0, 60), /ends inside the header \(60 of/],
  ['no JSON', file('{"x": '), /bytes 8-13\) is no JSON/],
  ['a list', file([]), /is no JSON object/],
  ['no tensor', file({ __metadata__: {} }), /holds no tensor 'x'/],
  ['another tensor', file({ z: tensor(0, 4) }, 4), /holds no tensor 'x'/],
  ['no dtype', file({ x: { shape: [1], data_offsets: [0, 4] } }, 4), /of 'x' no dtype/],
  ['null', file({ x: null }), /of 'x' no dtype/],
  ['a negative length', file({ x: tensor(0, 4, [-1]) }, 4), /of 'x' no shape/],
  ['half a length', file({ x: tensor(0, 4, [0.5]) }, 4), /of 'x' no shape/],
  ['offsets backwards', file({ x: tensor(4, 0, [1]) }, 4), /of 'x' no data_offsets/],
  ['an unknown type', file({ x: tensor(0, 4, [4], 'F8_E4M3') }, 4), /: x: the type 'F8_E4M3' is not read/],
  [
    'a type of an object’s own',
    file({ x: tensor(0, 4, [4], 'constructor') }, 4),
    /'constructor' is not read/,
  ],
  ['a scalar', file({ x: tensor(0, 4, []) }, 4), /: x: is a single number/],
  ['a shape of another size', file({ x: tensor(0, 4, [2]) }, 4), /: x: shape 2 needs 8 bytes, it has 4/],
  ['an overlap', file({ w: tensor(0, 8), x: tensor(4, 8) }, 8), /'x' overlaps the one before/],
  ['a gap', file({ w: tensor(0, 4), x: tensor(8, 12) }, 12), /'x' leaves a gap: it begins at 8, not at 4/],
  ['a cut file', file({ x: tensor(0, 8) }, 7), /truncated: its tensors end at byte \d+, the file at/],
  ['trailing bytes', file({ x: tensor(0, 8) }, 9), /too long: its tensors end/],
];
for (const [what, content, message] of faults) {
  test(`refused with its name: ${what}`, async () => {
    const path = await written('broken', content);
    for (const read of [readSafetensors, openSafetensors]) {
      await assert.rejects(read(path, 'x'), (error: Error) => {
        assert.ok(error instanceof RecipeFault && error.cure !== '', String(error.stack));
        assert.match(error.message, message);
        return error.message.startsWith(path);
      });
    }
  });
}

test('more than memory may hold, and no name where there are several', async () => {
  const path = await written('set.safetensors', own);
  await assert.rejects(readSafetensors(path, 'x', { maxBytes: 10 }), /x: more than 10 bytes/);
  await assert.rejects(readSafetensors(path), /holds 4 tensors/);
  assert.deepEqual((await readSafetensors(await written('one', file({ only: tensor(0, 8) }, 8)))).shape, [2]);
});

test('no flipped or cut bytes make the reader throw anything but a RecipeFault', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(own.length - 1), fc.nat(255)), { maxLength: 4 }),
      fc.oneof(fc.constant(own.length), fc.nat(own.length)),
      async (flips, length) => {
        const bytes = Buffer.from(own);
        for (const [at, value] of flips) bytes[at] = value;
        const path = await written('hurt', bytes.subarray(0, length));
        for (const name of ['x', 'y', 'brain']) {
          try {
            await readSafetensors(path, name);
          } catch (error) {
            assert.ok(error instanceof RecipeFault, String((error as Error).stack));
          }
        }
      },
    ),
    { numRuns: 300 },
  );
});
