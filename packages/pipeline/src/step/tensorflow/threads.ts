// How many threads a net is worth. Within a small net's operations two threads lose more by meeting than they gain: a
// 250-128-5 net at batch 256 takes 0.8 ms a step with two and 0.5 with one (bench/engines); large ones gain up to 1.6 times.
import type * as tf from '@tensorflow/tfjs-core';
import { currentEngine } from '../../engine/engines.ts';
import { loadedTensorflow } from '../../engine/tensorflow/binding.ts';
import { isLoaded } from '../../engine/tensorflow/native.ts';
import { takeOneThread, tellSettings } from '../../engine/tensorflow/settings.ts';
import { writeMetrics } from '../../metrics.ts';
import type { Batch } from '../step.ts';

/** Floating-point operations a step from which several threads pay. */
const worthThreads = 3e8;

/**
 * Floating-point operations of a step, roughly and rather too many: each weight of a product meets each record, and each
 * place of an image or sequence, forward and twice backward.
 */
export function workOf(variables: readonly Pick<tf.Variable, 'shape' | 'size'>[], batch: Batch): number {
  let rows = 1;
  let places = 1;
  for (const feed of Object.values(batch)) {
    const shape = 'rows' in feed ? [feed.rows.length] : feed.shape;
    rows = Math.max(rows, shape[0] ?? 1);
    places = Math.max(
      places,
      shape.slice(1, -1).reduce((product, length) => product * length, 1),
    );
  }
  const weights = variables.filter(({ shape }) => shape.length > 1);
  const meetings = weights.reduce((sum, { shape, size }) => sum + size * (shape.length > 2 ? places : 1), 0);
  return 6 * rows * meetings;
}

/** Before the first operation of a process that may choose: one thread for a small net. Tells what was chosen, and why. */
export function chooseThreads(variables: readonly tf.Variable[], batch: Batch): void {
  const tensorflow = loadedTensorflow();
  if (!tensorflow?.settings.mayChoose) return;
  const { settings } = tensorflow;
  settings.mayChoose = false;
  if (isLoaded()) return;
  const work = workOf(variables, batch);
  const before = tellSettings(settings);
  if (work < worthThreads) takeOneThread(settings);
  const after = `${tellSettings(settings)} for ${(work / 1e9).toPrecision(2)} GFLOP a step`;
  const label = currentEngine()?.opened.label.replace(before, after);
  if (label) writeMetrics({ engine: `retrain-tfjs ${label}` });
  process.stderr.write(`retrain-tfjs: ${after}\n`);
}
