// The emitted loops against tfjs's own kernels, bit for bit: every kernel, every layout of operands, special values.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { openEngine } from '../../engine/engines.ts';
import { generator } from '../../random.ts';
import { type Along, emitters, type Group, groupModule } from './elementwise.ts';

before(() => openEngine('wasm'));

const next = generator(5, 'test');
const specials = [
  0,
  -0,
  1,
  -1,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  Number.NaN,
  1e-45,
  -1e-45,
  3.4e38,
];

/** Every third value a special one. */
const drawn = (length: number): Float32Array =>
  Float32Array.from({ length }, (_, i) =>
    i % 3 === 2 ? specials[Math.floor(next() * 10)]! : 4 * next() - 2,
  );

/** Runs a group on a memory of its own. Operands and outputs in the order of the group. */
function run(group: Group, operands: Float32Array[]): Float32Array[] {
  const memory = new WebAssembly.Memory({ initial: 4 });
  const sizes = [
    ...operands.map(({ length }) => length),
    ...group.outputs.map(() => group.width * group.rows),
  ];
  let end = 64;
  const addresses = sizes.map((size) => {
    const address = end;
    // Guarded by bytes that must not change.
    end += 4 * size + 32;
    return address;
  });
  const bytes = new Uint8Array(memory.buffer).fill(0xa5);
  operands.forEach((values, i) => {
    new Float32Array(memory.buffer, addresses[i]!, values.length).set(values);
  });
  const kept = bytes.slice();
  const module = new WebAssembly.Module(groupModule(group, addresses));
  (new WebAssembly.Instance(module, { env: { memory } }).exports.run as () => void)();
  const results = group.outputs.map((_, i) => {
    const at = addresses[operands.length + i]!;
    const values = new Float32Array(memory.buffer.slice(at, at + 4 * group.width * group.rows));
    bytes.set(kept.subarray(at, at + values.byteLength), at);
    return values;
  });
  assert.deepEqual(bytes, kept, 'nothing but the outputs is written');
  return results;
}

const shapesOf: Record<Along, (rows: number, width: number) => number[]> = {
  each: (rows, width) => [rows, width],
  row: (_, width) => [width],
  one: () => [],
  column: (rows) => [rows, 1],
};

for (const [kernel, { inputs, makesMask, takesMasks }] of Object.entries(emitters)) {
  if (kernel === 'Tile' || makesMask || takesMasks) continue;
  const layouts: Along[][] =
    inputs.length === 1
      ? [['each']]
      : [
          ['each', 'each'],
          ['each', 'row'],
          ['row', 'each'],
          ['one', 'each'],
          ['each', 'one'],
          ['each', 'column'],
          ['column', 'row'],
        ];
  for (const layout of layouts) {
    test(`${kernel} of ${layout}`, () => {
      for (const [rows, width] of [
        [1, 1],
        [1, 3],
        [1, 4],
        [3, 5],
        [7, 8],
        [5, 130],
      ] as [number, number][]) {
        const attrs: tf.NamedAttrMap = kernel === 'Step' ? { alpha: 0.5 } : {};
        const values = layout.map((along) => drawn(shapesOf[along](rows, width).reduce((a, b) => a * b, 1)));
        const tensors = layout.map((along, i) => tf.tensor(values[i]!, shapesOf[along](rows, width)));
        const expected = tf
          .engine()
          .runKernel(
            kernel,
            Object.fromEntries(inputs.map((name, i) => [name, tensors[i]!])),
            attrs,
          ) as tf.Tensor;
        const [found] = run(
          {
            width,
            rows,
            operands: layout.map((along, data) => ({ data, along })),
            steps: [{ kernel, attrs, args: layout.map((_, data) => data), out: 9 }],
            outputs: [9],
          },
          values,
        );
        assert.deepEqual(found, expected.dataSync(), `${rows} rows of ${width}`);
        tf.dispose([...tensors, expected]);
      }
    });
  }
}

for (const kernel of Object.keys(emitters).filter(
  (name) => emitters[name]!.makesMask && !emitters[name]!.takesMasks,
)) {
  test(`${kernel}, alone and with another, chooses and becomes a number`, () => {
    const [a, b, c] = [drawn(30), drawn(30), drawn(30)];
    b.set(a.subarray(0, 9));
    const [x, y, z] = [a, b, c].map((values) => tf.tensor(values));
    const compare = (p: tf.Tensor, q: tf.Tensor): tf.Tensor => tf.engine().runKernel(kernel, { a: p, b: q });
    const [first, second] = [compare(x!, y!), compare(y!, z!)];
    const expected = [
      tf.where(first, x!, z!),
      tf.where(tf.logicalAnd(first, second), x!, z!),
      tf.cast(tf.logicalOr(first, second), 'float32'),
    ];
    const step = (name: string, args: number[], out: number) => ({ kernel: name, attrs: {}, args, out });
    const found = run(
      {
        width: 30,
        rows: 1,
        operands: [0, 1, 2].map((data) => ({ data, along: 'each' })),
        steps: [
          ...[step(kernel, [0, 1], 3), step(kernel, [1, 2], 4), step('Select', [3, 0, 2], 5)],
          ...[step('LogicalAnd', [3, 4], 6), step('Select', [6, 0, 2], 7)],
          ...[step('LogicalOr', [3, 4], 8), step('Cast', [8], 9)],
        ],
        outputs: [5, 7, 9],
      },
      [a, b, c],
    );
    assert.deepEqual(
      found,
      expected.map((tensor) => tensor.dataSync()),
    );
  });
}

test('Tile repeats a row, a column, a value', () => {
  const [rows, width] = [3, 5];
  const tiles = { each: [1, 1], row: [rows, 1], column: [1, width], one: [rows, width] };
  for (const [along, reps] of Object.entries(tiles) as [Along, number[]][]) {
    const [high, wide] = [rows / reps[0]!, width / reps[1]!];
    const values = drawn(high * wide);
    const x = tf.tensor(values, [high, wide]);
    const expected = tf.tile(x, reps);
    const steps = [{ kernel: 'Tile', attrs: {}, args: [0], out: 1 }];
    const [found] = run({ width, rows, operands: [{ data: 0, along }], steps, outputs: [1] }, [values]);
    assert.deepEqual(found, expected.dataSync(), along);
    tf.dispose([x, expected]);
  }
});

test('a chain keeps what is asked for', () => {
  const [a, b] = [drawn(15), drawn(3)];
  const [sum, root] = run(
    {
      width: 3,
      rows: 5,
      operands: [
        { data: 0, along: 'each' },
        { data: 1, along: 'row' },
      ],
      steps: [
        { kernel: 'Add', attrs: {}, args: [0, 1], out: 2 },
        { kernel: 'Square', attrs: {}, args: [2], out: 3 },
        { kernel: 'Sqrt', attrs: {}, args: [3], out: 4 },
      ],
      outputs: [2, 4],
    },
    [a, b],
  );
  a.forEach((value, i) => {
    const one = Math.fround(value + b[i % 3]!);
    assert.ok(Object.is(sum![i], one));
    assert.ok(Object.is(root![i], Math.fround(Math.sqrt(Math.fround(one * one)))));
  });
});
