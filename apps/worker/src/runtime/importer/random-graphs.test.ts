// Random small graphs against onnxruntime.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { wasm } from '@retraind/pipeline/engine/wasm';
import fc from 'fast-check';
import { readOnnx } from '../onnx/model.ts';
import { assertSame, chain, constants } from './conformance.fixture.ts';
import type { SampleNode } from './graph.fixture.ts';
import { importOnnx } from './import.ts';

before(() => wasm.open());

test('random graphs', async () => {
  const side = fc.integer({ min: 1, max: 3 });
  const layer: fc.Arbitrary<(shape: number[]) => SampleNode | null> = fc.oneof(
    fc
      .record({
        out: fc.integer({ min: 1, max: 5 }),
        rows: side,
        columns: side,
        stride: side,
        pads: fc.array(fc.nat(2), { minLength: 4, maxLength: 4 }),
        dilation: fc.integer({ min: 1, max: 2 }),
      })
      .map(
        (given) => (shape: number[]) =>
          shape.length !== 3
            ? null
            : {
                op: 'Conv',
                constants: constants([given.out, shape[0]!, given.rows, given.columns], [given.out]),
                attributes: {
                  pads: given.pads,
                  strides: [given.stride, given.stride],
                  dilations: [given.dilation, given.dilation],
                },
              },
      ),
    fc
      .record({
        op: fc.constantFrom('MaxPool', 'AveragePool'),
        size: fc.integer({ min: 2, max: 3 }),
        stride: side,
        pads: fc.array(fc.nat(1), { minLength: 4, maxLength: 4 }),
      })
      .map(
        (given) => (shape: number[]) =>
          shape.length !== 3
            ? null
            : {
                op: given.op,
                attributes: {
                  kernel_shape: [given.size, given.size],
                  strides: [given.stride, given.stride],
                  pads: given.pads,
                },
              },
      ),
    fc.constantFrom('Relu', 'Sigmoid', 'Tanh', 'LeakyRelu').map((op) => () => ({ op })),
    fc.constantFrom('Add', 'Mul', 'Sub').map((op) => (shape: number[]) => ({
      op,
      constants: constants([shape[0]!, ...shape.slice(1).map(() => 1)]),
    })),
    fc.constant((shape: number[]) => (shape.length === 3 ? { op: 'Flatten' } : null)),
    fc
      .integer({ min: 1, max: 6 })
      .map(
        (out) => (shape: number[]) =>
          shape.length === 1 ? { op: 'Gemm', constants: constants([shape[0]!, out], [out]) } : null,
      ),
  );
  let compared = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(layer, { minLength: 1, maxLength: 6 }), async (layers) => {
      const record = [2, 6, 7];
      let shape = record;
      const nodes: SampleNode[] = [];
      for (const make of layers) {
        const node = make(shape);
        if (!node) continue;
        const found = importOnnx(readOnnx(chain(record, [...nodes, node])), record);
        // A window larger than its image: onnxruntime refuses it as well.
        if (!('net' in found)) continue;
        nodes.push(node);
        shape = shapeAfter(shape, node);
        found.net.dispose();
      }
      if (nodes.length === 0) return;
      compared++;
      await assertSame(chain(record, nodes), 2, record);
    }),
    { numRuns: 60, seed: 5 },
  );
  assert.ok(compared > 40);
});

const shapeAfter = (shape: number[], { op, constants: held = [], attributes = {} }: SampleNode): number[] => {
  if (op === 'Flatten') return [shape.reduce((a, b) => a * b)];
  if (op === 'Gemm') return [held[0]!.shape[1]!];
  if (op !== 'Conv' && !op.endsWith('Pool')) return shape;
  const size = op === 'Conv' ? held[0]!.shape.slice(2) : (attributes.kernel_shape as number[]);
  const { pads, strides, dilations = [1, 1] } = attributes as Record<string, number[]>;
  const places = shape.slice(1).map((length, axis) => {
    const reach = (size[axis]! - 1) * dilations[axis]! + 1;
    return Math.floor((length + pads![axis]! + pads![axis + 2]! - reach) / strides![axis]!) + 1;
  });
  return [op === 'Conv' ? held[0]!.shape[0]! : shape[0]!, ...places];
};
