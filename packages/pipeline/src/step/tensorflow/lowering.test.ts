// Lowering without TensorFlow: two recordings written by hand, as the recorder would take them down.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NotReplayable } from '../not-replayable.ts';
import type { AttributeKinds } from './attributes.ts';
import { lowered, type Pass } from './lowering.ts';
import { savedModelBytes, servingTag } from './saved-model.ts';

const float = 1;
const typeKind = 7;
const kinds: AttributeKinds = new Map([[typeKind, 'type']]);
const names = { prefix: 'f0/', rate: (factor: number) => `rate ${factor}:0` };

/** One step of x ← x - rate · (x · 3), with a product that nobody needs; ids begin at `first`. */
function step(
  first: number,
  rate: number,
  { scale = 3, extra = 2, op = 'Mul' }: { scale?: number; extra?: number; op?: string } = {},
): Pass {
  const [weight, three, product, minusRate, move, sum, unused, unasked] = Array.from(
    { length: 8 },
    (_, i) => first + i,
  ) as [number, number, number, number, number, number, number, number];
  const node = (name: string, inputs: number[], id: number) => ({
    name,
    attributes: [{ name: 'T', type: typeKind, value: float }],
    inputs,
    outputs: [{ id, shape: [], dtype: float }],
    site: new Error(),
  });
  const constant = (value: number) => ({ shape: [], dtype: float, values: new Float32Array([value]) });
  return {
    recording: {
      ops: [
        node('Mul', [weight, three], product),
        node(op, [product, unasked], unused),
        node('Mul', [product, minusRate], move),
        node('AddV2', [weight, move], sum),
      ],
      constants: new Map([
        [three, constant(scale)],
        [minusRate, constant(-rate)],
        [unasked, constant(extra)],
      ]),
    },
    sources: new Map([[weight, 'f0/v0:0']]),
    answer: product,
    written: new Map([[0, sum]]),
    rate,
  };
}

const lower = (one: Pass, other: Pass) => lowered(one, other, names, kinds);

test('what is needed becomes nodes, what follows the rate a source of its own', () => {
  const { nodes, answer, written, used } = lower(step(0, 0.01), step(100, 0.03));
  assert.deepEqual(
    nodes.map(({ name, op, inputs }) => [name, op, inputs]),
    [
      ['f0/c0', 'Const', []],
      ['f0/n0', 'Mul', ['f0/v0:0', 'f0/c0:0']],
      ['f0/n2', 'Mul', ['f0/n0:0', 'rate -1:0']],
      ['f0/n3', 'AddV2', ['f0/v0:0', 'f0/n2:0']],
    ],
  );
  assert.equal(answer, 'f0/n0:0');
  assert.deepEqual([...written], [[0, 'f0/n3:0']]);
  assert.deepEqual(used, new Set(['f0/v0:0', 'rate -1:0']));
});

test('a multiple of the rate keeps its factor', () => {
  const { used } = lower(step(0, 0.01, { scale: 0.05 }), step(100, 0.03, { scale: 0.15 }));
  const factor = Number(/^rate ([\d.]+):0$/.exec([...used].find((name) => /rate \d/.test(name))!)![1]);
  assert.ok(Math.abs(factor - 5) < 1e-5, `${factor}`);
});

test('what differs otherwise is refused, unless nobody needs it', () => {
  assert.doesNotThrow(() => lower(step(0, 0.01), step(100, 0.03, { extra: 7 })));
  assert.throws(
    () => lower(step(0, 0.01, { scale: 1 }), step(100, 0.03, { scale: 2 })),
    (error) => error instanceof NotReplayable && /^the step gives Mul.* another value/.test(error.message),
  );
  assert.throws(
    () => lower(step(0, 0.01), step(100, 0.03, { op: 'Sub' })),
    /does not do the same at each call: operation 2 is Mul.*, then Sub/,
  );
  const shorter = step(100, 0.03);
  shorter.recording.ops.pop();
  shorter.written.set(0, 104);
  assert.throws(() => lower(step(0, 0.01), shorter), /operation 4 is AddV2.*, then nothing/);
  assert.throws(() => lower(step(0, 0.01), { ...step(100, 0.03), written: new Map() }), /the same variables/);
});

test('an attribute of a kind that graphs are not written with is named', () => {
  assert.throws(
    () => lowered(step(0, 1), step(100, 2), names, new Map()),
    /^NotReplayable: Mul.* has the attribute T of kind 7$/,
  );
});

test('a graph is the same bytes each time, with names, tag and constants in it', () => {
  const { nodes } = lower(step(0, 0.01), step(100, 0.03));
  const bytes = Buffer.from(savedModelBytes(nodes));
  assert.deepEqual(Buffer.from(savedModelBytes(nodes)), bytes);
  for (const text of [servingTag, 'f0/n3', 'AddV2', 'rate -1:0']) assert.ok(bytes.includes(text), text);
  // 3 as a little-endian float32, behind the tag of tensor_content (field 4, bytes) and its length.
  assert.ok(bytes.includes(Buffer.from([0x22, 4, 0, 0, 0x40, 0x40])));
});
