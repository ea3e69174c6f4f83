// What is not imported is said by name, and hostile graphs are no crash.
import assert from 'node:assert/strict';
import { before, suite, test } from 'node:test';
import { wasm } from '@retraind/pipeline/engine/wasm';
import { readOnnx } from '../onnx/model.ts';
import { chain, constants } from './conformance.fixture.ts';
import { graphBytes, type SampleNode } from './graph.fixture.ts';
import { importOnnx } from './import.ts';

before(() => wasm.open());

suite('what is refused, by name and without a crash', () => {
  const refused = (record: number[], nodes: SampleNode[]): string => {
    const found = importOnnx(readOnnx(chain(record, nodes)), record);
    assert.ok('refused' in found);
    return found.refused;
  };
  test('an operator that is not computed here', () => {
    assert.equal(refused([3], [{ op: 'Relu' }, { op: 'Erf' }]), 'operator Erf');
    assert.equal(refused([3], [{ op: 'Gelu', domain: 'com.microsoft' }]), 'operator com.microsoft.Gelu');
  });
  test('a form of a known one', () => {
    const conv = { op: 'Conv', constants: constants([2, 1, 3]) };
    assert.match(refused([1, 9], [conv]), /^operator Conv on 3 axes/);
    assert.match(
      refused(
        [1, 4, 4],
        [
          {
            op: 'Pad',
            constants: [{ shape: [8], integers: [0, 0, 1, 1, 0, 0, 1, 1] }],
            attributes: { mode: 'reflect' },
          },
        ],
      ),
      /^operator Pad by reflect/,
    );
    assert.match(refused([3], [{ op: 'Gemm', constants: constants([4, 2]) }]), /^operator Gemm/);
  });
  test('hostile sizes', () => {
    const wide = {
      op: 'Pad',
      constants: [{ shape: [8], integers: [0, 0, 60_000, 60_000, 0, 0, 60_000, 60_000] }],
    };
    assert.match(refused([1, 4, 4], [wide]), /operator Pad gives/);
    const conv = {
      op: 'Conv',
      constants: constants([1, 1, 1, 1]),
      attributes: { pads: [65_000, 65_000, 65_000, 65_000] },
    };
    assert.match(refused([1, 4, 4], [conv]), /operator Conv gives/);
    const spread = {
      op: 'Conv',
      constants: constants([1, 1, 2, 2]),
      attributes: { dilations: [60_000, 60_000], pads: [30_000, 30_000, 30_000, 30_000] },
    };
    assert.match(refused([1, 4, 4], [spread]), /more than 20000000000 multiply-adds/);
    const broadcast = { op: 'Add', constants: constants([50_000, 1, 1, 1, 1, 1]) };
    assert.match(refused([1, 40, 40], [broadcast]), /operator Add/);
    const squares = Array.from({ length: 30 }, () => ({
      op: 'Concat',
      constants: [],
      attributes: { axis: 1 },
      twice: true,
    }));
    assert.match(refused([4], squares), /operator Concat gives/);
    assert.match(
      refused([4], [{ op: 'Reshape', constants: [{ shape: [3], integers: [-1, -1, 0] }] }]),
      /operator Reshape/,
    );
  });
  test('graphs that do not hang together', () => {
    const bytes = graphBytes([3], [{ op: 'Relu' }], 14, { asks: 'nothing' });
    assert.match(
      (importOnnx(readOnnx(bytes), [3]) as { refused: string }).refused,
      /"nothing", which nothing gives/,
    );
    const fixed = graphBytes([3], [{ op: 'Reshape', constants: [{ shape: [2], integers: [1, -1] }] }], 14);
    assert.match(
      (importOnnx(readOnnx(fixed), [3]) as { refused: string }).refused,
      /for 2 records has the shape 1x6/,
    );
  });
});
