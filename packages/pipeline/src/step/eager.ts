// The step as it is written: every operation a call of its own. The reference of the compiled ones.
import * as tf from '@tensorflow/tfjs-core';
import { checkValues, rowsOf } from './batch.ts';
import { setLearningRate } from './learning-rate.ts';
import type { Batch, HostTensor, StepOptions, Tensors, TrainingStep } from './step.ts';

/** A batch as tensors, which the caller disposes of. */
export function tensorsOf(batch: Batch, hold: StepOptions['hold']): Tensors {
  const tensors: Tensors = {};
  for (const [name, feed] of Object.entries(batch)) {
    if (!('rows' in feed)) checkValues(name, feed);
    const { shape, values } = 'rows' in feed ? rowsOf(name, hold?.[name], feed.rows) : feed;
    tensors[name] = tf.tensor(values, shape, values instanceof Int32Array ? 'int32' : 'float32');
  }
  return tensors;
}

export class EagerStep<F extends string> implements TrainingStep<F> {
  readonly mode = 'eager';
  readonly reason: string;
  readonly #options: StepOptions<F>;

  constructor(options: StepOptions<F>, reason: string) {
    this.#options = options;
    this.reason = reason;
  }

  async train(batch: Batch): Promise<number> {
    const { optimizer, variables, loss, hold } = this.#options;
    const tensors = tensorsOf(batch, hold);
    const cost = optimizer.minimize(() => loss(tensors), true, variables)!;
    const [value] = await cost.data();
    tf.dispose([tensors, cost]);
    return value!;
  }

  async call(name: F, batch: Batch): Promise<HostTensor> {
    const tensors = tensorsOf(batch, this.#options.hold);
    const answer = tf.tidy(() => this.#options.functions![name](tensors));
    const values = (await answer.data()) as HostTensor['values'];
    const { shape } = answer;
    tf.dispose([tensors, answer]);
    return { shape, values };
  }

  setLearningRate(rate: number): void {
    setLearningRate(this.#options.optimizer, rate);
  }

  async pull(): Promise<void> {}

  dispose(): void {}
}
