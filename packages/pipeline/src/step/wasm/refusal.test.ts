// What cannot be replayed is refused by name, and the step then runs as it is written; what can, meets the world around it.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { openEngine } from '../../engine/engines.ts';
import { replaceMathRandom } from '../../random.ts';
import * as tf from '../../tf.ts';
import { compileStep, eagerStep, type StepOptions, type Tensors, type TrainingStep } from '../step.ts';

before(() => openEngine('wasm'));

const x = { shape: [3, 2], values: new Float32Array([1, -2, 3, 0.5, -0.25, 2]) };
const batch = { x };

const square = (tensor: tf.Tensor): tf.Scalar => tf.sum(tf.square(tensor)) as tf.Scalar;

function options(
  loss: (inputs: Tensors, weight: tf.Variable) => tf.Scalar,
  optimizer: tf.Optimizer = tf.train.adam(0.1),
): StepOptions & { weight: tf.Variable } {
  const weight = tf.variable(tf.tensor2d([0.5, -1, 2, 0.25], [2, 2]));
  return { weight, optimizer, variables: [weight], loss: (inputs) => loss(inputs, weight) };
}

const product = (inputs: Tensors, weight: tf.Variable): tf.Scalar => square(tf.matMul(inputs.x!, weight));

async function reasonFor(loss: (inputs: Tensors, weight: tf.Variable) => tf.Scalar): Promise<string> {
  const step = compileStep(options(loss));
  assert.ok(Number.isFinite(await step.train(batch)));
  assert.equal(step.mode, 'eager');
  return step.reason!;
}

test('values that are read back: by which operation, and where', async () => {
  const loss = (inputs: Tensors, weight: tf.Variable): tf.Scalar => {
    const value = product(inputs, weight);
    return value.dataSync()[0]! > 1 ? (tf.neg(value) as tf.Scalar) : value;
  };
  assert.match(await reasonFor(loss), /^the values of Sum are read back \(refusal\.test\.ts:\d+\)$/);
  const refused = options(loss);
  const plain = options(loss);
  for (const step of [compileStep(refused), eagerStep(plain)]) await step.train(batch);
  assert.deepEqual(refused.weight.dataSync(), plain.weight.dataSync());
});

test('values that are read back, by code that catches errors', async () => {
  const reason = await reasonFor((inputs, weight) => {
    const value = product(inputs, weight);
    try {
      value.dataSync();
    } catch {}
    return value;
  });
  assert.match(reason, /^the values of Sum are read back/);
});

test('a step on another engine than it was made for', async () => {
  const step = compileStep(options(product));
  await openEngine('cpu');
  const weight = options(product);
  const elsewhere = await compileStep(weight).train(batch);
  assert.ok(Math.abs((await step.train(batch)) - elsewhere) < 1e-5);
  assert.match(step.reason!, /another engine/);
  await openEngine('wasm');
});

test('operations that come and go', async () => {
  let turn = 0;
  const reason = await reasonFor((inputs, weight) => {
    turn += 1;
    return turn % 2 === 0 ? product(inputs, weight) : square(tf.abs(tf.matMul(inputs.x!, weight)));
  });
  assert.match(reason, /other operations from run to run: (Abs|Square)/);
});

test('values and attributes that JavaScript makes anew', async () => {
  let turn = 0;
  assert.match(
    await reasonFor((inputs, weight) => {
      turn += 1;
      return tf.mul(product(inputs, weight), tf.scalar(0.5 + 1 / turn)) as tf.Scalar;
    }),
    /^Multiply is given a value that JavaScript makes anew/,
  );
  assert.match(
    await reasonFor((inputs, weight) => {
      turn += 1;
      return square(tf.leakyRelu(tf.matMul(inputs.x!, weight), 1 / turn));
    }),
    /^LeakyRelu has other attributes/,
  );
  assert.match(
    await reasonFor((inputs, weight) => square(tf.dropout(tf.matMul(inputs.x!, weight), 0.5))),
    /is given a value that JavaScript makes anew|has other attributes/,
  );
});

test('what is refused draws from Math.random as the eager step does', async () => {
  const { random } = Math;
  const loss = (inputs: Tensors, weight: tf.Variable): tf.Scalar =>
    square(tf.dropout(tf.matMul(inputs.x!, weight), 0.5));
  const told = [];
  for (const make of [compileStep, eagerStep]) {
    replaceMathRandom(7);
    const step = make(options(loss));
    told.push([await step.train(batch), await step.train(batch)]);
  }
  Math.random = random;
  assert.deepEqual(told[0], told[1]);
});

test('a function that is refused leaves training compiled', async () => {
  const told = [];
  for (const make of [compileStep, eagerStep]) {
    const net = options(product);
    const step = make({
      ...net,
      functions: {
        most: ({ x: given }: Tensors) => tf.scalar(tf.max(tf.matMul(given!, net.weight)).dataSync()[0]!),
      },
    });
    const answers = [];
    for (let i = 0; i < 3; i++) answers.push(await step.train(batch), await step.call('most', batch));
    told.push(answers);
    assert.equal(step.mode, make === compileStep ? 'compiled' : 'eager');
  }
  assert.deepEqual(told[0], told[1]);
});

test('an output without a fixed shape', async () => {
  const reason = await reasonFor((inputs, weight) => {
    const { values } = tf.unique(tf.reshape(inputs.x!, [6]));
    return tf.add(product(inputs, weight), tf.sum(values)) as tf.Scalar;
  });
  assert.match(reason, /^Unique's output has no fixed shape/);
});

test('an error of the recipe stays an error', async () => {
  const step = compileStep(options(({ x: given }, weight) => square(tf.matMul(weight, given!))));
  await assert.rejects(step.train(batch), /matMul/);
});

/** The same deeds on a compiled and on an eager step must leave the same. */
async function alike(
  deeds: (step: TrainingStep, made: ReturnType<typeof options>) => Promise<unknown[]>,
  loss = product,
): Promise<void> {
  const [eager, compiled] = [options(loss), options(loss)];
  const expected = await deeds(eagerStep(eager), eager);
  const step = compileStep(compiled);
  assert.deepEqual(await deeds(step, compiled), expected);
  assert.equal(step.mode, 'compiled', step.reason ?? '');
  step.dispose();
}

test('weights assigned from outside are taken up, and are not written through', () =>
  alike(async (step, { weight }) => {
    const told: unknown[] = [await step.train(batch)];
    const other = tf.tensor2d([1, 2, 3, 4], [2, 2]);
    weight.assign(other);
    told.push(await step.train(batch), await step.train(batch), other.dataSync(), weight.dataSync());
    return told;
  }));

test('a tensor that shares a weight keeps its values', () =>
  alike(async (step, { weight }) => {
    await step.train(batch);
    const old = tf.reshape(weight, [4]);
    const told: unknown[] = [await step.train(batch), old.dataSync()];
    old.dispose();
    told.push(await step.train(batch), weight.dataSync());
    return told;
  }));

test('another rate by way of the optimizer, and a rate of 0 at first', () =>
  alike(async (step, { optimizer }) => {
    step.setLearningRate(0);
    const told: unknown[] = [await step.train(batch)];
    (optimizer as unknown as { learningRate: number }).learningRate = 0.25;
    told.push(await step.train(batch), await step.train(batch));
    return told;
  }));

test('two steps on one weight take turns', () =>
  alike(async (step, { weight, loss }) => {
    const second = (step.mode === 'compiled' ? compileStep : eagerStep)({
      optimizer: tf.train.sgd(0.01),
      variables: [weight],
      loss: (inputs) => tf.mul(loss(inputs), 0.5) as tf.Scalar,
    });
    const told: unknown[] = [];
    for (let i = 0; i < 3; i++) told.push(await step.train(batch), await second.train(batch));
    return [...told, weight.dataSync()];
  }));

test('a step leaves no tensor and no memory behind', async () => {
  const step = compileStep(options(product));
  await step.train(batch);
  const heap = () => (tf.backend() as unknown as { wasm: { HEAPU8: Uint8Array } }).wasm.HEAPU8.length;
  const [{ numTensors }, bytes] = [tf.memory(), heap()];
  for (let i = 0; i < 2000; i++) await step.train(batch);
  assert.equal(step.mode, 'compiled');
  assert.equal(tf.memory().numTensors, numTensors);
  assert.equal(heap(), bytes);
});
