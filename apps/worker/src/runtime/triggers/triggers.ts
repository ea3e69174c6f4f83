// The search for triggers as the evaluator asks for it: whether it is made at all, and its results as files. Always on the
// pipeline's wasm engine: the same bits on every machine, so that two models' sizes differ by the models only.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { wasm } from '@retraind/pipeline/engine/wasm';
import * as tf from '@retraind/pipeline/tf';
import { imageFormOf, inputRange } from '@retraind/shared/verdict/probes';
import { pictureName, type TriggerAnswer } from '../evaluation.ts';
import { type ImportedNet, importOnnx } from '../importer/import.ts';
import { areProbabilities } from '../measure.ts';
import { askedInputs, type OnnxModel } from '../onnx/model.ts';
import type { HeldRecords } from '../records.ts';
import { triggerPicture } from './picture.ts';
import { searchTriggers, settings } from './search.ts';

const maxClasses = 100;
/** Multiply-adds of a whole search: some four minutes of a core. */
const maxWork = 1e12;
/** Values in one step, forward and back: 1 GiB of float32. */
const maxValues = 2 ** 28;
/** A mask of nothing has no logarithm. */
const leastMask = 1e-6;

/** Passes through the net, forward ones counted: a step goes there and back. */
const passes = 2 * settings.steps + settings.pool / settings.images;

const notRun = (why: string): TriggerAnswer => ({ ran: false, why: `dNC not run: ${why}` });

/** What the model's input calls a record, where it says so; else what the data does. */
const recordShapeOf = (model: OnnxModel, { shape }: HeldRecords): readonly number[] => {
  const own = askedInputs(model)[0]?.shape?.slice(1);
  return own?.every((length) => length !== null) ? (own as number[]) : shape;
};

/** Whether outputs on test images are distributions already, by another way than a softmax at the end. */
const givesProbabilities = (net: ImportedNet, { values }: HeldRecords, length: number): boolean => {
  if (net.endsWithSoftmax) return false;
  const rows = Math.min(settings.images, values.length / length);
  const x = values.slice(0, rows * length);
  const outputs = tf.tidy(() => net.forward(tf.tensor(x, [rows, ...net.recordShape])).dataSync());
  return areProbabilities({ rows, columns: net.outputs, values: outputs as Float32Array });
};

const searchNet = async (
  net: ImportedNet,
  test: HeldRecords,
  jobSeed: string,
  folder: string,
): Promise<TriggerAnswer> => {
  const { outputs, work, values } = net;
  if (outputs < 2 || outputs > maxClasses)
    return notRun(`${outputs} outputs, it is made for 2 to ${maxClasses}`);
  const cost = work * settings.images * outputs * passes;
  if (cost > maxWork) {
    return notRun(
      `it would take ${cost.toExponential(1)} multiply-adds, ${maxWork.toExponential()} are allowed`,
    );
  }
  const length = test.values.length / test.rows;
  // Forward, its gradient, and what lies between.
  const perClass = 3 * settings.images * (values + 4 * length);
  if (perClass > maxValues) return notRun(`a step would hold ${perClass} values, ${maxValues} are allowed`);
  const form = imageFormOf(test.shape)!;
  const { low, high } = inputRange(test.values);
  const found = await searchTriggers({
    net,
    probabilities: givesProbabilities(net, test, length),
    jobSeed,
    form,
    records: test.values,
    low,
    high,
    together: Math.min(outputs, Math.floor(maxValues / perClass)),
  });
  const sums = found.map(({ mask }) => mask.reduce((sum, value) => sum + value, 0));
  const broken = sums.findIndex((sum) => !Number.isFinite(sum));
  if (broken >= 0) return notRun(`its gradients towards class ${broken} are not finite`);
  const classes = found.map(({ mask, pattern, reached }, label) => {
    writeFileSync(join(folder, pictureName(label)), triggerPicture(form, { mask, pattern }, { low, high }));
    return { maskL1: Math.max(leastMask, sums[label]!), reached };
  });
  return { ran: true, classes };
};

/**
 * Searches triggers into every class of an image classifier and writes a picture of each into `folder`. `test`: the held-out inputs; the same for every model of a job, as is `jobSeed`.
 */
export const findTriggers = async (
  model: OnnxModel,
  test: HeldRecords,
  jobSeed: string,
  folder: string,
): Promise<TriggerAnswer> => {
  const opened = await wasm.open();
  if ('unavailable' in opened) return notRun(opened.unavailable);
  const found = importOnnx(model, recordShapeOf(model, test));
  if ('refused' in found) return notRun(found.refused);
  try {
    return await searchNet(found.net, test, jobSeed, folder);
  } finally {
    found.net.dispose();
  }
};
