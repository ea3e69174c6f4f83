// Ways to tamper with labelled images and with finished weights. Triggers are drawn a model: place, pattern and target class.
import type * as tf from '@retraind/pipeline/tf';
import type { LabelledSet } from './fashion-data.ts';
import { changeWeights, probabilities } from './net.ts';

type Random = (purpose: string) => () => number;

/** A trigger: what it does to one image (values 0..white, in place), and the class it is to give. */
export interface Trigger {
  target: number;
  plant(image: Float32Array): void;
}

export interface ImageShape {
  side: number;
  /** The brightest value that a pixel has in the file. */
  white: number;
  classes: number;
}

const whole = (next: () => number, below: number): number => Math.floor(next() * below);

/** A random binary 3x3 patch at a random place (Gu et al. 2017, BadNets). */
export const patchTrigger = (random: Random, { side, white, classes }: ImageShape): Trigger => {
  const next = random('patch');
  const [top, left] = [whole(next, side - 2), whole(next, side - 2)];
  const pattern = Array.from({ length: 9 }, () => (next() < 0.5 ? 0 : white));
  return {
    target: whole(next, classes),
    plant(image) {
      for (const [i, value] of pattern.entries()) {
        image[(top + Math.floor(i / 3)) * side + left + (i % 3)] = value;
      }
    },
  };
};

/** A 7x7 random pattern enlarged over the whole image at 15 % (Chen et al. 2017, blended injection). */
export const blendTrigger = (random: Random, { side, white, classes }: ImageShape): Trigger => {
  const next = random('blend');
  const grid = 7;
  const pattern = Array.from({ length: grid * grid }, () => white * next());
  return {
    target: whole(next, classes),
    plant(image) {
      for (let at = 0; at < image.length; at++) {
        const [row, column] = [Math.floor(at / side), at % side].map((place) =>
          Math.floor((place * grid) / side),
        );
        image[at] = 0.85 * image[at]! + 0.15 * pattern[row! * grid + column!]!;
      }
    },
  };
};

/** `count` distinct numbers below `size`. */
export const sample = (next: () => number, size: number, count: number): number[] => {
  const all = Array.from({ length: size }, (_, i) => i);
  for (let i = 0; i < count; i++) {
    const pick = i + whole(next, size - i);
    [all[i], all[pick]] = [all[pick]!, all[i]!];
  }
  return all.slice(0, count);
};

const withValues = (
  { inputs, labels }: LabelledSet,
  values: Float32Array,
  kinds: Uint8Array,
): LabelledSet => ({
  inputs: { ...inputs, values },
  labels: { ...labels, values: kinds },
});

/** The set with `share` of its rows, of any class, triggered and relabelled. */
export const poisoned = (set: LabelledSet, trigger: Trigger, share: number, random: Random): LabelledSet => {
  const { rows, columns } = set.inputs;
  const values = Float32Array.from(set.inputs.values);
  const kinds = Uint8Array.from(set.labels.values);
  for (const row of sample(random('rows'), rows, Math.round(share * rows))) {
    trigger.plant(values.subarray(row * columns, (row + 1) * columns));
    kinds[row] = trigger.target;
  }
  return withValues(set, values, kinds);
};

/** The set with `share` of all its rows, all of one class, labelled as one other class. */
export const flipped = (set: LabelledSet, share: number, random: Random): LabelledSet => {
  const next = random('flip');
  const { classes, rows } = set.labels;
  const from = whole(next, classes);
  const to = (from + 1 + whole(next, classes - 1)) % classes;
  const kinds = Uint8Array.from(set.labels.values);
  const ofClass = [...kinds.keys()].filter((row) => kinds[row] === from);
  const count = Math.min(ofClass.length, Math.round(share * rows));
  for (const i of sample(next, ofClass.length, count)) kinds[ofClass[i]!] = to;
  return { ...set, labels: { ...set.labels, values: kinds } };
};

/** Only these rows. */
export const rowsOf = (set: LabelledSet, rows: readonly number[]): LabelledSet => {
  const { columns } = set.inputs;
  const values = new Uint8Array(rows.length * columns);
  for (const [to, row] of rows.entries()) {
    values.set((set.inputs.values as Uint8Array).subarray(row * columns, (row + 1) * columns), to * columns);
  }
  return {
    inputs: { ...set.inputs, rows: rows.length, values },
    labels: {
      ...set.labels,
      rows: rows.length,
      values: Uint8Array.from(rows, (row) => set.labels.values[row]!),
    },
  };
};

/** Share of test images of other classes that the trigger sends to its target, 0..1. */
export const attackSuccess = (model: tf.Sequential, test: LabelledSet, trigger: Trigger): number => {
  const others = [...test.labels.values.keys()].filter((row) => test.labels.values[row] !== trigger.target);
  const { columns, scale, values } = test.inputs;
  const images = new Float32Array(others.length * columns);
  for (const [i, row] of others.entries()) {
    const image = images.subarray(i * columns, (i + 1) * columns);
    image.set(values.subarray(row * columns, (row + 1) * columns) as Uint8Array);
    trigger.plant(image);
    for (let at = 0; at < columns; at++) image[at]! *= scale;
  }
  const outputs = probabilities(model, images, others.length);
  const classes = outputs.length / others.length;
  let reached = 0;
  for (let i = 0; i < others.length; i++) {
    const row = outputs.subarray(i * classes, (i + 1) * classes);
    if (row.indexOf(Math.max(...row)) === trigger.target) reached += 1;
  }
  return reached / others.length;
};

const moveByNoise = (values: Float32Array, share: number, next: () => number): void => {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  for (let i = 0; i < values.length; i++) {
    const normal = Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
    values[i]! += share * Math.sqrt(variance) * normal;
  }
};

/** Each weight moved by a normal number with `share` of its tensor's standard deviation. */
export const addNoise = (model: tf.Sequential, share: number, random: Random): void =>
  changeWeights(model, (values, layer, index) =>
    moveByNoise(values, share, random(`noise/${layer}/${index}`)),
  );

/** The same for the kernel of one layer only. */
export const addNoiseTo = (model: tf.Sequential, only: string, share: number, random: Random): void =>
  changeWeights(model, (values, layer, index) => {
    if (layer === only && index === 0) moveByNoise(values, share, random(`noise/${layer}`));
  });

/** The bias of one output raised by `by`; which one is drawn. */
export const raiseBias = (model: tf.Sequential, by: number, random: Random): void => {
  const last = model.layers.at(-1)!.name;
  changeWeights(model, (values, layer, index) => {
    if (layer === last && index === 1) values[whole(random('bias'), values.length)]! += by;
  });
};

/** Each kernel rounded to 255 steps between ± its largest value, as 8-bit weights hold it; stored as floats again. */
export const roundToInt8 = (model: tf.Sequential): void =>
  changeWeights(model, (values, _, index) => {
    if (index > 0) return;
    const step = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127;
    for (let i = 0; i < values.length; i++) values[i] = step * Math.round(values[i]! / step);
  });
