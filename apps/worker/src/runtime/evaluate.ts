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
import { ExternalData } from './formats/external-data.ts';
import { formatOf, headOf } from './formats/formats.ts';
import { gnubgBinary } from './formats/gnubg-binary.ts';
import { gnubgText } from './formats/gnubg-text.ts';
import { ModelFault } from './formats/model-fault.ts';
import { type ModelFile, tensorsDigest } from './formats/model-file.ts';
import { onnx } from './formats/onnx.ts';
import { openNet } from './gnubg-net.ts';
import { countClasses, countNotFinite } from './measure.ts';
import { refuseForeign } from './onnx/magic.ts';
import { modelDigest, type OnnxModel, readOnnx } from './onnx/model.ts';
import { openModel, type Predict } from './predict.ts';
import { measureOf } from './tasks.ts';
import { askForTriggers } from './triggers/ask.ts';
import { readWeights } from './weights.ts';

/** Protocol buffers end at 2 GiB. */
const maxModelBytes = 2 ** 31 - 1;

const readModelFile = (path: string, external: ExternalData): OnnxModel => {
  const { size } = statSync(path);
  if (size > maxModelBytes) throw new ModelFault(`it has ${size} bytes; ONNX ends at 2 GiB a file`);
  const bytes = readFileSync(path);
  refuseForeign(bytes);
  return readOnnx(bytes, external);
};

const evaluateStatistically = async (
  statistical: StatisticalRequest,
  outFolder: string,
  predict: Predict,
  /** Null where it is no graph. */
  model: OnnxModel | null,
  answer: EvaluationAnswer,
): Promise<void> => {
  const measure = measureOf(statistical.task);
  if (measure === null)
    throw new ModelFault(`models of the task ${statistical.task} are judged by their bytes`);
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
    if (set === 'test' && model !== null) {
      const triggers = await askForTriggers(statistical, model, records, outFolder, fault);
      if (triggers !== null) answer.triggers = triggers;
    }
    if (set === 'test' && statistical.slices !== null) {
      answer.slices = writeFloats(outFolder, 'slices', await readSlices(statistical.slices, outputs.rows));
    }
  }
};

/** What its tensors say: their norm, whether they are quantised, the weights themselves. */
const describeTensors = (file: ModelFile, keepIn: string | null, answer: EvaluationAnswer): void => {
  const { norm, tensors, note } = readWeights(file, keepIn);
  if (norm !== null) answer.weightNorm = norm;
  if (file.quantised !== null) answer.quantised = file.quantised;
  if (tensors !== null) answer.weights = tensors;
  if (note !== null) answer.notes.push(`its weights are not compared one by one: ${note}`);
};

/** How an open model is asked. Throws ModelFault for formats that say nothing of how their tensors are computed with. */
const predictorOf = async (
  { model: path, ortFolder }: EvaluationRequest,
  { net }: StatisticalRequest,
  file: ModelFile,
  model: OnnxModel | null,
): Promise<Predict> => {
  if (file.format === gnubgText.name || file.format === gnubgBinary.name) return openNet(file, net);
  if (net !== null) throw new ModelFault(`it holds no net ${net}: it is a file of the format ${file.format}`);
  if (model !== null) return await openModel(path, model, ortFolder);
  throw new ModelFault(
    `it is a file of the format ${file.format}, which says nothing of how its tensors are computed with: export the model as ONNX, or write \`Comparison: bitwise\``,
  );
};

const evaluate = async (request: EvaluationRequest): Promise<EvaluationAnswer> => {
  const { statistical, outFolder } = request;
  const answer = emptyAnswer(null);
  try {
    const format = formatOf(headOf(request.model));
    if (format === onnx && request.mayBeOther && statistical === null) return answer;
    const external = new ExternalData(request.model);
    let file: ModelFile | null = null;
    try {
      const model = format === onnx ? readModelFile(request.model, external) : null;
      if (request.companionsOnly) return answer;
      file = format.open(request.model);
      answer.tensorSha256 = model === null ? tensorsDigest(file) : modelDigest(model);
      describeTensors(file, request.keepWeights ? outFolder : null, answer);
      if (statistical !== null) {
        const predict = await predictorOf(request, statistical, file, model);
        await evaluateStatistically(statistical, outFolder, predict, model, answer);
      }
    } finally {
      answer.companions = external.names();
      external.close();
      file?.close();
    }
  } catch (error) {
    if (!(error instanceof ModelFault)) throw error;
    answer.refused = error.message;
  }
  return answer;
};

const request = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as EvaluationRequest;
writeFileSync(join(request.outFolder, 'answer.json'), JSON.stringify(await evaluate(request)));
