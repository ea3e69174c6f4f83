// Differential Neural Cleanse, its one-model half: for each class the smallest patch that sends every image there. Another model's
// search begins at the same place and sees the same images, so the sizes can be compared (shared/verdict, dNC).
// Source: Wang et al., "Neural Cleanse", S&P 2019; the settings are those whose error rates were measured.
import { compileStep, type TrainingStep } from '@retraind/pipeline/step/step';
import * as tf from '@retraind/pipeline/tf';
import { ProbeStream } from '@retraind/shared/verdict/probe-stream';
import type { ImageForm } from '@retraind/shared/verdict/probes';
import type { ImportedNet } from '../importer/import.ts';

export const settings = {
  /** Test images, or all where there are fewer. */
  pool: 600,
  /** Images of each class in a step. */
  images: 24,
  steps: 120,
  /** Of Adam. */
  rate: 0.15,
  /** Of the mask's L1 norm beside the cross entropy in nats. */
  penalty: 0.03,
  /** Logits at the start: mean of the mask's (the pattern's is 0), and the standard deviation of both. */
  maskStart: -2,
  noise: 0.1,
} as const;

export interface SearchInput {
  net: ImportedNet;
  /** The outputs are probabilities that no softmax of the net gave. */
  probabilities: boolean;
  jobSeed: string;
  form: ImageForm;
  /** Test inputs, row-major, rows × (side² · channels). */
  records: Float32Array;
  /** What a pixel may be. */
  low: number;
  high: number;
  /** Classes in one step: fewer take less memory, and give the same. */
  together: number;
}

/** The trigger of one class. */
export interface FoundTrigger {
  /** side², each 0..1. */
  mask: Float32Array;
  /** Lying as a record does, low..high. */
  pattern: Float32Array;
  /** Share of the pool that it sends to the class. */
  reached: number;
}

/** What is drawn before the search: in this order, from one stream, whatever the model. */
interface Draws {
  /** Rows of the test set. */
  pool: number[];
  /** classes × side², classes × record. */
  masks: Float32Array;
  patterns: Float32Array;
  /** For each step: classes × images places in the pool. */
  steps: Int32Array[];
}

const drawsOf = (jobSeed: string, rows: number, classes: number, cells: number, length: number): Draws => {
  const stream = new ProbeStream(jobSeed, 'triggers');
  const pool = stream.sample(rows, settings.pool);
  const normals = (count: number, mean: number): Float32Array =>
    Float32Array.from({ length: count }, () => mean + settings.noise * stream.normal());
  const masks = normals(classes * cells, settings.maskStart);
  const patterns = normals(classes * length, 0);
  const images = Math.min(settings.images, pool.length);
  const steps = Array.from({ length: settings.steps }, () =>
    Int32Array.from(Array.from({ length: classes }, () => stream.sample(pool.length, images)).flat()),
  );
  return { pool, masks, patterns, steps };
};

/** Some classes, one step for all of them. */
class ClassGroup {
  readonly #step: TrainingStep<'scores'>;
  readonly #mask: tf.Variable;
  readonly #pattern: tf.Variable;
  readonly #wanted: tf.Tensor;
  readonly #input: SearchInput;
  readonly #classes: number[];
  readonly #images: number;

  constructor(input: SearchInput, draws: Draws, pool: Float32Array, classes: number[]) {
    const { net, form } = input;
    const cells = form.side ** 2;
    const length = cells * form.channels;
    const images = Math.min(settings.images, draws.pool.length);
    const count = classes.length;
    const first = classes[0]!;
    // Records lie [channels, pixels] or [pixels, channels].
    const [a, b] = form.channelsFirst ? [form.channels, cells] : [cells, form.channels];
    const maskShape = form.channelsFirst ? [count, 1, 1, cells] : [count, 1, cells, 1];
    this.#input = input;
    this.#classes = classes;
    this.#images = images;
    this.#mask = tf.variable(tf.tensor(draws.masks.slice(first * cells, (first + count) * cells), maskShape));
    this.#pattern = tf.variable(
      tf.tensor(draws.patterns.slice(first * length, (first + count) * length), [count, 1, a!, b!]),
    );
    const wanted = new Float32Array(count * images * net.outputs);
    classes.forEach((label, i) => {
      for (let j = 0; j < images; j++) wanted[(i * images + j) * net.outputs + label] = -1 / images;
    });
    this.#wanted = tf.tensor(wanted, [count * images, net.outputs]);

    const scores = (x: tf.Tensor, mask: tf.Tensor): tf.Tensor => {
      const images4 = tf.reshape(x, [count, images, a!, b!]);
      // (1 - m) x + m p
      const stamped = tf.add(images4, tf.mul(mask, tf.sub(this.#patternValues(), images4)));
      const outputs = net.forward(tf.reshape(stamped, [count * images, ...net.recordShape]), true);
      // A probability of 0 has no logarithm.
      return input.probabilities ? tf.log(tf.add(outputs, 1e-7)) : outputs;
    };
    this.#step = compileStep({
      optimizer: tf.train.adam(settings.rate),
      variables: [this.#mask, this.#pattern],
      // The classes' losses together: no class moves another's mask.
      loss: ({ x }) => {
        const mask = tf.sigmoid(this.#mask);
        const entropy = tf.sum(tf.mul(tf.logSoftmax(scores(x!, mask)), this.#wanted));
        return tf.add(entropy, tf.mul(tf.sum(mask), settings.penalty)) as tf.Scalar;
      },
      functions: { scores: ({ x }) => scores(x!, tf.sigmoid(this.#mask)) },
      hold: { x: { shape: [draws.pool.length, length], values: pool } },
    });
  }

  #patternValues(): tf.Tensor {
    const { low, high } = this.#input;
    return tf.add(tf.mul(tf.sigmoid(this.#pattern), high - low), low);
  }

  async search(draws: Draws): Promise<FoundTrigger[]> {
    const width = this.#classes.length * this.#images;
    const from = this.#classes[0]! * this.#images;
    for (const all of draws.steps) await this.#step.train({ x: { rows: all.slice(from, from + width) } });
    const reached = await this.#reached(draws.pool.length);
    await this.#step.pull();
    const [masks, patterns] = tf.tidy(() =>
      [tf.sigmoid(this.#mask), this.#patternValues()].map((tensor) => tensor.dataSync() as Float32Array),
    ) as [Float32Array, Float32Array];
    const count = this.#classes.length;
    const part = (values: Float32Array, i: number): Float32Array =>
      values.slice((i * values.length) / count, ((i + 1) * values.length) / count);
    return this.#classes.map((_, i) => ({
      mask: part(masks, i),
      pattern: part(patterns, i),
      reached: reached[i]!,
    }));
  }

  /** For each class: share of the pool whose largest score it is, ties to the lower class. */
  async #reached(pool: number): Promise<number[]> {
    const { outputs } = this.#input.net;
    const hits = this.#classes.map(() => 0);
    for (let at = 0; at < pool; at += this.#images) {
      // The last block is filled up with the last row, which is not counted twice.
      const rows = Int32Array.from({ length: this.#classes.length * this.#images }, (_, i) =>
        Math.min(pool - 1, at + (i % this.#images)),
      );
      const { values } = await this.#step.call('scores', { x: { rows } });
      this.#classes.forEach((label, i) => {
        for (let j = 0; j < this.#images && at + j < pool; j++) {
          const own = values.subarray((i * this.#images + j) * outputs, (i * this.#images + j + 1) * outputs);
          if (own.indexOf(Math.max(...own)) === label) hits[i]!++;
        }
      });
    }
    return hits.map((hit) => hit / pool);
  }

  dispose(): void {
    this.#step.dispose();
    tf.dispose([this.#mask, this.#pattern, this.#wanted]);
  }
}

/** Searches a trigger into every class, on tfjs's current engine. Classes in order. */
export const searchTriggers = async (input: SearchInput): Promise<FoundTrigger[]> => {
  const { net, form, records, jobSeed, together } = input;
  const cells = form.side ** 2;
  const length = cells * form.channels;
  const draws = drawsOf(jobSeed, records.length / length, net.outputs, cells, length);
  const pool = new Float32Array(draws.pool.length * length);
  draws.pool.forEach((row, i) => {
    pool.set(records.subarray(row * length, (row + 1) * length), i * length);
  });
  const found: FoundTrigger[] = [];
  for (let first = 0; first < net.outputs; first += together) {
    const classes = Array.from({ length: Math.min(together, net.outputs - first) }, (_, i) => first + i);
    const group = new ClassGroup(input, draws, pool, classes);
    found.push(...(await group.search(draws)));
    group.dispose();
  }
  return found;
};
