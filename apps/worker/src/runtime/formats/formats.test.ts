// The conformance suite of model formats: the same promises, kept by each.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Problem } from '@retraind/shared/wire/problems';
import fc from 'fast-check';
import { formats, openModelFile } from './formats.ts';
import { ModelFault } from './model-fault.ts';
import { tensorsDigest } from './model-file.ts';
import {
  gnubgBinaryBytes,
  gnubgNets,
  gnubgTextBytes,
  onnxBytes,
  type SampleTensor,
  safetensorsBytes,
} from './samples.ts';

const folder = mkdtempSync(join(tmpdir(), 'formats-'));
after(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'model');

let state = 1;
const next = (): number => {
  state = (state * 48_271) % 2_147_483_647;
  return Math.fround(state / 2 ** 30 - 1);
};
const values = (count: number): number[] => Array.from({ length: count }, next);

const tensors: SampleTensor[] = [
  { name: 'w', shape: [3, 5], values: values(15) },
  { name: 'b', shape: [5], values: values(5) },
  { name: 'one', shape: [], values: values(1) },
  { name: 'none', shape: [0, 4], values: [] },
];
const nets = gnubgNets(
  [
    [4, 3, 2],
    [4, 2, 2],
    [4, 3, 2],
    [2, 2, 1],
    [2, 2, 1],
    [2, 1, 1],
  ],
  next,
);
const someNets = ['contact/beta', 'race/hidden/weights'];

/** A file of each format, and names that are in it. */
const files: Record<string, { bytes: Buffer; names: string[] }> = {
  safetensors: { bytes: safetensorsBytes(tensors), names: ['b', 'none', 'one', 'w'] },
  onnx: { bytes: onnxBytes(tensors), names: ['b', 'none', 'one', 'w'] },
  'gnubg.weights': { bytes: gnubgTextBytes(nets), names: someNets },
  'gnubg.wd': { bytes: gnubgBinaryBytes(nets), names: someNets },
};

const open = (content: Uint8Array) => {
  writeFileSync(path, content);
  return openModelFile(path);
};
const whole = (file: ReturnType<typeof openModelFile>, index: number): Buffer => {
  const into = Buffer.alloc(file.tensors[index]!.bytes);
  file.read(index, 0, into);
  return into;
};

/** Everything that may be asked of a file; only faults for people may come out. */
const attempt = (content: Uint8Array): void => {
  try {
    const file = open(content);
    tensorsDigest(file);
    file.close();
  } catch (fault) {
    if (!(fault instanceof ModelFault)) assert.fail(fault as Error);
    assert.ok(fault.detail.startsWith(path), fault.detail);
    assert.ok(fault.hint);
    assert.doesNotMatch(fault.detail, /[\u0000-\u001f\u007f-\u009f]/);
  }
};

test('every format has its sample', () => {
  assert.deepEqual(formats.map(({ name }) => name).sort(), Object.keys(files).sort());
});

for (const [format, { bytes, names }] of Object.entries(files)) {
  suite(format, () => {
    test('lists tensors by name, none twice', () => {
      const file = open(bytes);
      assert.equal(file.format, format);
      const found = file.tensors.map(({ name }) => name);
      assert.deepEqual(found, [...new Set(found)].sort());
      for (const name of names) assert.ok(found.includes(name), name);
      for (const { shape, bytes: length } of file.tensors) {
        assert.equal(length, 4 * shape.reduce((size, one) => size * one, 1));
      }
      file.close();
    });

    test('reads by position what it reads in whole', () => {
      const file = open(bytes);
      const all = file.tensors.map((_, index) => whole(file, index));
      fc.assert(
        fc.property(fc.nat(), fc.nat(), fc.nat(), (which, from, to) => {
          const index = which % all.length;
          const expected = all[index]!;
          const [begin, end] = [from % (expected.length + 1), to % (expected.length + 1)].sort(
            (a, b) => a - b,
          ) as [number, number];
          const into = Buffer.alloc(end - begin);
          file.read(index, begin, into);
          assert.deepEqual(into, expected.subarray(begin, end));
        }),
      );
      file.close();
    });

    test('the digest sees a weight', () => {
      const before = tensorsDigest(open(bytes));
      const other = Buffer.from(bytes);
      if (format === 'gnubg.weights') other.write('7', other.lastIndexOf('.') + 1);
      else other[other.length - (format === 'onnx' ? 40 : 3)]! ^= 1;
      assert.equal(tensorsDigest(open(bytes)), before);
      if (format !== 'onnx') assert.notEqual(tensorsDigest(open(other)), before);
    });

    test('cut short anywhere it is refused, or it is another whole file', () => {
      for (let length = 0; length < bytes.length - 2; length += 7) {
        // ONNX may lose a whole field, and a decimal number its last digits.
        const mayBeWhole = format === 'onnx' || (format === 'gnubg.weights' && length > bytes.length - 25);
        if (mayBeWhole) attempt(bytes.subarray(0, length));
        else assert.throws(() => open(bytes.subarray(0, length)), ModelFault);
      }
    });

    test('whatever is done to its bytes, the answer is a file or a fault with its cure', () => {
      const damage = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), {
        minLength: 1,
        maxLength: 6,
      });
      fc.assert(
        fc.property(damage, fc.nat(bytes.length), (places, cut) => {
          const content = Buffer.from(bytes);
          for (const [at, value] of places) content[at] = value;
          attempt(cut % 3 === 0 ? content.subarray(0, cut) : content);
        }),
        { numRuns: 300 },
      );
    });
  });
}

test('containers do not count: the same tensors have one digest', () => {
  const digest = tensorsDigest(open(safetensorsBytes(tensors)));
  assert.equal(tensorsDigest(open(onnxBytes(tensors))), digest);
  assert.equal(tensorsDigest(open(safetensorsBytes([...tensors].reverse(), { made: 'elsewhere' }))), digest);
  assert.equal(tensorsDigest(open(gnubgTextBytes(nets))), tensorsDigest(open(gnubgBinaryBytes(nets))));
});

test('any bytes at all', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), attempt), { numRuns: 300 });
});

test('pickles, torch’s zips and others are refused by what they are', () => {
  const rows: [string | number[], RegExp][] = [
    [[0x80, 2, 0x8a, 10], /Python pickle.*never loaded/],
    ['PK\x03\x04archive/data.pkl', /zip archive \(PyTorch/],
    ['\x89HDF\r\n\x1a\n', /HDF5/],
    ['version https://git-lfs.github.com/spec/v1', /Git LFS pointer/],
    ['GGUF0000', /GGUF/],
    ['', /empty/],
  ];
  for (const [content, said] of rows) {
    const bytes = typeof content === 'string' ? Buffer.from(content, 'latin1') : Buffer.from(content);
    assert.throws(
      () => open(bytes),
      (fault) => fault instanceof ModelFault && said.test(fault.message),
    );
  }
  assert.throws(() => openModelFile(folder), ModelFault);
  assert.throws(
    () => openModelFile(join(folder, 'absent')),
    (fault) => fault instanceof Problem && fault.code === 'not-found',
  );
});

test('a model in the tree opens, with its chains', () => {
  const tiny = fileURLToPath(new URL('../../../../../examples/tiny/models/tiny.onnx', import.meta.url));
  assert.ok(existsSync(tiny) && readFileSync(tiny).length > 0);
  const file = openModelFile(tiny);
  assert.equal(file.tensors.length, 4);
  assert.equal(file.chains.length, 1);
  assert.equal(file.chains[0]![0]!.uses.length, 3);
  file.close();
});
