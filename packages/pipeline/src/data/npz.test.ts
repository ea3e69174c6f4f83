// Files by numpy itself (fixtures/make.py), hurt in every way that a zip can be.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { RecipeFault } from '../fault.ts';
import { openNpz, readNpz } from './npz.ts';
import { inputs, labels } from './records.ts';

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

for (const kind of ['npz', 'npz deflated']) {
  test(`${kind}: arrays by name, read and opened`, async () => {
    const path = await written('set.npz', file(kind));
    assert.deepEqual((await readNpz(path, 'x')).shape, [4, 3]);
    assert.deepEqual(Array.from(labels(await openNpz(path, 'y'), { classes: 3 }).values), [0, 1, 2, 1]);
    const set = inputs(await openNpz(path, 'x'));
    assert.deepEqual(await set.gather(Int32Array.of(3, 0)), Float32Array.of(9, 10, 11, 0, 1, 2));
    set.close();
  });

  test(`${kind}: what is not there is told`, async () => {
    const path = await written('set.npz', file(kind));
    await assert.rejects(readNpz(path, 'z'), /set\.npz: holds no array 'z' \(it holds x, y\)/);
    await assert.rejects(openNpz(path), (error: RecipeFault) => {
      assert.match(error.message, /set\.npz: holds 2 arrays/);
      return error.cure === 'name one of x, y';
    });
    await assert.rejects(readNpz(path, 'x', { maxBytes: 40 }), /x\.npy: more than 40 bytes/);
    await assert.rejects(readNpz(join(folder, 'absent.npz'), 'x'), /absent\.npz: cannot be read \(ENOENT\)/);
    await assert.rejects(readNpz(await written('cut.npz', file(kind).subarray(0, 300)), 'x'), /broken npz/);
  });

  test(`${kind}: flipped and cut bytes are refused, or harmless`, async () => {
    const whole = file(kind);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 3 }),
        fc.oneof(fc.constant(whole.length), fc.nat(whole.length)),
        async (flips, length) => {
          const bytes = Buffer.from(whole);
          for (const [at, value] of flips) bytes[at] = value;
          const path = await written('hurt.npz', bytes.subarray(0, length));
          for (const read of [readNpz, openNpz]) {
            try {
              const array = await read(path, 'x');
              if ('source' in array) array.source.close();
            } catch (error) {
              assert.ok(error instanceof RecipeFault, String((error as Error).stack));
            }
          }
        },
      ),
      { numRuns: 300 },
    );
  });
}

test('a deflated member whose checksum is wrong is refused', async () => {
  const bytes = file('npz deflated');
  const directory = bytes.indexOf(Buffer.from('PK\x01\x02', 'latin1'));
  bytes[directory + 16]! ^= 1;
  const path = await written('sum.npz', bytes);
  for (const read of [readNpz, openNpz]) {
    await assert.rejects(read(path, 'x'), /x\.npy: broken npz \(its checksum is wrong\)/);
  }
});
