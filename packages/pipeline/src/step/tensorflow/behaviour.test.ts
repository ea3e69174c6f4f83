// What the compiled step on TensorFlow refuses, by name, and how it meets the world around it. Skipped where TensorFlow is not
// installed (infra/gpu/install-tfjs-node).
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { type TestContext, test } from 'node:test';
import { tensorflowBinding } from '../../engine/tensorflow/binding.ts';
import { RecipeFault } from '../../fault.ts';
import * as tf from '../../tf.ts';
import { compileStep, eagerStep, type StepOptions, type Tensors, type TrainingStep } from '../step.ts';
import { openOrSkip } from '../suite.ts';
import { TensorflowMachine } from './machine.ts';

const x = { shape: [3, 2], values: new Float32Array([1, -2, 3, 0.5, -0.25, 2]) };
const batch = { x };

const square = (tensor: tf.Tensor): tf.Scalar => tf.sum(tf.square(tensor)) as tf.Scalar;
const product = (inputs: Tensors, weight: tf.Variable): tf.Scalar => square(tf.matMul(inputs.x!, weight));

function options(
  loss = product,
  optimizer: tf.Optimizer = tf.train.adam(0.1),
): StepOptions<'predict'> & { weight: tf.Variable } {
  const weight = tf.variable(tf.tensor2d([0.5, -1, 2, 0.25], [2, 2]));
  return {
    weight,
    optimizer,
    variables: [weight],
    loss: (inputs) => loss(inputs, weight),
    functions: { predict: (inputs) => tf.matMul(inputs.x!, weight) },
  };
}

/** A test on the engine, or its skip. */
const onTensorflow = (name: string, act: (context: TestContext) => Promise<unknown>): void => {
  test(name, async (context) => {
    if (await openOrSkip('tfjs-node', context)) await act(context);
  });
};

async function reasonFor(loss: typeof product): Promise<string> {
  const net = options(loss);
  const step = compileStep(net);
  assert.ok(Number.isFinite(await step.train(batch)));
  assert.equal(step.mode, 'eager');
  return step.reason!;
}

onTensorflow('refused: values that are read back, with the operation and the line', async () => {
  const reason = await reasonFor((inputs, weight) => {
    const value = product(inputs, weight);
    return value.dataSync()[0]! > 1 ? (tf.neg(value) as tf.Scalar) : value;
  });
  assert.match(reason, /^the step reads the result of Sum back \(behaviour\.test\.ts:\d+\)$/);
});

onTensorflow('refused: other operations, other values, other attributes at each call', async () => {
  let turn = 0;
  assert.match(
    await reasonFor((inputs, weight) => {
      turn += 1;
      return turn % 2 === 0 ? product(inputs, weight) : square(tf.abs(tf.matMul(inputs.x!, weight)));
    }),
    /^the step does not do the same at each call: operation \d+ is (Abs|Square) \(behaviour\.test\.ts:\d+\), then/,
  );
  assert.match(
    await reasonFor((inputs, weight) => {
      turn += 1;
      return tf.mul(product(inputs, weight), tf.scalar(0.5 + 1 / turn)) as tf.Scalar;
    }),
    /^the step gives Mul \(behaviour\.test\.ts:\d+\) another value at each call/,
  );
  assert.match(
    await reasonFor((inputs, weight) => square(tf.dropout(tf.matMul(inputs.x!, weight), 0.5))),
    /another value at each call, made outside of TensorFlow$/,
  );
  assert.match(
    await reasonFor((inputs, weight) => {
      turn += 1;
      return square(tf.leakyRelu(tf.matMul(inputs.x!, weight), 1 / turn));
    }),
    /is LeakyRelu \(behaviour\.test\.ts:\d+\), then LeakyRelu/,
  );
  // A count of steps must not be taken for the rate, though it may double from one recording to the next.
  let count = 0;
  const counting = await reasonFor((inputs, weight) => {
    count += 1;
    return tf.mul(product(inputs, weight), tf.scalar(count)) as tf.Scalar;
  });
  assert.match(counting, /another value at each call/);
});

onTensorflow('refused: a variable made at each call, and a function that moves one', async () => {
  assert.match(
    await reasonFor(
      (inputs, weight) => tf.add(product(inputs, weight), tf.variable(tf.scalar(1))) as tf.Scalar,
    ),
    /^the step makes the variable '.*' at each call$/,
  );
  const net = options();
  const moving = {
    ...net,
    functions: { predict: ({ x: given }: Tensors) => net.weight.assign(tf.add(net.weight, 1)) ?? given! },
  };
  const step = compileStep(moving as unknown as typeof net);
  await step.train(batch);
  await step.call('predict', batch).catch(() => {});
  assert.equal(step.mode, 'compiled');
});

/** The same deeds on a compiled and on an eager step must leave the same. */
async function alike(
  deeds: (step: TrainingStep<'predict'>, made: ReturnType<typeof options>) => Promise<unknown>,
  make = () => options(),
): Promise<void> {
  const [eager, compiled] = [make(), make()];
  const expected = await deeds(eagerStep(eager), eager);
  const step = compileStep(compiled);
  assert.deepEqual(await deeds(step, compiled), expected);
  assert.equal(step.mode, 'compiled', step.reason ?? '');
  step.dispose();
}

onTensorflow('weights assigned from outside are taken up; pulled, they are seen', () =>
  alike(async (step, { weight }) => {
    const told: unknown[] = [await step.train(batch)];
    await step.pull();
    told.push(weight.dataSync());
    weight.assign(tf.tensor2d([1, 2, 3, 4], [2, 2]));
    told.push(await step.train(batch), (await step.call('predict', batch)).values, await step.train(batch));
    await step.pull();
    return [...told, weight.dataSync()];
  }),
);

for (const [name, make] of Object.entries({ adam: () => tf.train.adam(0.1), sgd: () => tf.train.sgd(0.1) })) {
  onTensorflow(`a rate of 0 at first, then others, ${name}`, () =>
    alike(
      async (step) => {
        const told: unknown[] = [];
        for (const rate of [0, 0.25, 1e-3, 3]) {
          step.setLearningRate(rate);
          told.push(await step.train(batch), await step.train(batch));
        }
        return told;
      },
      () => options(product, make()),
    ),
  );
}

onTensorflow('rows of a held set, whole and short batches, int32 and float32', () =>
  alike(
    async (step) => {
      const rows = (...numbers: number[]) => ({ x: { rows: Int32Array.from(numbers) } });
      const told: unknown[] = [await step.train(rows(0, 2, 3)), await step.train(rows(1))];
      await assert.rejects(step.train(rows(0, 1, 5)), RecipeFault);
      await assert.rejects(step.train({ x: { shape: [3, 2], values: new Float32Array(5) } }), RecipeFault);
      told.push(await step.train(rows(3, 3, 0)), (await step.call('predict', rows(2, 1))).values);
      return told;
    },
    () => ({
      ...options(),
      hold: { x: { shape: [5, 2], values: Float32Array.from({ length: 10 }, (_, i) => Math.sin(i)) } },
    }),
  ),
);

onTensorflow('a function of its inputs alone is compiled, and one of nothing', async () => {
  const net = options((inputs, weight) => tf.add(product(inputs, weight), 1) as tf.Scalar, tf.train.sgd(0.1));
  const machine = new TensorflowMachine({
    ...net,
    functions: { double: (inputs) => tf.mul(inputs.x!, 2), six: () => tf.scalar(6) },
  });
  await machine.record('call double', batch);
  await machine.record('call six', batch);
  assert.deepEqual(
    [...(await machine.replay('call double', batch)).values],
    [...x.values].map((value) => 2 * value),
  );
  assert.deepEqual((await machine.replay('call six', batch)).values, new Float32Array([6]));
  await machine.record('train', batch);
  assert.ok((await machine.replay('train', batch)).values[0]! > 1);
  machine.dispose();
});

onTensorflow('a loss that is not finite is answered, and what follows too', () =>
  alike(async (step, { weight }) => {
    const broken = { x: { shape: [3, 2], values: new Float32Array([1, Number.NaN, 1, 1, 1, 1]) } };
    const told = [await step.train(batch), await step.train(broken), await step.train(batch)];
    await step.pull();
    return [...told, weight.dataSync()];
  }),
);

onTensorflow('2,000 steps leave no tensor, no memory and no file behind', async () => {
  const binding = tensorflowBinding()!;
  const before = readdirSync(tmpdir()).filter((name) => name.startsWith('retrain-step-'));
  const net = options();
  const step = compileStep(net);
  await step.train(batch);
  await step.call('predict', batch);
  const [tensors, native] = [tf.memory().numTensors, binding.getNumOfTensors()];
  for (let i = 0; i < 200; i++) await step.train(batch);
  const { rss } = process.memoryUsage();
  for (let i = 0; i < 2000; i++) {
    await step.train(batch);
    if (i % 100 === 0) await step.pull();
  }
  assert.equal(step.mode, 'compiled');
  assert.equal(tf.memory().numTensors, tensors);
  assert.equal(binding.getNumOfTensors(), native);
  assert.ok(process.memoryUsage().rss - rss < 20e6, `${process.memoryUsage().rss - rss} bytes more`);
  const after = readdirSync(tmpdir()).filter((name) => name.startsWith('retrain-step-'));
  assert.deepEqual(after, before);
  step.dispose();
});
