// What each format refuses, and what it must not refuse.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { parseFloat32 } from './float32-text.ts';
import { openModelFile } from './formats.ts';
import { duplicateKey } from './json-keys.ts';
import { ModelFault } from './model-fault.ts';
import {
  bytes,
  gnubgBinaryBytes,
  gnubgNets,
  gnubgTextBytes,
  integer,
  node,
  onnxBytes,
  onnxOf,
  packedIntegers,
  safetensorsOf,
  tensorProto,
  typed,
} from './samples.ts';

const root = mkdtempSync(join(tmpdir(), 'refusals-'));
after(() => rmSync(root, { recursive: true }));
const folder = join(root, 'model');
mkdirSync(folder);
const path = join(folder, 'model.onnx');

const open = (content: Uint8Array) => {
  writeFileSync(path, content);
  return openModelFile(path);
};
const refuses = (content: Uint8Array, said: RegExp): void =>
  assert.throws(
    () => open(content),
    (fault) => fault instanceof ModelFault && said.test(fault.message),
  );
const valuesOf = (content: Uint8Array, index = 0): Buffer => {
  const file = open(content);
  const into = Buffer.alloc(file.tensors[index]!.bytes);
  file.read(index, 0, into);
  file.close();
  return into;
};

suite('safetensors', () => {
  const entry = (begin: number, end: number, shape = [(end - begin) / 4], dtype = 'F32'): string =>
    JSON.stringify({ dtype, shape, data_offsets: [begin, end] });
  const eight = Buffer.alloc(8);
  const rows: [string, Uint8Array, RegExp][] = [
    ['names twice', safetensorsOf(`{"a":${entry(0, 4)},"a":${entry(4, 8)}}`, eight), /"a" twice/],
    [
      'names twice, one escaped',
      safetensorsOf(`{"a":${entry(0, 4)},"\\u0061":${entry(4, 8)}}`, eight),
      /"a" twice/,
    ],
    [
      'a key twice in an entry',
      safetensorsOf('{"a":{"dtype":"F32","dtype":"I32","shape":[2],"data_offsets":[0,8]}}', eight),
      /"dtype" twice/,
    ],
    ['overlap', safetensorsOf(`{"a":${entry(0, 8)},"b":${entry(4, 8)}}`, eight), /overlaps/],
    ['gap', safetensorsOf(`{"a":${entry(4, 8)}}`, eight), /leaves a gap/],
    ['out of range', safetensorsOf(`{"a":${entry(0, 80)}}`, eight), /truncated/],
    ['bytes after the last', safetensorsOf(`{"a":${entry(0, 4)}}`, eight), /too long/],
    ['another shape', safetensorsOf(`{"a":${entry(0, 8, [3])}}`, eight), /needs 12 bytes/],
    ['a huge shape', safetensorsOf(`{"a":${entry(0, 8, [2 ** 52, 2 ** 52])}}`, eight), /needs \d{30,} bytes/],
    [
      'unknown type',
      safetensorsOf(`{"a":${entry(0, 8, [2], 'X\u001b[31m')}}`, eight),
      /unknown dtype "X\\u001b/,
    ],
    ['no JSON', safetensorsOf('{"a":', eight), /no JSON/],
    [
      'long header',
      Buffer.concat([Buffer.from([0, 0, 0, 0, 1, 0, 0, 0]), Buffer.from('{"')]),
      /header has 4294967296 bytes/,
    ],
  ];
  for (const [name, content, said] of rows) test(name, () => refuses(content, said));
  test('duplicateKey goes by objects', () => {
    assert.equal(duplicateKey('{"a":{"b":["b","b"]},"b":{"a":"a"}}'), null);
    assert.equal(duplicateKey('[{"a\\"":1, "b":2,"a\\"" :3}]'), 'a"');
  });
});

suite('onnx', () => {
  const w = { name: 'w', shape: [2], values: [1, 2] };
  const one = Buffer.from(new Float32Array([1, 2]).buffer);
  test('raw, packed and single fields give the same bytes', () => {
    assert.deepEqual(valuesOf(onnxBytes([w])), one);
    assert.deepEqual(valuesOf(onnxBytes([w], [], typed)), one);
    const single = (value: number) =>
      Buffer.concat([Buffer.from([0x25]), Buffer.from(new Float32Array([value]).buffer)]);
    assert.deepEqual(valuesOf(onnxBytes([w], [], () => Buffer.concat([single(1), single(2)]))), one);
  });
  test('integers in varints, packed or not, forwards and back', () => {
    const values = [1n, -2n, 300n, -(2n ** 62n), 0n];
    const expected = Buffer.from(new BigInt64Array(values).buffer);
    const head = [integer(1, 5), integer(2, 7), bytes(8, 'i')];
    for (const body of [packedIntegers(7, values), Buffer.concat(values.map((value) => integer(7, value)))]) {
      const file = open(onnxOf(bytes(5, ...head, body)));
      for (const [begin, end] of [
        [0, 40],
        [3, 21],
        [0, 5],
        [5, 40],
        [32, 40],
      ] as const) {
        const into = Buffer.alloc(end - begin);
        file.read(0, begin, into);
        assert.deepEqual(into, expected.subarray(begin, end));
      }
      file.close();
    }
    const halves = onnxOf(
      bytes(5, integer(1, 2), integer(2, 10), bytes(8, 'h'), packedIntegers(5, [0x3c00, 0xc000])),
    );
    assert.deepEqual(valuesOf(halves), Buffer.from([0, 0x3c, 0, 0xc0]));
  });
  const proto = (...parts: Buffer[]): Buffer => onnxOf(bytes(5, ...parts));
  const rows: [string, Uint8Array, RegExp][] = [
    ['names twice', onnxBytes([w, w]), /two tensors named "w"/],
    ['too few bytes', onnxBytes([{ ...w, shape: [3] }]), /needs 12 bytes, the file holds 8/],
    ['unknown type', proto(integer(2, 99), bytes(8, 'w')), /unknown type 99/],
    ['negative shape', proto(integer(1, -1), integer(2, 1)), /impossible shape/],
    [
      'lying length',
      Buffer.concat([onnxBytes([w]), Buffer.from([0x3a, 0xff, 0xff, 0x7f])]),
      /where 0 are left/,
    ],
    ['no graph', integer(1, 8), /no graph/],
    ['two graphs', Buffer.concat([onnxBytes([w]), bytes(7, node0())]), /two graphs/],
    [
      'a value given twice',
      onnxBytes([w], [node('Relu', ['w'], 'x'), node('Tanh', ['w'], 'x')]),
      /two things.*"x"/,
    ],
    ['a node that gives a tensor', onnxBytes([w], [node('Relu', ['w'], 'w')]), /two things.*"w"/],
    ['sparse', onnxOf(bytes(15, '')), /sparse/],
  ];
  function node0(): Buffer {
    return bytes(1, bytes(4, 'Relu'));
  }
  for (const [name, content, said] of rows) test(name, () => refuses(content, said));
});

suite('external data', () => {
  const placed = (name: string, location: string, more: Record<string, string | number> = {}): Buffer =>
    bytes(
      5,
      integer(1, 2),
      integer(2, 1),
      bytes(8, name),
      ...Object.entries({ location, ...more }).map(([key, value]) =>
        bytes(13, bytes(1, key), bytes(2, String(value))),
      ),
      integer(14, 1),
    );
  const values = Buffer.from(new Float32Array([1, 2, 3, 4]).buffer);
  writeFileSync(join(folder, 'weights.bin'), values);
  writeFileSync(join(root, 'secret'), values);
  symlinkSync('../secret', join(folder, 'link'));
  symlinkSync('..', join(folder, 'up'));
  test('beside the model it is read', () => {
    const content = onnxOf(
      placed('a', 'weights.bin', { offset: 8, length: 8 }),
      placed('b', './weights.bin', { length: 8 }),
    );
    assert.deepEqual(valuesOf(content, 0), values.subarray(8));
    assert.deepEqual(valuesOf(content, 1), values.subarray(0, 8));
  });
  const rows: [string, Buffer[], RegExp][] = [
    ['absolute', [placed('a', '/etc/passwd')], /no path relative/],
    ['..', [placed('a', '../secret')], /leads out/],
    ['.. in the middle', [placed('a', 'x/../../secret')], /leads out/],
    ['backslashes', [placed('a', '..\\secret')], /leads out/],
    ['a link out', [placed('a', 'link', { length: 8 })], /link that leads out/],
    ['a folder link out', [placed('a', 'up/secret', { length: 8 })], /link that leads out/],
    ['a folder', [placed('a', '.', { length: 8 })], /leads out|plain file/],
    ['absent', [placed('a', 'absent')], /is not there/],
    ['itself', [placed('a', 'model.onnx', { length: 8 })], /the model file itself/],
    ['no location', [bytes(5, integer(1, 2), integer(2, 1), integer(14, 1))], /no location/],
    [
      'beyond the end',
      [placed('a', 'weights.bin', { offset: 12, length: 8 })],
      /beyond the end \(16 bytes\)/,
    ],
    [
      'a huge offset',
      [placed('a', 'weights.bin', { offset: '9223372036854775807', length: 8 })],
      /beyond the end/,
    ],
    ['offset no number', [placed('a', 'weights.bin', { offset: '-4', length: 8 })], /the offset "-4"/],
    ['another length', [placed('a', 'weights.bin', { length: 12 })], /needs 8 bytes and has 12/],
    [
      'overlap',
      [placed('a', 'weights.bin', { length: 8 }), placed('b', 'weights.bin', { offset: 4, length: 8 })],
      /overlap at byte 4/,
    ],
  ];
  for (const [name, graph, said] of rows) test(name, () => refuses(onnxOf(...graph), said));
});

suite('gnubg', () => {
  const nets = gnubgNets(
    Array.from({ length: 6 }, () => [2, 2, 1] as [number, number, number]),
    () => 0.5,
  );
  const rows: [string, Uint8Array, RegExp][] = [
    ['version 1.01 by name', gnubgTextBytes(nets, '1.01'), /version "1.01", which is not read/],
    ['binary of another version', gnubgBinaryBytes(nets, 2), /gnubg.wd of version 2/],
    ['five nets', gnubgTextBytes(nets.slice(1)), /truncated/],
    ['seven nets', gnubgTextBytes([...nets, nets[0]!]), /goes on after its six nets/],
    ['seven nets, binary', gnubgBinaryBytes([...nets, nets[0]!]), /goes on after its six nets/],
    ['a huge net', Buffer.from('GNU Backgammon 1.00\n60000 60000 5 0 0.1 1\n'), /more than 67108864 weights/],
    ['no hidden units', Buffer.from('GNU Backgammon 1.00\n2 0 5 0 0.1 1\n'), /0 hidden/],
    ['a word', Buffer.from('GNU Backgammon 1.00\n2 1 1 0 0.1 x\n'), /line 2: "x" is no finite number/],
    ['NaN', Buffer.from('GNU Backgammon 1.00\n2 1 1 0 0.1 1\nnan\n'), /line 3: "nan"|truncated/],
    [
      'too large a number',
      Buffer.from('GNU Backgammon 1.00\n2 1 1 0 0.1 1\n1e39\n1\n1\n1\n1\n'),
      /line 3: "1e39"/,
    ],
    ['a long word', Buffer.from(`GNU Backgammon 1.00\n${'1'.repeat(99)}`), /more than 64 characters/],
  ];
  for (const [name, content, said] of rows) test(name, () => refuses(content, said));

  test('decimals are rounded once', () => {
    // 1 + 2^-24 lies between two floats; a digit more is nearer to the upper, a digit less to the lower.
    assert.equal(parseFloat32('1.000000059604644775390625'), 1);
    assert.equal(parseFloat32('1.00000005960464477539062500000001'), 1 + 2 ** -23);
    assert.equal(parseFloat32('1.000000178813934326171874999999999'), 1 + 2 ** -23);
    assert.equal(parseFloat32('-0.1000000'), Math.fround(-0.1));
    assert.equal(parseFloat32('1e-3'), Math.fround(1e-3));
    for (const text of ['', '.', 'inf', 'nan', '0x10', '1e40', '1,5', '--1'])
      assert.equal(parseFloat32(text), null);
  });
});

test('a tensor of texts is read as lengths and texts', () => {
  const content = onnxOf(bytes(5, integer(1, 2), integer(2, 8), bytes(8, 's'), bytes(6, 'ab'), bytes(6, '')));
  assert.deepEqual(
    valuesOf(content),
    Buffer.concat([Buffer.from([2, 0, 0, 0, 0, 0, 0, 0]), Buffer.alloc(8), Buffer.from('ab')]),
  );
  assert.ok(tensorProto({ name: 'x', shape: [], values: [1] }).length > 0);
});
