import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import fc from 'fast-check';
import { openModelFile } from '../formats/formats.ts';
import { ModelFault } from '../formats/model-fault.ts';
import {
  bytes,
  gnubgBinaryBytes,
  gnubgNets,
  integerAttribute,
  node,
  onnxBytes,
  type SampleTensor,
} from '../formats/samples.ts';
import { alignModel } from './align.ts';
import { compareModels } from './compare.ts';
import { addProducts } from './products.ts';

const folder = mkdtempSync(join(tmpdir(), 'align-'));
after(() => rmSync(folder, { recursive: true }));

const open = (name: string, content: Uint8Array) => {
  writeFileSync(join(folder, name), content);
  return openModelFile(join(folder, name));
};

const alignedDiff = async (left: Uint8Array, right: Uint8Array) => {
  const a = open('a', left);
  const b = open('b', right);
  const { file, alignments } = await alignModel(a, b);
  const comparison = await compareModels(a, file);
  a.close();
  b.close();
  return { alignments, comparison };
};

const generator = (seed: number) => {
  let state = (seed % 2_147_483_646) + 1;
  return (): number => {
    state = (state * 48_271) % 2_147_483_647;
    return Math.fround(state / 2 ** 30 - 1);
  };
};
const shuffled = (length: number, next: () => number): number[] => {
  const order = Array.from({ length }, (_, i) => i);
  for (let i = length - 1; i > 0; i--) {
    const j = Math.floor(((next() + 1) / 2) * (i + 1)) % (i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
};

interface Dense {
  /** rows × columns, row-major: inputs × outputs. */
  weights: number[];
  bias: number[];
  inputs: number;
  outputs: number;
}
const denseNet = (sizes: readonly number[], next: () => number): Dense[] =>
  sizes.slice(1).map((outputs, i) => ({
    inputs: sizes[i]!,
    outputs,
    weights: Array.from({ length: sizes[i]! * outputs }, next),
    bias: Array.from({ length: outputs }, next),
  }));

/** The same function with the units of every hidden layer in another order. */
const renumbered = (layers: readonly Dense[], next: () => number): Dense[] => {
  let rows = Array.from({ length: layers[0]!.inputs }, (_, i) => i);
  return layers.map((layer, i) => {
    const columns =
      i === layers.length - 1
        ? Array.from({ length: layer.outputs }, (_, j) => j)
        : shuffled(layer.outputs, next);
    const weights = rows.flatMap((row) =>
      columns.map((column) => layer.weights[row * layer.outputs + column]!),
    );
    rows = columns;
    return { ...layer, weights, bias: columns.map((column) => layer.bias[column]!) };
  });
};

/** As Gemm with its matrix transposed or not, or as MatMul and Add. */
const onnxOfNet = (layers: readonly Dense[], style: 'gemm' | 'transposed' | 'matmul'): Buffer => {
  const tensors: SampleTensor[] = [];
  const nodes: Buffer[] = [];
  layers.forEach(({ inputs, outputs, weights, bias }, i) => {
    const turned = Array.from(
      { length: weights.length },
      (_, k) => weights[(k % inputs) * outputs + Math.floor(k / inputs)]!,
    );
    const isTurned = style === 'transposed';
    tensors.push(
      {
        name: `w${i}`,
        shape: isTurned ? [outputs, inputs] : [inputs, outputs],
        values: isTurned ? turned : weights,
      },
      { name: `b${i}`, shape: [outputs], values: bias },
    );
    const input = i === 0 ? 'in' : `act${i - 1}`;
    if (style === 'matmul') {
      nodes.push(node('MatMul', [input, `w${i}`], `mul${i}`), node('Add', [`mul${i}`, `b${i}`], `sum${i}`));
    } else {
      const attributes = isTurned ? [integerAttribute('transB', 1)] : [];
      nodes.push(node('Gemm', [input, `w${i}`, `b${i}`], `sum${i}`, ...attributes));
    }
    nodes.push(
      node(
        i === layers.length - 1 ? 'Softmax' : 'Relu',
        [`sum${i}`],
        i === layers.length - 1 ? 'out' : `act${i}`,
      ),
    );
  });
  return onnxBytes(tensors, nodes);
};

suite('renumbered units align to distance 0', () => {
  for (const style of ['gemm', 'transposed', 'matmul'] as const) {
    test(`ONNX, ${style}`, async () => {
      const widths = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 3, maxLength: 5 });
      await fc.assert(
        fc.asyncProperty(widths, fc.nat(), async ([first, ...rest], seed) => {
          const next = generator(seed);
          // Units are told apart by what comes in: two numbers at least.
          const net = denseNet([first! + 1, ...rest], next);
          const { comparison, alignments } = await alignedDiff(
            onnxOfNet(net, style),
            onnxOfNet(renumbered(net, next), style),
          );
          assert.equal(alignments.length, 1);
          assert.deepEqual(alignments[0]!.widths, rest.slice(0, -1));
          assert.equal(comparison.total.relativeDistance, 0);
          assert.equal(comparison.identical, true);
        }),
        { numRuns: 60 },
      );
    });
  }

  test('gnubg’s nets', async () => {
    const next = generator(7);
    const nets = gnubgNets(
      [
        [6, 9, 3],
        [6, 9, 3],
        [6, 9, 3],
        [4, 5, 2],
        [4, 5, 2],
        [4, 1, 2],
      ],
      next,
    );
    const other = nets.map(({ sizes, beta, values }) => {
      const [inputs, hidden, outputs] = sizes;
      const order = shuffled(hidden, next);
      const rows = inputs + outputs + 1;
      const moved = Array.from(
        { length: rows * hidden },
        (_, k) => values[k - (k % hidden) + order[k % hidden]!]!,
      );
      return { sizes, beta, values: [...moved, ...values.slice(rows * hidden)] };
    });
    const { comparison, alignments } = await alignedDiff(gnubgBinaryBytes(nets), gnubgBinaryBytes(other));
    assert.equal(alignments.length, 6);
    assert.equal(comparison.identical, true);
  });
});

test('noise on renumbered units: aligning finds the order again, and the distance is the noise’s', async () => {
  const next = generator(3);
  const net = denseNet([8, 20, 20, 4], next);
  const other = renumbered(net, next).map((layer) => ({
    ...layer,
    weights: layer.weights.map((value) => value + 1e-3 * next()),
  }));
  const { comparison } = await alignedDiff(onnxOfNet(net, 'gemm'), onnxOfNet(other, 'gemm'));
  assert.ok(comparison.total.relativeDistance! > 0 && comparison.total.relativeDistance! < 2e-3);
});

test('aligning never leads farther away', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), async (seed) => {
      const next = generator(seed);
      const [one, other] = [1, 2].map(() => onnxOfNet(denseNet([3, 6, 5, 2], next), 'gemm')) as [
        Buffer,
        Buffer,
      ];
      const a = open('a', one);
      const b = open('b', other);
      const before = await compareModels(a, b);
      const { file } = await alignModel(a, b);
      const after_ = await compareModels(a, file);
      assert.ok(after_.total.relativeDistance! <= before.total.relativeDistance!);
      a.close();
      b.close();
    }),
    { numRuns: 30 },
  );
});

test('what is no plain chain is left alone, with the reason where there is one', async () => {
  const next = generator(5);
  const net = denseNet([3, 4, 2], next);
  const plain = onnxOfNet(net, 'gemm');
  // The hidden units are an output as well: their numbers are seen.
  const shown = onnxBytes(
    [
      { name: 'w0', shape: [3, 4], values: net[0]!.weights },
      { name: 'w1', shape: [4, 2], values: net[1]!.weights },
    ],
    [node('MatMul', ['in', 'w0'], 'h'), node('MatMul', ['h', 'w1'], 'out'), bytes(12, bytes(1, 'h'))],
  );
  assert.deepEqual((await alignedDiff(shown, shown)).alignments, []);
  const reshaped = onnxBytes(
    [
      { name: 'w0', shape: [3, 4], values: net[0]!.weights },
      { name: 'w1', shape: [4, 2], values: net[1]!.weights },
    ],
    [node('MatMul', ['in', 'w0'], 'h'), node('Reshape', ['h', 's'], 'g'), node('MatMul', ['g', 'w1'], 'out')],
  );
  assert.deepEqual((await alignedDiff(reshaped, reshaped)).alignments, []);
  const wider = onnxOfNet(denseNet([3, 5, 2], next), 'gemm');
  assert.match((await alignedDiff(plain, wider)).alignments[0]!.reason!, /no such chain/);
  const broken = net.map((layer, i) => (i === 0 ? { ...layer, bias: [Number.NaN, 1, 1, 1] } : layer));
  assert.match((await alignedDiff(plain, onnxOfNet(broken, 'gemm'))).alignments[0]!.reason!, /NaN/);
});

test('whatever is done to a net’s bytes, it is aligned and compared, or refused as a model', async () => {
  const bytesOfNet = onnxOfNet(denseNet([3, 4, 4, 2], generator(9)), 'matmul');
  const damage = fc.array(fc.tuple(fc.nat(bytesOfNet.length - 1), fc.nat(255)), {
    minLength: 1,
    maxLength: 5,
  });
  await fc.assert(
    fc.asyncProperty(damage, async (places) => {
      const content = Buffer.from(bytesOfNet);
      for (const [at, value] of places) content[at] = value;
      try {
        await alignedDiff(bytesOfNet, content);
      } catch (fault) {
        if (!(fault instanceof ModelFault)) assert.fail(fault as Error);
      }
    }),
    { numRuns: 300 },
  );
});

test('products in tiles are products', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 11 }),
      fc.integer({ min: 1, max: 1_100 }),
      fc.nat(),
      (width, features, seed) => {
        const next = generator(seed);
        const [a, b] = [1, 2].map(() => Float32Array.from({ length: width * features }, next)) as [
          Float32Array,
          Float32Array,
        ];
        const sums = new Float64Array(width * width);
        for (const _ of addProducts(sums, a, b, width));
        for (let i = 0; i < width; i++) {
          for (let j = 0; j < width; j++) {
            let expected = 0;
            for (let f = 0; f < features; f++) expected += a[i * features + f]! * b[j * features + f]!;
            assert.ok(Math.abs(sums[i * width + j]! - expected) < 1e-9 * features);
          }
        }
      },
    ),
    { numRuns: 20 },
  );
});
