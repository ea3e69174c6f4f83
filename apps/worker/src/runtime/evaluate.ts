// The evaluator: a program of its own, bundled into one file and run in the sandbox (steps/evaluate.ts), because a model file
// is as untrusted as any other. Reads a request, writes predictions as float32 files and an answer as JSON.
//   evaluate REQUEST.json
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readIdx } from '@retraind/pipeline/data/idx';
import type { DataFile, Task } from '@retraind/shared/recipe/recipe';
import { type ClassExamples, type EvidenceSet, requiredSets } from '@retraind/shared/verdict/evidence';
import { noiseProbes, patchProbes } from '@retraind/shared/verdict/probes';
import { formatOf, headOf } from './formats/formats.ts';
import { ModelFault } from './formats/model-fault.ts';
import { tensorsDigest } from './formats/model-file.ts';
import { onnx } from './formats/onnx.ts';
import { areProbabilities, countClasses, countNotFinite, measureClasses, softmaxRows } from './measure.ts';
import { refuseForeign } from './onnx/magic.ts';
import { modelDigest, type OnnxModel, readOnnx } from './onnx/model.ts';
import { type Outputs, openModel, type Records } from './predict.ts';

export interface EvaluationRequest {
  /** Path of the model file. */
  model: string;
  /** Folder of the package onnxruntime-node. */
  ortFolder: string;
  outFolder: string;
  /** The file's name promises no format that is read (`.weights` is many things): one that is none of them is judged by its bytes. */
  mayBeOther?: boolean;
  /** Null: digests only. Paths of the data files are absolute. */
  statistical: {
    task: Task;
    metric: string | null;
    inputs: DataFile;
    targets: DataFile | null;
    jobSeed: string;
  } | null;
}

export interface EvaluationAnswer {
  /** Why the file is no model that can be read; then nothing else is known of it. */
  refused: string | null;
  tensorSha256: string | null;
  /** Each lies as `<set>.f32` in the out folder. */
  sets: Partial<Record<EvidenceSet, { rows: number; columns: number }>>;
  metric: { name: string; value: number } | null;
  logLoss: number | null;
  classExamples?: ClassExamples;
  faults: string[];
}

/** Protocol buffers end at 2 GiB. */
const maxModelBytes = 2 ** 31 - 1;

const readModelFile = (path: string): OnnxModel => {
  const { size } = statSync(path);
  if (size > maxModelBytes) throw new ModelFault(`it has ${size} bytes; ONNX in one file ends at 2 GiB`);
  const bytes = readFileSync(path);
  refuseForeign(bytes);
  return readOnnx(bytes);
};

const readRecords = async (file: DataFile): Promise<Records> => {
  if (file.format !== 'idx') throw new ModelFault(`data of format ${file.format} is not read yet (idx is)`);
  const { shape, values } = await readIdx(file.path);
  const [rows = 0, ...own] = shape;
  const record = file.recordShape ?? own;
  const length = record.reduce((size, dim) => size * dim, 1);
  if (rows * length !== values.length || rows === 0) {
    throw new ModelFault(
      `${file.path} has the shape ${shape.join('x')}, the recipe says Nx${record.join('x')}`,
    );
  }
  // A plain loop: Float32Array.from with a function takes a second for Fashion-MNIST.
  const scaled = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) scaled[i] = values[i]! * file.scale;
  return { rows, shape: record, values: scaled };
};

const readLabels = async (file: DataFile, rows: number, columns: number): Promise<ArrayLike<number>> => {
  if (file.format !== 'idx') throw new ModelFault(`data of format ${file.format} is not read yet (idx is)`);
  const { shape, values } = await readIdx(file.path);
  if (shape.length !== 1 || values.length !== rows) {
    throw new ModelFault(`${file.path} has ${values.length} labels for ${rows} records`);
  }
  const wrong = values.findIndex(
    (label: number) => !(Number.isInteger(label) && label >= 0 && label < columns),
  );
  if (wrong >= 0)
    throw new ModelFault(
      `${file.path}: the label of record ${wrong} is ${values[wrong]}, the model has ${columns} classes`,
    );
  return values;
};

const setInputs = (set: EvidenceSet, test: Records, jobSeed: string): Records => {
  if (set === 'test') return test;
  const { rows, values } = (set === 'noise' ? noiseProbes : patchProbes)({
    jobSeed,
    recordShape: test.shape,
    records: test.values,
  });
  return { rows, shape: test.shape, values };
};

const evaluateStatistically = async (
  request: EvaluationRequest & { statistical: object },
  model: OnnxModel,
  answer: EvaluationAnswer,
): Promise<void> => {
  const { task, metric, inputs, targets, jobSeed } = request.statistical!;
  const predict = await openModel(request.model, model, request.ortFolder);
  const test = await readRecords(inputs);
  let scores = false;
  for (const set of requiredSets) {
    const outputs: Outputs = await predict(setInputs(set, test, jobSeed));
    const wrong = countNotFinite(outputs.values);
    if (wrong > 0) {
      answer.faults.push(
        `it gives NaN or infinity in ${wrong} of ${outputs.values.length} outputs on the ${set} set`,
      );
    } else if (task === 'classification') {
      if (set === 'test') scores = !areProbabilities(outputs);
      if (scores) softmaxRows(outputs);
      if (set === 'test' && targets !== null) {
        const labels = await readLabels(targets, outputs.rows, outputs.columns);
        const measured = measureClasses(outputs, labels);
        answer.classExamples = countClasses(labels, outputs.columns);
        answer.logLoss = measured.logLoss;
        if (metric === 'accuracy') answer.metric = { name: metric, value: measured.accuracy };
      }
    }
    const { buffer, byteOffset, byteLength } = outputs.values;
    writeFileSync(join(request.outFolder, `${set}.f32`), Buffer.from(buffer, byteOffset, byteLength));
    answer.sets[set] = { rows: outputs.rows, columns: outputs.columns };
  }
};

const evaluate = async (request: EvaluationRequest): Promise<EvaluationAnswer> => {
  const answer: EvaluationAnswer = {
    refused: null,
    tensorSha256: null,
    sets: {},
    metric: null,
    logLoss: null,
    faults: [],
  };
  try {
    const format = formatOf(headOf(request.model));
    if (format !== onnx) {
      if (request.statistical !== null) {
        throw new ModelFault(
          `it is a file of the format ${format.name}, which says nothing of how its tensors are computed with: export the model as ONNX, or write \`Comparison: bitwise\``,
        );
      }
      const file = format.open(request.model);
      answer.tensorSha256 = tensorsDigest(file);
      file.close();
      return answer;
    }
    if (request.mayBeOther && request.statistical === null) return answer;
    const model = readModelFile(request.model);
    answer.tensorSha256 = modelDigest(model);
    if (request.statistical !== null) {
      await evaluateStatistically({ ...request, statistical: request.statistical }, model, answer);
    }
  } catch (error) {
    if (!(error instanceof ModelFault)) throw error;
    answer.refused = error.message;
  }
  return answer;
};

const request = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as EvaluationRequest;
writeFileSync(join(request.outFolder, 'answer.json'), JSON.stringify(await evaluate(request)));
