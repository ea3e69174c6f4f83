// Asks a model for its outputs with onnxruntime: one thread, one order of execution, so that the same file gives the same
// numbers on this machine every time.
import { createRequire } from 'node:module';
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { askedInputs, type OnnxModel } from './onnx/model.ts';
import { ModelFault } from './onnx/wire.ts';
import type { Records } from './records.ts';

const floatType = 1;
/** Values a batch: 16 MiB of float32. */
const batchValues = 2 ** 22;
const batchRows = 512;
/** Outputs of one record; a vocabulary has a quarter of a million. */
const maxColumns = 2 ** 18;
/** Outputs of one set: 256 MiB of float32. */
const maxOutputs = 2 ** 26;
/** Values of one record: 256 MiB of float32. */
const maxRecordValues = 2 ** 26;

export interface Outputs {
  rows: number;
  columns: number;
  values: Float32Array;
}

export type Predict = (records: Records) => Promise<Outputs>;

const product = (shape: readonly number[]): number => shape.reduce((size, dim) => size * dim, 1);

/** onnxruntime's messages name source files and carry its own prefixes; the sentence is what helps. */
const cleaned = (error: unknown): string =>
  String((error as Error).message ?? error)
    .replace(/^.*?(?:failed:|Error:)\s*/s, '')
    .split('\n')[0]!
    .slice(0, 500);

const randomOperators: ReadonlySet<string> = new Set([
  'Bernoulli',
  'Multinomial',
  'RandomNormal',
  'RandomNormalLike',
  'RandomUniform',
  'RandomUniformLike',
]);

/** Throws ModelFault where a set of so many records has more outputs than are compared. */
export const checkOutputs = (rows: number, columns: number): void => {
  if (columns <= maxColumns && columns * rows <= maxOutputs) return;
  throw new ModelFault(
    `it gives ${columns} outputs for each of ${rows} records; at most ${maxColumns} a record and ${maxOutputs} in all are compared`,
  );
};

/** Opens a model that has been read and found sound. `ortFolder`: the folder of the package onnxruntime-node. Throws ModelFault. */
export const openModel = async (path: string, model: OnnxModel, ortFolder: string): Promise<Predict> => {
  const ort = createRequire(import.meta.url)(ortFolder) as typeof import('onnxruntime-node');
  const inputs = askedInputs(model);
  const [input] = inputs;
  if (!input || inputs.length > 1)
    throw new ModelFault(`it has ${inputs.length} inputs; models of one input are judged`);
  if (input.type !== floatType)
    throw new ModelFault(`its input "${input.name}" is not float32 (ONNX type ${input.type})`);
  const drawn = model.graph.operations.find(({ operator }) => randomOperators.has(operator));
  if (drawn)
    throw new ModelFault(`it draws random numbers (operator ${drawn.operator}): no two evaluations agree`);
  const outputs = model.graph.outputs.filter(({ type }) => type === floatType);
  const [output] = outputs;
  if (!output || outputs.length > 1)
    throw new ModelFault(`it has ${outputs.length} float32 outputs; models of one are judged`);

  let session: InferenceSession;
  try {
    session = await ort.InferenceSession.create(path, {
      executionProviders: ['cpu'],
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'basic',
      logSeverityLevel: 4,
    });
  } catch (error) {
    throw new ModelFault(`onnxruntime refuses it: ${cleaned(error)}`);
  }

  const fixed = input.shape?.slice(1);
  const fixedBatch = input.shape?.[0] ?? null;
  return async ({ rows, shape, read }) => {
    const length = product(shape);
    if (length > maxRecordValues) {
      throw new ModelFault(
        `records of ${length} values are too large; ones of at most ${maxRecordValues} are evaluated`,
      );
    }
    // A model of [N, 1, 28, 28] may be asked with flat records of 784, and the other way round.
    const wholly = fixed?.every((dim) => dim !== null) ? (fixed as number[]) : null;
    if (wholly && product(wholly) !== length) {
      throw new ModelFault(
        `its input takes records of shape ${wholly.join('x')}, the data has ${shape.join('x')}`,
      );
    }
    const record = wholly ?? shape;
    const perBatch = fixedBatch ?? Math.max(1, Math.min(batchRows, Math.floor(batchValues / length)));
    if (perBatch < 1 || perBatch * length > maxRecordValues) {
      throw new ModelFault(
        `its input takes batches of ${perBatch} records of ${length} values; batches of 1 to ${Math.floor(maxRecordValues / length)} are evaluated`,
      );
    }
    let all: Float32Array | null = null;
    let columns = 0;
    for (let row = 0, count = 0; row < rows; row += count) {
      // The first record alone tells how many outputs there are: a batch of a million each would not fit.
      const room = Math.max(1, Math.floor(batchValues / Math.max(1, columns)));
      count = Math.min(fixedBatch ?? (row === 0 ? 1 : Math.min(perBatch, room)), rows - row);
      // A model of a fixed batch gets its last batch filled up with zeros, whose outputs are dropped.
      const batch = fixedBatch === null ? count : fixedBatch;
      const feed = new Float32Array(batch * length);
      feed.set(await read(row, count));
      let answer: Tensor;
      try {
        const answers = await session.run(
          { [input.name]: new ort.Tensor('float32', feed, [batch, ...record]) },
          [output.name],
        );
        answer = answers[output.name] as Tensor;
      } catch (error) {
        throw new ModelFault(`onnxruntime cannot run it: ${cleaned(error)}`);
      }
      const data = answer.data as Float32Array;
      if (answer.dims[0] !== batch || data.length % batch !== 0 || data.length === 0) {
        throw new ModelFault(
          `its output "${output.name}" has the shape ${answer.dims.join('x')} for ${batch} records`,
        );
      }
      if (all !== null && columns !== data.length / batch) {
        throw new ModelFault(
          `it gives ${columns} outputs for one record and ${data.length / batch} for another`,
        );
      }
      columns = data.length / batch;
      checkOutputs(rows, columns);
      all ??= new Float32Array(rows * columns);
      all.set(data.subarray(0, count * columns), row * columns);
    }
    return { rows, columns, values: all ?? new Float32Array(0) };
  };
};
