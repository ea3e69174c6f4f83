// What every compiled step is held to: against the eager one on the same engine, the same weights, losses and answers, bit
// for bit. For tests; an engine's own file calls it.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { engines } from '../engine/engines.ts';
import { dropoutCounter, seededDropout } from '../ops/dropout.ts';
import { rowGather } from '../ops/row-gather.ts';
import { generator } from '../random.ts';
import * as tf from '../tf.ts';
import { registeredVariables } from './rollback.ts';
import { type Batch, compileStep, eagerStep, type StepOptions, type TrainingStep } from './step.ts';

/** Opens the engine called `name`; skips the test, with the reason, where this machine cannot. */
export async function openOrSkip(name: string, context: TestContext): Promise<boolean> {
  const opened = await engines.find((engine) => engine.name === name)!.open();
  if ('unavailable' in opened) context.skip(`${name}: ${opened.unavailable}`);
  return !('unavailable' in opened);
}

const optimizers: Record<string, () => tf.Optimizer> = {
  sgd: () => tf.train.sgd(0.05),
  momentum: () => tf.train.momentum(0.05, 0.9),
  nesterov: () => tf.train.momentum(0.05, 0.9, true),
  adam: () => tf.train.adam(0.01),
  adagrad: () => tf.train.adagrad(0.05),
  adamax: () => tf.train.adamax(0.01),
  rmsprop: () => tf.train.rmsprop(0.01, 0.9, 0.5),
  centered: () => tf.train.rmsprop(0.01, 0.9, 0, 1e-7, true),
  adadelta: () => tf.train.adadelta(0.5),
};

/** A net with weights of its own, made anew from the same numbers at each call. */
interface Case {
  inputs: Record<string, { shape: number[]; below?: number }>;
  make(draw: (shape: number[]) => tf.Tensor): {
    variables: tf.Variable[];
    loss: StepOptions['loss'];
    predict: (batch: Record<string, tf.Tensor>) => tf.Tensor;
  };
}

const weights = (draw: (shape: number[]) => tf.Tensor, ...shapes: number[][]): tf.Variable[] =>
  shapes.map((shape) => tf.variable(draw(shape)));

const crossEntropy = (labels: tf.Tensor, logits: tf.Tensor): tf.Scalar =>
  tf.neg(tf.mean(tf.sum(tf.mul(labels, tf.logSoftmax(logits)), -1)));
const squares = (y: tf.Tensor, found: tf.Tensor): tf.Scalar => tf.mean(tf.square(tf.sub(y, found)));

const mlp = (
  rows: number,
  sizes: [number, number, number],
  activation: (x: tf.Tensor) => tf.Tensor,
): Case => ({
  inputs: { x: { shape: [rows, sizes[0]] }, y: { shape: [rows, sizes[2]] } },
  make(draw) {
    const [k1, b1, k2, b2] = weights(
      draw,
      [sizes[0], sizes[1]],
      [sizes[1]],
      [sizes[1], sizes[2]],
      [sizes[2]],
    );
    const predict = ({ x }: Record<string, tf.Tensor>) =>
      tf.add(tf.matMul(activation(tf.add(tf.matMul(x!, k1!), b1!)), k2!), b2!);
    return {
      variables: [k1!, b1!, k2!, b2!],
      predict,
      loss: (batch) => crossEntropy(tf.softmax(batch.y!), predict(batch)),
    };
  },
});

const cases: Record<string, Case> = {
  'dense, one row': mlp(1, [3, 5, 2], tf.sigmoid),
  'dense, odd sizes': mlp(7, [13, 9, 3], tf.tanh),
  dense: mlp(16, [20, 12, 5], tf.relu),
  'conv, pool': {
    inputs: { x: { shape: [4, 12, 12, 1] }, y: { shape: [4, 3] } },
    make(draw) {
      const [c1, a1, c2, a2, k] = weights(draw, [3, 3, 1, 4], [4], [3, 3, 4, 6], [6], [54, 3]);
      const conv = (x: tf.Tensor, filter: tf.Tensor, bias: tf.Tensor) =>
        tf.maxPool(
          tf.relu(tf.add(tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, 1, 'same'), bias)) as tf.Tensor4D,
          2,
          2,
          'same',
        );
      const predict = ({ x }: Record<string, tf.Tensor>) =>
        tf.matMul(tf.reshape(conv(conv(x!, c1!, a1!), c2!, a2!), [-1, 54]), k!);
      return {
        variables: [c1!, a1!, c2!, a2!, k!],
        predict,
        loss: (batch) => crossEntropy(tf.softmax(batch.y!), predict(batch)),
      };
    },
  },
  depthwise: {
    inputs: { x: { shape: [3, 8, 8, 3] }, y: { shape: [3, 4] } },
    make(draw) {
      const [d, p, k] = weights(draw, [3, 3, 3, 2], [1, 1, 6, 5], [5, 4]);
      const predict = ({ x }: Record<string, tf.Tensor>) => {
        const deep = tf.relu(tf.depthwiseConv2d(x as tf.Tensor4D, d as tf.Tensor4D, 1, 'same'));
        return tf.matMul(tf.mean(tf.conv2d(deep as tf.Tensor4D, p as tf.Tensor4D, 1, 'valid'), [1, 2]), k!);
      };
      return { variables: [d!, p!, k!], predict, loss: (batch) => squares(batch.y!, predict(batch)) };
    },
  },
  'batch norm': {
    inputs: { x: { shape: [8, 6] }, y: { shape: [8, 2] } },
    make(draw) {
      const [k1, gamma, beta, k2] = weights(draw, [6, 5], [5], [5], [5, 2]);
      const [mean, variance] = [tf.variable(tf.zeros([5]), false), tf.variable(tf.ones([5]), false)];
      const norm = (x: tf.Tensor, m: tf.Tensor, v: tf.Tensor) =>
        tf.batchNorm(x, m as tf.Tensor1D, v as tf.Tensor1D, beta as tf.Tensor1D, gamma as tf.Tensor1D, 1e-3);
      return {
        variables: [k1!, gamma!, beta!, k2!],
        predict: ({ x }) => tf.matMul(norm(tf.matMul(x!, k1!), mean, variance), k2!),
        loss: ({ x, y }) => {
          const hidden = tf.matMul(x!, k1!);
          const moments = tf.moments(hidden, 0);
          const moved = (of: tf.Variable, to: tf.Tensor) =>
            of.assign(tf.add(tf.mul(of, 0.9), tf.mul(to, 0.1)));
          moved(mean, moments.mean);
          moved(variance, moments.variance);
          return squares(y!, tf.matMul(norm(hidden, moments.mean, moments.variance), k2!));
        },
      };
    },
  },
  'embedding, dropout': {
    inputs: { x: { shape: [6, 4], below: 11 }, y: { shape: [6, 3] } },
    make(draw) {
      const [table, k] = weights(draw, [11, 5], [20, 3]);
      const counter = dropoutCounter(`counter ${Object.keys(registeredVariables()).length}`);
      const hidden = (x: tf.Tensor) => tf.reshape(rowGather(table!, x), [-1, 20]);
      return {
        variables: [table!, k!],
        predict: ({ x }) => tf.matMul(hidden(x!), k!),
        loss: ({ x, y }) => squares(y!, tf.matMul(seededDropout(hidden(x!), 0.4, 7, counter), k!)),
      };
    },
  },
  'stock gather': {
    inputs: { x: { shape: [6, 4], below: 11 }, y: { shape: [6, 3] } },
    make(draw) {
      const [table, k] = weights(draw, [11, 5], [20, 3]);
      const predict = ({ x }: Record<string, tf.Tensor>) =>
        tf.matMul(tf.reshape(tf.gather(table!, x as tf.Tensor2D), [-1, 20]), k!);
      return { variables: [table!, k!], predict, loss: (batch) => squares(batch.y!, predict(batch)) };
    },
  },
};

for (const kind of ['lstm', 'gru', 'dense'] as const) {
  cases[`layers: ${kind}`] = {
    inputs: { x: { shape: [5, 4, 3] }, y: { shape: [5, 2] } },
    make(draw) {
      const model = tf.sequential();
      if (kind === 'dense') {
        model.add(tf.layers.flatten({ inputShape: [4, 3] }));
        model.add(tf.layers.dense({ units: 6, activation: 'relu' }));
        model.add(tf.layers.dropout({ rate: 0.5, seed: 3 }));
        model.add(tf.layers.batchNormalization());
      } else
        model.add(tf.layers[kind]({ units: 6, inputShape: [4, 3], recurrentInitializer: 'glorotUniform' }));
      model.add(tf.layers.dense({ units: 2, activation: 'sigmoid' }));
      model.setWeights(model.getWeights().map(({ shape }) => draw(shape)));
      const predict = ({ x }: Record<string, tf.Tensor>) => model.apply(x!, { training: false }) as tf.Tensor;
      return {
        variables: model.trainableWeights.map((weight) => weight.read() as tf.Variable),
        predict,
        loss: ({ x, y }) => squares(y!, model.apply(x!, { training: true }) as tf.Tensor),
      };
    },
  };
}

const drawer = (purpose: string) => {
  const next = generator(3, purpose);
  return (shape: number[], below?: number) => {
    const size = shape.reduce((product, length) => product * length, 1);
    if (below) return { shape, values: Int32Array.from({ length: size }, () => Math.floor(next() * below)) };
    return { shape, values: Float32Array.from({ length: size }, () => 2 * next() - 1) };
  };
};

/** Everything that a step answers and leaves behind, over full and short batches, two rates, and the function in between. */
async function story(
  of: Case,
  optimizer: tf.Optimizer,
  make: (options: StepOptions<'predict'>) => TrainingStep<'predict'>,
) {
  const known = new Set(Object.keys(registeredVariables()));
  const draw = drawer('weights');
  const net = of.make((shape) => tf.tensor(draw(shape).values, shape));
  const feed = drawer('batches');
  const batch = (rows?: number): Batch =>
    Object.fromEntries(
      Object.entries(of.inputs).map(([name, { shape, below }]) => [
        name,
        feed([rows ?? shape[0]!, ...shape.slice(1)], below),
      ]),
    );
  const options: StepOptions<'predict'> = { optimizer, ...net, functions: { predict: net.predict } };
  const step = make(options);
  const told: unknown[] = [];
  for (let i = 0; i < 9; i++) {
    told.push(await step.train(batch(i % 4 === 3 ? 2 : undefined)));
    if (i % 3 === 1) told.push((await step.call('predict', batch())).values);
    if (i === 4) step.setLearningRate(0.004);
  }
  await step.pull();
  // Without the step, by the operations as they are written: what XNNPACK packed must be packed anew.
  told.push((await eagerStep(options).call('predict', batch())).values);
  const mine = Object.entries(registeredVariables()).filter(([name]) => !known.has(name));
  told.push(mine.map(([, variable]) => variable.dataSync()));
  told.push(optimizer.iterations);
  const { mode, reason } = step;
  step.dispose();
  told.push(mine.map(([, variable]) => variable.dataSync()));
  for (const [, variable] of mine) variable.dispose();
  return { told, mode, reason };
}

/**
 * One test for each net and optimizer on the engine called `engine`. `refused`: the nets, by name, that it cannot compile, with
 * the reason that it must give.
 */
export function compiledEqualsEager(engine: string, refused: Record<string, RegExp> = {}): void {
  for (const [name, of] of Object.entries(cases)) {
    // Adam has the most state; the others are tried on one net.
    const tried = name === 'dense' || name.startsWith('conv') ? Object.keys(optimizers) : ['adam'];
    for (const optimizer of tried) {
      test(`${engine}, ${name}, ${optimizer}`, async (context) => {
        if (!(await openOrSkip(engine, context))) return;
        const eager = await story(of, optimizers[optimizer]!(), eagerStep);
        const { told, mode, reason } = await story(of, optimizers[optimizer]!(), compileStep);
        if (refused[name]) assert.match(reason ?? '', refused[name]);
        else assert.equal(mode, 'compiled', reason ?? '');
        assert.deepEqual(told, eager.told);
      });
    }
  }
}
