// The evaluator: a program of its own, bundled into one file and run in the sandbox (steps/evaluate.ts), because a model file
// is as untrusted as any other. Reads a request, writes what is compared as float32 files and an answer as JSON.
//   evaluate REQUEST.json
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LabelledSet } from '@retraind/shared/verdict/evidence';
import {
  type EvaluationAnswer,
  type EvaluationRequest,
  emptyAnswer,
  type StatisticalRequest,
} from './evaluation.ts';
import { evaluationSets, readSlices } from './evaluation-sets.ts';
import { writeFloats } from './float-files.ts';
import { formatOf, headOf } from './formats/formats.ts';
import { ModelFault } from './formats/model-fault.ts';
import { type ModelFormat, tensorsDigest } from './formats/model-file.ts';
import { onnx } from './formats/onnx.ts';
import { countClasses, countNotFinite } from './measure.ts';
import { refuseForeign } from './onnx/magic.ts';
import { modelDigest, type OnnxModel, readOnnx } from './onnx/model.ts';
import { openModel } from './predict.ts';
import { measureOf } from './tasks.ts';
import { readWeights } from './weights.ts';

/** Protocol buffers end at 2 GiB. */
const maxModelBytes = 2 ** 31 - 1;

const readModelFile = (path: string): OnnxModel => {
  const { size } = statSync(path);
  if (size > maxModelBytes) throw new ModelFault(`it has ${size} bytes; ONNX in one file ends at 2 GiB`);
  const bytes = readFileSync(path);
  refuseForeign(bytes);
  return readOnnx(bytes);
};

const evaluateStatistically = async (
  request: EvaluationRequest & { statistical: StatisticalRequest },
  model: OnnxModel,
  answer: EvaluationAnswer,
): Promise<void> => {
  const { outFolder, statistical } = request;
  const measure = measureOf(statistical.task);
  if (measure === null)
    throw new ModelFault(`models of the task ${statistical.task} are judged by their bytes`);
  const predict = await openModel(request.model, model, request.ortFolder);
  for await (const { set, records, readTargets } of evaluationSets(statistical)) {
    const outputs = await predict(records);
    const wrong = countNotFinite(outputs.values);
    const fault =
      wrong > 0
        ? `gives NaN or infinity in ${wrong} of ${outputs.values.length} outputs`
        : measure.settle(outputs, set);
    if (fault !== null) answer.faults.push(`it ${fault} on the ${set} set`);
    if (readTargets !== null) {
      const targets = await readTargets(outputs, measure);
      answer.targets[set as LabelledSet] = writeFloats(outFolder, `targets-${set}`, targets);
      if (set === 'test' && fault === null) {
        if (statistical.task === 'classification')
          answer.classExamples = countClasses(targets.values, outputs.columns);
        const { metrics, logLoss } = measure.measure(outputs, targets.values);
        const { metric } = statistical;
        if (metric !== null && Object.hasOwn(metrics, metric))
          answer.metric = { name: metric, value: metrics[metric]! };
        answer.logLoss = logLoss;
      }
    }
    answer.sets[set] = writeFloats(outFolder, set, outputs);
    if (set === 'test' && statistical.slices !== null) {
      answer.slices = writeFloats(outFolder, 'slices', await readSlices(statistical.slices, outputs.rows));
    }
  }
};

/** What its tensors say: digest of those without a graph, norm, whether they are quantised, the weights themselves. */
const describeTensors = (request: EvaluationRequest, format: ModelFormat, answer: EvaluationAnswer): void => {
  const file = format.open(request.model);
  try {
    if (format !== onnx) answer.tensorSha256 = tensorsDigest(file);
    const { norm, tensors, note } = readWeights(file, request.keepWeights ? request.outFolder : null);
    if (norm !== null) answer.weightNorm = norm;
    if (file.quantised !== null) answer.quantised = file.quantised;
    if (tensors !== null) answer.weights = tensors;
    if (note !== null) answer.notes.push(`its weights are not compared one by one: ${note}`);
  } finally {
    file.close();
  }
};

const evaluate = async (request: EvaluationRequest): Promise<EvaluationAnswer> => {
  const { statistical } = request;
  const answer = emptyAnswer(null);
  try {
    const format = formatOf(headOf(request.model));
    if (format !== onnx) {
      if (statistical !== null) {
        throw new ModelFault(
          `it is a file of the format ${format.name}, which says nothing of how its tensors are computed with: export the model as ONNX, or write \`Comparison: bitwise\``,
        );
      }
    } else if (request.mayBeOther && statistical === null) return answer;
    const model = format === onnx ? readModelFile(request.model) : null;
    if (model !== null) answer.tensorSha256 = modelDigest(model);
    describeTensors(request, format, answer);
    if (model !== null && statistical !== null) {
      await evaluateStatistically({ ...request, statistical }, model, answer);
    }
  } catch (error) {
    if (!(error instanceof ModelFault)) throw error;
    answer.refused = error.message;
  }
  return answer;
};

const request = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as EvaluationRequest;
writeFileSync(join(request.outFolder, 'answer.json'), JSON.stringify(await evaluate(request)));
