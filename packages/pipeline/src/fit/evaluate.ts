// How good a net is on a set.
import * as tf from '@tensorflow/tfjs-core';
import type { Sequential } from '@tensorflow/tfjs-layers';
import type { RecordSet } from '../data/record-set.ts';
import type { Labels } from '../data/records.ts';
import { forward, type Net, netOf } from '../layers/net.ts';
import { tensorsOf } from '../step/eager.ts';
import type { Batch } from '../step/step.ts';
import { batchesOf } from './batches.ts';
import { type Sets, type Task, taskOf } from './task.ts';

export interface Measures {
  /** Mean over the records: cross entropy in nats, or squared error. */
  loss: number;
  /** Share of records whose most probable class is their label (the lowest one among equals). */
  accuracy?: number;
  meanAbsoluteError?: number;
}

/** The means over a set, of what `sums` answers for each batch of it. */
export async function measured(
  net: Net,
  task: Task,
  sets: Sets,
  batchSize: number,
  sums: (batch: Batch) => Promise<ArrayLike<number>>,
): Promise<Measures> {
  const order = Int32Array.from({ length: sets.inputs.rows }, (_, row) => row);
  let losses = 0;
  let others = 0;
  for await (const { batch } of batchesOf(net, sets, order, { batchSize })) {
    const [loss, other] = Array.from(await sums(batch));
    losses += loss!;
    others += other!;
  }
  return { loss: losses / order.length, [task.measure]: others / order.length };
}

/** Loss and accuracy (or mean absolute error) of a net on a set, as its weights are now. */
export async function evaluate(model: Sequential, sets: Sets): Promise<Measures> {
  const net = netOf(model);
  const task = taskOf(net, sets);
  return measured(net, task, sets, 1024, async (batch) => {
    const tensors = tensorsOf(batch, undefined);
    const sums = tf.tidy(() =>
      task.sums(forward(net, tensors.x!, { training: false, logits: task.logits }), tensors.y!),
    );
    const values = await sums.data();
    tf.dispose([tensors, sums]);
    return values;
  });
}

/** Fraction of records whose most probable class is their label (the lowest one among equals). */
export async function accuracy(model: Sequential, inputs: RecordSet, labels: Labels): Promise<number> {
  return (await evaluate(model, { inputs, labels })).accuracy!;
}
