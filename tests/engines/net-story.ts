// Trains one case for some steps and tells everything that comes of it.

import type { Batch, StepOptions, TrainingStep } from '@retraind/pipeline/step/step';
import type * as tfjs from '@tensorflow/tfjs-core';
import type { Sequential } from '@tensorflow/tfjs-layers';
import { drawn, type NetCase, netCases, type OptimizerName } from './net-cases.ts';

type Api = typeof import('@retraind/pipeline/api');

export interface Story {
  /** Loss of each step, as it was before the step. */
  losses: number[];
  /** Every variable of the net at the end, in its order. */
  weights: number[][];
  /** What the trained net answers to a batch that it has not seen. */
  answers: number[];
}

const optimizers: Record<OptimizerName, (tf: Api['tf'], api: Api) => tfjs.Optimizer> = {
  sgd: (tf) => tf.train.sgd(0.05),
  momentum: (tf) => tf.train.momentum(0.05, 0.9),
  adam: (tf) => tf.train.adam(0.01),
  adamW: (_, { AdamW }) => new AdamW(0.01, { decay: 0.05 }),
};

let built: Map<string, Sequential> | undefined;

/** All nets, made once and in order: a layer's seed follows from its number in the process. */
function models(api: Api): Map<string, Sequential> {
  built ??= new Map(netCases.map((netCase) => [netCase.name, netCase.build(api)]));
  return built;
}

const rows = 6;
const steps = 8;

/** Every fourth batch is short, and the rate changes once: what `fit` does to a step. */
export async function told(
  api: Api,
  netCase: NetCase,
  optimizerName: OptimizerName,
  make: (options: StepOptions<'predict'>) => TrainingStep<'predict'>,
): Promise<Story & { mode: string; reason: string | null }> {
  const { tf } = api;
  const { forward, netOf } = await import('@retraind/pipeline/layers/net');
  const model = models(api).get(netCase.name)!;
  const net = netOf(model);
  for (const [i, variable] of net.variables.entries()) {
    const values = drawn(`${netCase.name}, weight ${i}`, variable.size);
    // Variances of batch norm lie above 0, others are small enough not to saturate; counters of masks begin at 0.
    const start = values.map((value) => (variable.rank === 1 ? 1 + value / 4 : value / 2));
    const counter = variable.dtype === 'int32';
    tf.tidy(() => variable.assign(tf.tensor(counter ? [0] : start, variable.shape, variable.dtype)));
  }
  const batch = (n: number): Batch => {
    const count = n % 4 === 3 ? 2 : rows;
    const shape = [count, ...netCase.record];
    const size = shape.reduce((product, length) => product * length, 1);
    const kinds = drawn(`labels ${n}`, count, netCase.classes);
    return {
      x: { shape, values: Float32Array.from(drawn(`${netCase.name}, batch ${n}`, size, netCase.below)) },
      y: {
        shape: [count, netCase.classes],
        values: Float32Array.from({ length: count * netCase.classes }, (_, i) =>
          kinds[Math.floor(i / netCase.classes)] === i % netCase.classes ? 1 : 0,
        ),
      },
    };
  };
  const optimizer = optimizers[optimizerName](tf, api);
  const step = make({
    optimizer,
    variables: net.trainable,
    loss: ({ x, y }) =>
      tf.neg(
        tf.mean(tf.sum(tf.mul(y!, tf.logSoftmax(forward(net, x!, { training: true, logits: true }))), -1)),
      ) as tfjs.Scalar,
    functions: { predict: ({ x }) => forward(net, x!, { training: false }) },
  });
  const losses: number[] = [];
  for (let n = 0; n < steps; n++) {
    losses.push(await step.train(batch(n)));
    if (n === 4) step.setLearningRate(0.004);
  }
  const answers = [...(await step.call('predict', batch(steps))).values];
  await step.pull();
  const weights = await Promise.all(net.variables.map(async (variable) => [...(await variable.data())]));
  const { mode, reason } = step;
  step.dispose();
  optimizer.dispose();
  return { losses, weights, answers, mode, reason };
}
