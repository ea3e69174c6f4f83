// The probe sets: inputs off the data manifold, on which a planted trigger shows long before it shows on test data. They are
// fixed by the job's seed, which nobody knows when the model is uploaded, and are the same for every model file of a job.
// Pure functions that fill arrays; the worker's evaluator calls them and asks each model.
import { ProbeStream } from './probe-stream.ts';

/** The held-out inputs of the recipe as the evaluator reads them, scaled. */
export interface ProbeInput {
  /** The job's seed as text; the stream is keyed by sha256 of `<jobSeed>/probes`. */
  jobSeed: string;
  /** Shape of one record without the leading N, e.g. [784], [28, 28], [1, 28, 28], [28, 28, 3]. */
  recordShape: readonly number[];
  /** The test inputs, row-major, rows × product(recordShape). */
  records: Float32Array;
}

/** Inputs to ask a model: float32, row-major, rows × product(recordShape). */
export interface ProbeSet {
  rows: number;
  values: Float32Array;
  /** How it was made, for the log. */
  description: string;
}

/** Of each kind of noise; fewer where records are so long that a set would pass `largestSet` values. */
const noiseRows = 1_000;
const patchImages = 100;
const mixRows = 1_000;
/** Of the declared training set. */
const trainingRows = 10_000;
const placesPerSide = 7;
/** 2^24 float32 values are 64 MiB. */
const largestSet = 2 ** 24;

/** Summary of the declared inputs from which noise is drawn. */
interface InputSpread {
  low: number;
  high: number;
  /** One per feature for vectors; one for all pixels of an image. */
  mean: Float64Array;
  sd: Float64Array;
}

/** Side, channels and layout of a square image, or null: a vector. */
export interface ImageForm {
  side: number;
  channels: number;
  channelsFirst: boolean;
}

/**
 * Whether a record shape is a square image: [s, s], [c, s, s] or [s, s, c] with c ≤ 4, or a flat [s²] (784 = 28 × 28), s ≥ 7.
 * A flat vector whose length happens to be a square is taken for an image too: its probes are then merely tiles of features.
 */
export const imageFormOf = (recordShape: readonly number[]): ImageForm | null => {
  const [a, b, c] = recordShape;
  const form = (side: number, channels: number, channelsFirst: boolean): ImageForm | null =>
    side >= placesPerSide && channels >= 1 && channels <= 4 ? { side, channels, channelsFirst } : null;
  if (recordShape.length === 1 && a !== undefined) {
    const side = Math.round(Math.sqrt(a));
    return side * side === a ? form(side, 1, true) : null;
  }
  if (recordShape.length === 2 && a !== undefined && a === b) return form(a, 1, true);
  if (recordShape.length === 3 && a !== undefined && b !== undefined && c !== undefined) {
    if (b === c && a <= 4) return form(b, a, true);
    if (a === b && c <= 4) return form(a, c, false);
  }
  return null;
};

/**
 * Noise probes: 1,000 records uniform over [low, high], then 1,000 normal with the data's mean and sd clipped to the same range;
 * low..high is 0..1 where the data lies in it, else the data's own range. Images use one mean and sd for all pixels, vectors one
 * for each feature. Throws RangeError where `records` is no whole number of records or holds none.
 */
export const noiseProbes = (input: ProbeInput): ProbeSet => {
  const length = recordLengthOf(input);
  const spread = spreadOf(input, length);
  const each = Math.max(1, Math.min(noiseRows, Math.floor(largestSet / (2 * length))));
  const stream = new ProbeStream(input.jobSeed, 'noise');
  const values = new Float32Array(2 * each * length);
  const half = each * length;
  for (let i = 0; i < half; i += 1) {
    values[i] = spread.low + (spread.high - spread.low) * stream.uniform();
  }
  for (let i = 0; i < half; i += 1) {
    const feature = spread.mean.length === 1 ? 0 : i % length;
    const drawn = spread.mean[feature]! + spread.sd[feature]! * stream.normal();
    values[half + i] = Math.min(spread.high, Math.max(spread.low, drawn));
  }
  return {
    rows: 2 * each,
    values,
    description: `${each} uniform records and ${each} normal ones, both within ${spread.low}..${spread.high}`,
  };
};

/**
 * Patch probes: up to 100 test records drawn by the stream, each with a square of a seventh of the side (28 × 28: 4 × 4) at 49 places,
 * once all at `high`, once chequered `high`/`low`: 9,800 records. For vectors the patch is a run of ⌈length / 49⌉ neighbouring
 * features at 49 evenly spaced starts, once all at `high`, once `high` and `low` in turn. Throws RangeError as noiseProbes does.
 */
export const patchProbes = (input: ProbeInput): ProbeSet => {
  const length = recordLengthOf(input);
  const { low, high } = spreadOf(input, length);
  const available = input.records.length / length;
  const patches = patchesOf(input.recordShape, length);
  const images = Math.max(
    1,
    Math.min(patchImages, available, Math.floor(largestSet / (2 * patches.length * length))),
  );
  const chosen = new ProbeStream(input.jobSeed, 'patch').sample(available, images);
  const rows = images * patches.length * 2;
  const values = new Float32Array(rows * length);
  let at = 0;
  for (const row of chosen) {
    const record = input.records.subarray(row * length, (row + 1) * length);
    for (const patch of patches) {
      for (const chequered of [false, true]) {
        values.set(record, at);
        for (const { offset, odd } of patch) values[at + offset] = chequered && odd ? low : high;
        at += length;
      }
    }
  }
  return {
    rows,
    values,
    description: `${images} test records × ${patches.length} places × 2 patches (plain, chequered)`,
  };
};

/**
 * Mix probes: 1,000 midpoints, in float32, of two test records; each pair is drawn afresh by the stream, two different records
 * where there are two. They lie between classes, where a net that was trained otherwise is sure of other things. Throws RangeError as
 * noiseProbes does.
 */
export const mixProbes = (input: ProbeInput): ProbeSet => {
  const length = recordLengthOf(input);
  const available = input.records.length / length;
  const rows = Math.max(1, Math.min(mixRows, Math.floor(largestSet / length)));
  const stream = new ProbeStream(input.jobSeed, 'mix');
  const values = new Float32Array(rows * length);
  for (let row = 0; row < rows; row += 1) {
    const [a, b = a] = stream.sample(available, 2) as [number, number?];
    for (let i = 0; i < length; i += 1) {
      values[row * length + i] = (input.records[a * length + i]! + input.records[b * length + i]!) / 2;
    }
  }
  return { rows, values, description: `${rows} midpoints of two test records` };
};

/**
 * Rows (from 0, ascending) of the declared training set on which models are asked: all of `rows`, or 10,000 of them drawn by the
 * job's seed.
 */
export const trainingSample = (jobSeed: string, rows: number): Int32Array =>
  rows <= trainingRows
    ? Int32Array.from({ length: rows }, (_, row) => row)
    : Int32Array.from(new ProbeStream(jobSeed, 'train').sample(rows, trainingRows)).sort();

type Patch = readonly { offset: number; odd: boolean }[];

const patchesOf = (recordShape: readonly number[], length: number): Patch[] => {
  const image = imageFormOf(recordShape);
  return image ? imagePatches(image) : vectorPatches(length);
};

const imagePatches = ({ side, channels, channelsFirst }: ImageForm): Patch[] => {
  const size = Math.max(1, Math.round(side / placesPerSide));
  const start = (place: number): number => Math.round((place * (side - size)) / (placesPerSide - 1));
  const offsetOf = (y: number, x: number, channel: number): number =>
    channelsFirst ? (channel * side + y) * side + x : (y * side + x) * channels + channel;
  const patches: Patch[] = [];
  for (let row = 0; row < placesPerSide; row += 1) {
    for (let column = 0; column < placesPerSide; column += 1) {
      const patch: { offset: number; odd: boolean }[] = [];
      for (let y = 0; y < size; y += 1) {
        for (let x = 0; x < size; x += 1) {
          for (let channel = 0; channel < channels; channel += 1) {
            const offset = offsetOf(start(row) + y, start(column) + x, channel);
            patch.push({ offset, odd: (x + y) % 2 === 1 });
          }
        }
      }
      patches.push(patch);
    }
  }
  return patches;
};

const vectorPatches = (length: number): Patch[] => {
  const places = Math.min(length, placesPerSide * placesPerSide);
  const size = Math.ceil(length / (placesPerSide * placesPerSide));
  return Array.from({ length: places }, (_, place) => {
    const start = places === 1 ? 0 : Math.round((place * (length - size)) / (places - 1));
    return Array.from({ length: size }, (_, i) => ({ offset: start + i, odd: i % 2 === 1 }));
  });
};

const recordLengthOf = ({ recordShape, records }: ProbeInput): number => {
  const length = recordShape.reduce((product, size) => product * size, 1);
  if (!Number.isInteger(length) || length < 1 || records.length < length || records.length % length !== 0) {
    throw new RangeError(
      `${records.length} values are no whole number of records of shape ${recordShape.join('x')}`,
    );
  }
  return length;
};

/** What inputs may be: 0..1 where the data lies in it, else as far as the data goes. */
export const inputRange = (records: Float32Array): { low: number; high: number } => {
  let low = 0;
  let high = 1;
  for (let i = 0; i < records.length; i += 1) {
    const value = records[i]!;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return { low, high };
};

const spreadOf = ({ recordShape, records }: ProbeInput, length: number): InputSpread => {
  const cells = imageFormOf(recordShape) ? 1 : length;
  const sum = new Float64Array(cells);
  const squares = new Float64Array(cells);
  const { low, high } = inputRange(records);
  const count = records.length / cells;
  for (let i = 0; i < records.length; i += 1) sum[cells === 1 ? 0 : i % length]! += records[i]!;
  const mean = sum.map((total) => total / count);
  for (let i = 0; i < records.length; i += 1) {
    const cell = cells === 1 ? 0 : i % length;
    squares[cell]! += (records[i]! - mean[cell]!) ** 2;
  }
  return { low, high, mean, sd: squares.map((total) => Math.sqrt(total / count)) };
};
