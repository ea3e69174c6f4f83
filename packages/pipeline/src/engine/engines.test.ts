// One suite over every engine: it trains small nets as the cpu backend does, and gives the same bits twice.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecipeFault } from '../fault.ts';
import { affine } from '../layers/dense.ts';
import { generator } from '../random.ts';
import * as tf from '../tf.ts';
import { engines, openEngine } from './engines.ts';

const sizes = [20, 13, 4];
const rows = 9;
const act = { relu: tf.relu, tanh: tf.tanh, sigmoid: tf.sigmoid };
const optimizers: Record<string, () => tf.Optimizer> = {
  sgd: () => tf.train.sgd(0.1),
  momentum: () => tf.train.momentum(0.1, 0.9),
  adam: () => tf.train.adam(0.01),
  rmsprop: () => tf.train.rmsprop(0.01),
};

/** Weights of a small net after eight steps on the engine that is open now. */
async function trained(hidden: keyof typeof act, optimizer: tf.Optimizer): Promise<Float32Array[]> {
  const next = generator(7, 'test');
  const draw = (shape: [number, number]) =>
    tf.tensor2d(
      Float32Array.from({ length: shape[0] * shape[1] }, () => 2 * next() - 1),
      shape,
    );
  const parts = sizes.slice(1).map((units, layer) => ({
    kernel: tf.variable(draw([sizes[layer]!, units])),
    bias: tf.variable(tf.zeros([units])),
  }));
  const logits = (input: tf.Tensor): tf.Tensor => {
    const [first, second] = parts;
    return affine(act[hidden](affine(input, first!.kernel, first!.bias)), second!.kernel, second!.bias);
  };
  const x = draw([rows, sizes[0]!]);
  const y = tf.tensor2d(
    Array.from({ length: rows }, (_, row) =>
      Array.from({ length: 4 }, (_, kind) => (kind === row % 4 ? 1 : 0)),
    ),
  );
  const variables = parts.flatMap(({ kernel, bias }) => [kernel, bias]) as tf.Variable[];
  for (let step = 0; step < 8; step++) {
    optimizer.minimize(
      () => tf.neg(tf.mean(tf.sum(tf.mul(y, tf.logSoftmax(logits(x))), -1))) as tf.Scalar,
      false,
      variables,
    );
  }
  const weights = await Promise.all(variables.map((variable) => variable.data<'float32'>()));
  tf.dispose([x, y, ...variables]);
  optimizer.dispose();
  return weights;
}

for (const engine of engines) {
  for (const [name, make] of Object.entries(optimizers)) {
    for (const hidden of ['relu', 'tanh', 'sigmoid'] as const) {
      test(`${engine.name}: ${hidden}, ${name}`, async (context) => {
        await openEngine('cpu');
        const expected = await trained(hidden, make());
        const opened = await engine.open();
        if ('unavailable' in opened) return context.skip(`${engine.name}: ${opened.unavailable}`);
        assert.equal(tf.getBackend(), opened.backend);
        const first = await trained(hidden, make());
        assert.deepEqual(await trained(hidden, make()), first);
        for (const [i, want] of expected.entries()) {
          want.forEach((value, at) => {
            assert.ok(
              Math.abs(value - first[i]![at]!) < 1e-4,
              `tensor ${i}, value ${at}: ${first[i]![at]} for ${value}`,
            );
          });
        }
      });
    }
  }
}

test('the ladder takes an automatic engine, and names what there is', async () => {
  const { backend } = await openEngine();
  assert.ok(engines.some(({ name, automatic }) => automatic && name === backend));
  await assert.rejects(openEngine('abacus'), (error) => {
    assert.ok(error instanceof RecipeFault);
    return (
      error.message === "there is no engine 'abacus'" &&
      error.cure === 'take one of tfjs-node-gpu, tfjs-node, wasm, cpu'
    );
  });
});
