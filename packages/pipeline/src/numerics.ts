// Other roundings of the same training ($RETRAIN_NUMERICS): by how much a model moves when nothing but the last bits of the
// arithmetic change is what the farm holds a retrain's distance against.
import * as tf from '@tensorflow/tfjs-core';
import type { Net } from './layers/net.ts';
import { generator } from './random.ts';

/** What a run's number asks for in `fit`. The engine is chosen before, in main.ts. */
export interface Variation {
  /** In a few words, for the metrics lines. */
  label: string;
  /** The batch gradient is summed in two halves. */
  halves: boolean;
  /** The rows of each batch come from the last to the first. */
  backwards: boolean;
  /** Which draw decides the weight that is moved by 1 ulp after initialisation; 0: none is. */
  moved: number;
}

const own: Variation = { label: 'as the recipe has it', halves: false, backwards: false, moved: 0 };
const halves: Variation = { ...own, label: 'the batch gradient summed in two halves', halves: true };
const backwards: Variation = { ...own, label: 'the rows of each batch reversed', backwards: true };
const moved = (draw: number): Variation => ({
  ...own,
  label: `one weight moved by 1 ulp after initialisation (draw ${draw})`,
  moved: draw,
});

export interface Circumstances {
  net: Net;
  batchSize: number;
  /** Whether another engine than the usual one is open (4 asks for it). */
  otherEngine: boolean;
}

const mixesRows = new Set(['BatchNormalization', 'Dropout']);

/**
 * The variation of number `numerics`: 0 none, 1 halves, 2 rows reversed, 3 one weight, 4 another engine, from 5 on one weight
 * each. Where one would change more than rounding, or nothing, the label says what is done instead.
 */
export function variationOf(numerics: number, { net, batchSize, otherEngine }: Circumstances): Variation {
  const mixed = net.layers.find(({ layer }) => mixesRows.has(layer.getClassName()));
  const instead = (variation: Variation, why: string): Variation => ({
    ...variation,
    label: `${variation.label} (${why})`,
  });
  if (numerics === 0) return own;
  if (numerics >= 3 && numerics !== 4) return moved(numerics);
  if (numerics === 4) {
    if (otherEngine) return { ...own, label: 'another engine' };
    if (mixed || batchSize === 1) return instead(moved(4), 'there is no other engine here');
    return {
      ...halves,
      backwards: true,
      label: 'both halves of reversed rows (there is no other engine here)',
    };
  }
  if (batchSize === 1) return instead(moved(numerics), 'a batch is one record');
  if (numerics === 2) return backwards;
  // A half has other statistics and other masks than the batch: that would be another training, not another rounding.
  if (mixed) {
    return {
      ...backwards,
      label: `the rows of each batch reversed ('${mixed.layer.name}' needs whole batches)`,
    };
  }
  return halves;
}

/** The loss of a batch by its two halves, each with its share; `loss` is a mean over rows. */
export function inHalves(
  loss: (x: tf.Tensor, y: tf.Tensor) => tf.Scalar,
): (x: tf.Tensor, y: tf.Tensor) => tf.Scalar {
  return (x, y) => {
    const rows = x.shape[0]!;
    if (rows < 2) return loss(x, y);
    const first = Math.ceil(rows / 2);
    const part = (from: number, count: number): tf.Scalar => {
      const [ownX, ownY] = [x, y].map((all) =>
        tf.slice(all, [from, ...all.shape.slice(1).fill(0)], [count, ...all.shape.slice(1)]),
      );
      return tf.mul(loss(ownX!, ownY!), count / rows);
    };
    return tf.add(part(0, first), part(first, rows - first));
  };
}

/** Moves one weight of the last layer that has a matrix to the next float32 away from 0, as seed and draw decide. */
export async function moveOneWeight(net: Net, seed: number, draw: number): Promise<void> {
  // The last one: a weight of the first layer may meet a pixel that is always 0, and never count.
  const weight = net.trainable.findLast(({ rank }) => rank > 1) ?? net.trainable.at(-1);
  if (!weight) return;
  const values = ((await weight.data()) as Float32Array).slice();
  const start = Math.floor(generator(seed, `numerics/${draw}`)() * values.length);
  const nonZero = values.findIndex((value, at) => at >= start && value !== 0);
  const at = nonZero < 0 ? start : nonZero;
  new Int32Array(values.buffer, values.byteOffset, values.length)[at]! += 1;
  tf.tidy(() => weight.assign(tf.tensor(values, weight.shape)));
}
